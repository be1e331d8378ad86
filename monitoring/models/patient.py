from django.db import models
from django.utils import timezone

from accounts.fields import IdentifierField, validate_patient_id


class Patient(models.Model):
    """A person who is watched. Never deleted: archived."""

    class Gender(models.TextChoices):
        MALE = "male", "male"
        FEMALE = "female", "female"
        OTHER = "other", "other"
        UNKNOWN = "unknown", "unknown"

    patient_id = IdentifierField("patient id", unique=True, validators=[validate_patient_id])
    name = models.CharField(max_length=200)
    gender = models.CharField(max_length=10, choices=Gender.choices, default=Gender.UNKNOWN)
    birth_date = models.DateField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(gender__in=["male", "female", "other", "unknown"]), name="patient_gender_known"
            ),
        ]

    def __str__(self) -> str:
        return self.patient_id
