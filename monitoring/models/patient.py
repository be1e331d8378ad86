from __future__ import annotations

from datetime import date

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts import access
from accounts.access import ROLES, Permission, Role
from accounts.fields import PATIENT_ID, IdentifierField, validate_patient_id
from accounts.models import ServiceToken, User, Ward
from monitoring.clinical.bands import OLDEST, months
from monitoring.models.admission import Admission, Placement


def today() -> date:
    """The date where the hospital is: ages go by it."""
    return timezone.localdate(timezone=timezone.get_default_timezone())


class PatientQuerySet(models.QuerySet["Patient"]):
    def visible_to(self, who: User | ServiceToken) -> PatientQuerySet:
        """Those whose record this person, or program, may read; an administrator reads all."""
        return self.where(who, Permission.READ_RECORD)

    def where(self, who: User | ServiceToken, permission: Permission) -> PatientQuerySet:
        """Those to whom this person, or program, may do this now: by the ward whose patients they are.

        An administrator works everywhere, and a program nowhere but in its wards: it knows nobody who was never admitted.
        """
        if who.is_active and who.is_superuser and permission in ROLES[Role.ADMINISTRATOR]:
            return self
        theirs = self.of_wards(access.wards_where(who, permission))
        return theirs.filter(_admitted()) if who.is_service else theirs

    def admissible_by(self, who: User) -> PatientQuerySet:
        """Those whom this person may admit somewhere: whoever they see, and who lies nowhere now, whosever patient he was."""
        anybody = Q(Exists(access.wards_where(who, Permission.ADMIT).values("pk")))
        lies = Admission.objects.filter(patient=OuterRef("pk"), is_open=True)
        return self.filter(Q(pk__in=self.visible_to(who).values("pk")) | (anybody & ~Q(Exists(lies)) & Q(archived_at=None)))

    def readable_by(self, who: User | ServiceToken) -> PatientQuerySet:
        """Those that they may see, and for a patient himself."""
        return self.filter(Q(pk__in=self.visible_to(who).values("pk")) | Q(pk__in=self.own(who).values("pk")))

    def own(self, who: User | ServiceToken) -> PatientQuerySet:
        """The patient whose own login this is."""
        return self.filter(user=who.pk, archived_at=None) if isinstance(who, User) and who.is_active else self.none()

    def named(self, patient_id: str) -> PatientQuerySet:
        """The patient with this very id: to MySQL, spaces at the end are none."""
        return self.filter(patient_id=patient_id) if PATIENT_ID.fullmatch(patient_id) else self.none()

    def of_wards(self, wards: models.QuerySet[Ward]) -> PatientQuerySet:
        """Who lies in one of these wards, or, lying nowhere now, lay there last; and, to any ward, who was never admitted."""
        theirs = Placement.objects.filter(bed__ward__in=wards).last_of_each()
        never = Q(Exists(wards.values("pk"))) & ~_admitted()
        return self.filter(Q(pk__in=theirs.values("admission__patient")) | never)


def _admitted() -> Q:
    """Who was ever admitted: asked of the stays, since a join would list him as often as he stayed."""
    return Q(Exists(Admission.objects.filter(patient=OuterRef("pk"))))


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
