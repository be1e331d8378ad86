from django.conf import settings
from django.db import models

from accounts.models import Device
from monitoring.models.opening import OpenMarker, open_until
from monitoring.models.patient import Patient


class DeviceAssignment(models.Model):
    """A monitor is on a patient for a time; one patient a device at a time."""

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="assignments")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="device_assignments")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    assigned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    notes = models.CharField(max_length=512, blank=True)
    is_open = OpenMarker()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["device", "is_open"], name="assignment_one_open_a_device"),
            open_until("ended_at", name="assignment_open_until_ended"),
        ]

    def __str__(self) -> str:
        return f"{self.device} on {self.patient}"
