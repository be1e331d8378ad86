from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.fields import IdentifierField


class PushSubscription(models.Model):
    """A browser that a person lets call him. The address is a secret between the browser, its push service and us."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="push_subscriptions")
    endpoint = IdentifierField(max_length=500, unique=True)
    p256dh = models.CharField("public key of the browser", max_length=100)
    auth = models.CharField("shared secret of the browser", max_length=50)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"a browser of {self.user}"
