from __future__ import annotations

from urllib.parse import urlsplit
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import models

from accounts.fields import SealedField
from accounts.models import Ward


def validate_webhook_url(url: str) -> None:
    """An http(s) address with a host; a password belongs in no address, since addresses end up in lists and logs."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isascii() or any(letter.isspace() or not letter.isprintable() for letter in url):
        raise ValidationError("An address of a web server is needed: http:// or https://, and a host.", code="invalid")
    if parts.username or parts.password:
        raise ValidationError("No name or password in the address: the secret below signs each message.", code="invalid")


class WebhookEndpoint(models.Model):
    """A machine that is told of a ward's alerts: a pager gateway, a telephone exchange."""

    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, related_name="webhook_endpoints")
    name = models.CharField(max_length=50)
    url = models.CharField("address", max_length=500, validators=[validate_webhook_url])
    # What both sides know, and every message is signed with (HMAC-SHA256); bound to `mark`.
    sealed_secret = SealedField(about="monitoring.webhook.secret", by="mark")
    mark = models.UUIDField(default=uuid4, editable=False)
    is_active = models.BooleanField("active", default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ward", "name"], name="webhook_name_once_in_a_ward")]

    def __str__(self) -> str:
        return f"{self.name} of {self.ward}"

    def signing_with(self, secret: str) -> WebhookEndpoint:
        """This endpoint, not saved yet, with its secret sealed."""
        SealedField.of(WebhookEndpoint, "sealed_secret").put(self, secret)
        return self

    def secret(self) -> str:
        """Raises accounts.sealing.Unreadable."""
        return SealedField.of(WebhookEndpoint, "sealed_secret").text(self)
