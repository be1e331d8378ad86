from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.fields import SealedField
from monitoring.models.patient import Patient


class Dossier(models.Model):
    """What is known of a patient and concerns few: sealed, read and written by services/dossiers.py alone."""

    patient = models.OneToOneField(Patient, on_delete=models.PROTECT, related_name="dossier")
    history = SealedField("medical history", about="monitoring.dossier.history", by="patient_id", blank=True)
    contacts = SealedField(about="monitoring.dossier.contacts", by="patient_id", blank=True)
    version = models.PositiveIntegerField(default=0, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"dossier of {self.patient}"


class DossierChange(models.Model):
    """Who changed which part of a dossier, when, and what it said before, sealed as the dossier is. Only ever added."""

    class Part(models.TextChoices):
        HISTORY = "history", "history"
        CONTACTS = "contacts", "contacts"

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="dossier_changes")
    part = models.CharField(max_length=8, choices=Part.choices)
    version = models.PositiveIntegerField()
    was = SealedField(about="monitoring.dossier_change.was", by="place", blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "part", "version"], name="dossier_change_once_a_version"),
            models.CheckConstraint(condition=models.Q(part__in=["history", "contacts"]), name="dossier_change_part_known"),
        ]

    def __str__(self) -> str:
        return f"{self.part} of {self.patient}, version {self.version}"

    @property
    def place(self) -> str:
        """What its seal is bound to."""
        return f"{self.patient_id}.{self.part}.{self.version}"
