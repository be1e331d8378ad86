from __future__ import annotations

from typing import Any

from django.db import models, transaction

from accounts.fields import IdentifierField, validate_sensor_id
from accounts.models import Device
from monitoring.clinical.signs import Sign
from monitoring.models.admission import Admission
from monitoring.models.patient import Patient

LONGEST_ID = 18  # digits


class VitalQuerySet(models.QuerySet["Vital"]):
    def standing(self) -> VitalQuerySet:
        """What counts: without those that were entered in error, which are kept and shown only where one asks for them."""
        return self.filter(erroneous_at=None)

    def named(self, vital_id: str) -> VitalQuerySet:
        """The one of this id as addresses have it; none for what is no id."""
        is_one = vital_id.isascii() and vital_id.isdecimal() and len(vital_id) <= LONGEST_ID
        return self.filter(pk=int(vital_id)) if is_one else self.none()


class Vital(models.Model):
    """What one sensor measured of one patient at one time: any of the values, at least one value or status.

    The links carry no foreign-key constraint: the door has just read and locked what they point to, nothing it points to is
    ever deleted, and the check would cost three index look-ups a row on the hottest insert. One unique key is order and
    duplicate check in one, so no link has an index of its own either.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="vitals")
    admission = models.ForeignKey(
        Admission, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="vitals"
    )
    device = models.ForeignKey(
        Device, on_delete=models.PROTECT, db_constraint=False, db_index=False, null=True, blank=True, related_name="vitals"
    )
    sensor_id = IdentifierField("sensor", validators=[validate_sensor_id])
    measured_at = models.DateTimeField()
    received_at = models.DateTimeField()
    device_time = models.DateTimeField("what a device said whose clock is wrong", null=True, blank=True, editable=False)
    late = models.BooleanField(default=False, editable=False)

    heart_rate = models.FloatField("heart rate (/min)", null=True, blank=True)
    spo2 = models.FloatField("SpO₂ (%)", null=True, blank=True)
    respiratory_rate = models.FloatField("respiratory rate (/min)", null=True, blank=True)
    systolic_bp = models.FloatField("systolic pressure (mmHg)", null=True, blank=True)
    diastolic_bp = models.FloatField("diastolic pressure (mmHg)", null=True, blank=True)
    mean_bp = models.FloatField("mean pressure (mmHg)", null=True, blank=True)
    body_temp = models.FloatField("temperature (°C)", null=True, blank=True)
    consciousness = models.CharField(
        max_length=1,
        blank=True,
        default="",
        choices=[("A", "alert"), ("C", "confused"), ("V", "voice"), ("P", "pain"), ("U", "unresponsive")],
    )
    on_oxygen = models.BooleanField(null=True, blank=True)
    oxygen_flow = models.FloatField("oxygen (L/min)", null=True, blank=True)
    status = models.JSONField(default=dict, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    # Since when it counts for nothing; who said so, and why, is its last change.
    erroneous_at = models.DateTimeField("entered in error", null=True, editable=False)

    objects = VitalQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "measured_at", "sensor_id"], name="vital_once"),
        ]

    def __str__(self) -> str:
        return f"{self.sensor_id} at {self.measured_at:%Y-%m-%d %H:%M:%S}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Stored means judged: Django sends post_save after its own transaction, so this one holds both (ADR 1)."""
        with transaction.atomic():
            super().save(*args, **kwargs)

    @property
    def values(self) -> dict[Sign, float]:
        """The signs that were measured."""
        return {sign: value for sign in Sign if (value := getattr(self, sign)) is not None}
