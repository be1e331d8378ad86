from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.fields import IdentifierField
from accounts.models import Ward
from monitoring.clinical.limits import Limits, faults
from monitoring.clinical.signs import Sign
from monitoring.models.patient import Patient

HOSPITAL = "hospital"


def scope_of(*, ward_id: int | None = None, patient_id: int | None = None) -> str:
    """The scope's name: `patient:12`, `ward:3` or `hospital`."""
    if patient_id:
        return f"patient:{patient_id}"
    return f"ward:{ward_id}" if ward_id else HOSPITAL


class Threshold(models.Model):
    """Stored limits of one sign in one scope; a narrower scope replaces the whole sign (hospital → ward → patient)."""

    scope_key = IdentifierField(max_length=40, editable=False, default=HOSPITAL)
    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, null=True, blank=True, related_name="thresholds")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, null=True, blank=True, related_name="thresholds")
    sign = models.CharField(max_length=20, choices=[(sign.value, sign.value) for sign in Sign])
    critical_low = models.FloatField(null=True, blank=True)
    warning_low = models.FloatField(null=True, blank=True)
    warning_high = models.FloatField(null=True, blank=True)
    critical_high = models.FloatField(null=True, blank=True)
    delay = models.PositiveSmallIntegerField("delay (s)", default=0)
    margin = models.FloatField("hysteresis margin", default=0)
    reason = models.CharField(max_length=200, blank=True)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+")
    set_at = models.DateTimeField(default=timezone.now, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scope_key", "sign"], name="threshold_one_a_scope_and_sign"),
            models.CheckConstraint(
                condition=Q(scope_key=HOSPITAL, ward__isnull=True, patient__isnull=True)
                | ~Q(scope_key=HOSPITAL)
                & (Q(ward__isnull=False, patient__isnull=True) | Q(ward__isnull=True, patient__isnull=False)),
                name="threshold_has_one_scope",
            ),
            models.CheckConstraint(condition=Q(critical_low__lte=F("warning_low")), name="threshold_warning_low_inside"),
            models.CheckConstraint(condition=Q(warning_high__lte=F("critical_high")), name="threshold_warning_high_inside"),
            models.CheckConstraint(condition=Q(warning_low__lt=F("warning_high")), name="threshold_low_below_high"),
            models.CheckConstraint(condition=Q(critical_low__lt=F("critical_high")), name="threshold_critical_low_below"),
            models.CheckConstraint(condition=Q(margin__gte=0), name="threshold_margin_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.sign} for {self.scope_key}"

    @property
    def limits(self) -> Limits:
        return Limits(self.critical_low, self.warning_low, self.warning_high, self.critical_high)

    def clean(self) -> None:
        if self.sign and (found := faults(Sign(self.sign), self.limits)):
            raise ValidationError(found)
