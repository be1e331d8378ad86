from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils import timezone

from accounts.fields import IdentifierField
from accounts.models.device import Device


class DeviceKeyQuerySet(models.QuerySet["DeviceKey"]):
    def living(self, now: datetime) -> DeviceKeyQuerySet:
        """Those that open the door: neither revoked nor at their end."""
        return self.filter(models.Q(ends_at=None) | models.Q(ends_at__gt=now), revoked_at=None)


class DeviceKey(models.Model):
    """The key a device shows; only its hash is kept. The prefix finds the row, the secret proves the device.

    A device has one current key. One that was rotated out may go on until `ends_at`.
    """

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="keys")
    prefix = IdentifierField(max_length=16, unique=True)
    secret_hash = models.CharField("SHA-256 of the secret", max_length=64)
    is_current = models.BooleanField("current", null=True, default=True, editable=False)  # true or NULL: docs/adr/0002
    created_at = models.DateTimeField("issued", default=timezone.now, editable=False)
    used_at = models.DateTimeField("last used", null=True, editable=False)  # to the minute
    ends_at = models.DateTimeField("goes on until", null=True, editable=False)
    revoked_at = models.DateTimeField("revoked", null=True, blank=True, editable=False)

    objects = DeviceKeyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["device", "is_current"], name="device_key_one_current_a_device"),
            models.CheckConstraint(
                condition=models.Q(is_current__isnull=True)
                | models.Q(is_current=True, ends_at__isnull=True, revoked_at__isnull=True),
                name="device_key_current_has_no_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.device} {self.prefix}…"

    def is_living(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.ends_at is None or now < self.ends_at)
