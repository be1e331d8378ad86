from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.fields import IdentifierField
from accounts.models import Ward
from monitoring.clinical.overrides import FIELDS, LONGEST_DELAY, Override
from monitoring.clinical.signs import Sign
from monitoring.models.patient import Patient

HOSPITAL = "hospital"


def scope_of(*, ward_id: int | None = None, patient_id: int | None = None) -> str:
    """The scope's name: `patient:12`, `ward:3` or `hospital`."""
    if patient_id:
        return f"patient:{patient_id}"
    return f"ward:{ward_id}" if ward_id else HOSPITAL


class Part(models.TextChoices):
    """When a limit of a ward holds: always, or in the ward's night in place of that."""

    ALWAYS = "", "always"
    NIGHT = "night", "night"


class Threshold(models.Model):
    """Stored limits of one sign in one scope; a narrower scope replaces the whole sign (hospital → ward → patient)."""

    scope_key = IdentifierField(max_length=40, editable=False, default=HOSPITAL)
    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, null=True, blank=True, related_name="thresholds")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, null=True, blank=True, related_name="thresholds")
    part = models.CharField("when", max_length=5, choices=Part.choices, default=Part.ALWAYS, blank=True)
    sign = models.CharField(max_length=20, choices=[(sign.value, sign.value) for sign in Sign])
    critical_low = models.FloatField(null=True, blank=True)
    warning_low = models.FloatField(null=True, blank=True)
    warning_high = models.FloatField(null=True, blank=True)
    critical_high = models.FloatField(null=True, blank=True)
    # An empty delay or margin is the shipped one; empty bounds are those of the next wider scope.
    delay = models.PositiveSmallIntegerField("delay (s)", null=True, blank=True, validators=[MaxValueValidator(LONGEST_DELAY)])
    margin = models.FloatField("hysteresis margin", null=True, blank=True)
    bound_low = models.FloatField("outer bound of patients' critical low", null=True, blank=True)
    bound_high = models.FloatField("outer bound of patients' critical high", null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    expires_at = models.DateTimeField("until", null=True, blank=True, db_index=True)
    # Where the patient lay then: in another ward his limits ask to be confirmed.
    set_in = models.ForeignKey(Ward, on_delete=models.PROTECT, null=True, editable=False, related_name="+")
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+")
    set_at = models.DateTimeField(default=timezone.now, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scope_key", "sign", "part"], name="threshold_one_a_scope_sign_and_part"),
            models.CheckConstraint(
                condition=Q(scope_key=HOSPITAL, ward__isnull=True, patient__isnull=True)
                | ~Q(scope_key=HOSPITAL)
                & (Q(ward__isnull=False, patient__isnull=True) | Q(ward__isnull=True, patient__isnull=False)),
                name="threshold_has_one_scope",
            ),
            models.CheckConstraint(
                condition=Q(part=Part.ALWAYS) | Q(part=Part.NIGHT, ward__isnull=False), name="threshold_night_is_a_wards"
            ),
            models.CheckConstraint(
                condition=Q(patient__isnull=True) | Q(bound_low__isnull=True, bound_high__isnull=True),
                name="threshold_bound_is_no_patients",
            ),
            models.CheckConstraint(condition=Q(critical_low__lte=F("warning_low")), name="threshold_warning_low_inside"),
            models.CheckConstraint(condition=Q(warning_high__lte=F("critical_high")), name="threshold_warning_high_inside"),
            models.CheckConstraint(condition=Q(warning_low__lt=F("warning_high")), name="threshold_low_below_high"),
            models.CheckConstraint(condition=Q(critical_low__lt=F("critical_high")), name="threshold_critical_low_below"),
            models.CheckConstraint(condition=Q(margin__gte=0), name="threshold_margin_not_negative"),
            models.CheckConstraint(condition=Q(delay__lte=LONGEST_DELAY), name="threshold_delay_not_too_long"),
            models.CheckConstraint(condition=Q(bound_low__lt=F("bound_high")), name="threshold_bounds_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.sign} for {self.scope_key}{', night' if self.part == Part.NIGHT else ''}"

    @property
    def override(self) -> Override:
        return Override(**{name: getattr(self, name) for name in FIELDS})


class WardNight(models.Model):
    """When a ward's night begins and ends, by the clock on its wall; the day is the rest."""

    ward = models.OneToOneField(Ward, on_delete=models.PROTECT, primary_key=True, related_name="night")
    begins = models.TimeField("night begins")
    ends = models.TimeField("night ends")

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(begins=F("ends")), name="ward_night_leaves_a_day")]

    def __str__(self) -> str:
        return f"{self.begins:%H:%M}–{self.ends:%H:%M}"


class ThresholdChange(models.Model):
    """What became of limits: who, when, from what to what and why. Only ever added, in the transaction of the change."""

    class What(models.TextChoices):
        MADE = "made", "made"
        CHANGED = "changed", "changed"
        CONFIRMED = "confirmed", "confirmed after a transfer"
        REMOVED = "removed", "removed"
        EXPIRED = "expired", "expired"
        DISCHARGED = "discharged", "ended by discharge"

    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    what = models.CharField(max_length=10, choices=What.choices)
    scope_key = IdentifierField(max_length=40, db_index=True)
    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, null=True, related_name="threshold_changes")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, null=True, related_name="threshold_changes")
    part = models.CharField(max_length=5, blank=True)
    sign = models.CharField(max_length=20, blank=True)  # empty: the ward's night itself
    was = models.JSONField(null=True)
    becomes = models.JSONField(null=True)
    reason = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.sign or 'night'} for {self.scope_key} {self.what}"
