from __future__ import annotations

from datetime import date

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.fields import IdentifierField, validate_patient_id
from accounts.models import ServiceToken, User, Ward
from monitoring.clinical.bands import OLDEST, months


def today() -> date:
    """The date where the hospital is: ages go by it."""
    return timezone.localdate(timezone=timezone.get_default_timezone())


class PatientQuerySet(models.QuerySet["Patient"]):
    def visible_to(self, who: User | ServiceToken) -> PatientQuerySet:
        """Those of a person's wards; an administrator sees all, and a program nobody who was never admitted."""
        if who.is_active and who.is_superuser:
            return self
        theirs = self.of_wards(Ward.objects.visible_to(who))
        return theirs.exclude(admissions=None) if who.is_service else theirs

    def of_wards(self, wards: models.QuerySet[Ward]) -> PatientQuerySet:
        """Who lies in one of these wards, who did last time and lies nowhere now, and who was never admitted."""
        placed = self.model._default_manager.filter(admissions__placements__bed__ward__in=wards)
        here = self.model._default_manager.filter(
            admissions__placements__bed__ward__in=wards, admissions__placements__is_open=True
        )
        elsewhere = self.model._default_manager.filter(admissions__is_open=True)
        was_here = Q(pk__in=placed.values("pk")) | Q(admissions=None)
        return self.filter(Q(pk__in=here.values("pk")) | ~Q(pk__in=elsewhere.values("pk")) & was_here)


class Patient(models.Model):
    """A person who is watched. Never deleted: archived."""

    class Gender(models.TextChoices):
        MALE = "male", "male"
        FEMALE = "female", "female"
        OTHER = "other", "other"
        UNKNOWN = "unknown", "unknown"

    SCALES = [(1, "1, the usual one"), (2, "2: hypercapnic respiratory failure, prescribed target 88–92 %")]

    patient_id = IdentifierField("patient id", unique=True, validators=[validate_patient_id])
    name = models.CharField(max_length=200)
    gender = models.CharField(max_length=10, choices=Gender.choices, default=Gender.UNKNOWN)
    birth_date = models.DateField(null=True, blank=True)
    user = models.OneToOneField(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="patient",
        verbose_name="own login",
        help_text="With which the patient himself may read his own values, and nothing else.",
    )
    pregnant = models.BooleanField(default=False, help_text="NEWS2 is not for use in pregnancy: no score.")
    spo2_scale = models.PositiveSmallIntegerField(
        "NEWS2 scale of the saturation",
        choices=SCALES,
        default=1,
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = PatientQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(spo2_scale__in=[1, 2]), name="patient_spo2_scale_known"),
            models.CheckConstraint(
                condition=models.Q(gender__in=["male", "female", "other", "unknown"]), name="patient_gender_known"
            ),
        ]

    def __str__(self) -> str:
        return self.patient_id

    def clean(self) -> None:
        """A birth date that nobody can have is refused when it is typed; one that is stored already holds up no other field."""
        if self.birth_date is None or months(self.birth_date, on=today()) is not None:
            return
        if not Patient.objects.filter(pk=self.pk, birth_date=self.birth_date).exists():
            fault = "lies in the future" if self.birth_date > today() else f"is more than {OLDEST // 12} years ago"
            raise ValidationError({"birth_date": f"This {fault}."})
