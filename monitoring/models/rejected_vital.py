from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Device


class RejectedVital(models.Model):
    """What a device sent and MedQL refused, as sent: one row for each refusal."""

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="rejected_vitals")
    received_at = models.DateTimeField()
    position = models.PositiveIntegerField("place in the batch", null=True)
    code = models.CharField(max_length=30)
    field = models.CharField(max_length=64, blank=True)
    detail = models.CharField(max_length=200)
    stored = models.BooleanField("rest of the item was stored", default=False)
    item = models.TextField("as sent")
    replayed_at = models.DateTimeField(null=True)
    replayed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(replayed_at__isnull=True, replayed_by__isnull=True)
                | Q(replayed_at__isnull=False, replayed_by__isnull=False),
                name="rejected_vital_replayed_when_and_by_whom",
            ),
        ]
        indexes = [models.Index(fields=["device", "received_at"], name="rejected_vital_of_device")]

    def __str__(self) -> str:
        return f"{self.code} from {self.device} at {self.received_at:%Y-%m-%d %H:%M:%S}"
