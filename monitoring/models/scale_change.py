from django.conf import settings
from django.db import models
from django.db.models import F, Q

from monitoring.models.patient import Patient


class ScaleChange(models.Model):
    """Who put a patient's saturation on another of NEWS2's scales, when, from which, and why. Only ever added."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="scale_changes")
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    was = models.PositiveSmallIntegerField()
    becomes = models.PositiveSmallIntegerField()
    why = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(was=F("becomes")), name="scale_change_changes_it"),
            models.CheckConstraint(condition=Q(becomes=1) | Q(becomes=2) & ~Q(why=""), name="scale_change_to_two_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"scale {self.was} to {self.becomes} of {self.patient}"
