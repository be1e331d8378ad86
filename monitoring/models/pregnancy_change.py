from django.conf import settings
from django.db import models
from django.db.models import Q

from monitoring.models.patient import Patient


class PregnancyChange(models.Model):
    """Who said that a patient is pregnant, or is no more, when and why: NEWS2 is off or on with it. Only ever added."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="pregnancy_changes")
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    becomes = models.BooleanField()
    why = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(becomes=False) | ~Q(why=""), name="pregnancy_change_to_pregnant_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.patient} {'is' if self.becomes else 'is not'} pregnant"
