from django.conf import settings
from django.db import models
from django.db.models import Q

from monitoring.models.vital import Vital


class VitalChange(models.Model):
    """Who corrected a vital or said that it was entered in error, when, from what to what, and why. Only ever added."""

    class What(models.TextChoices):
        CORRECTED = "corrected", "corrected"
        ENTERED_IN_ERROR = "entered_in_error", "entered in error"

    vital = models.ForeignKey(Vital, on_delete=models.PROTECT, db_index=False, related_name="changes")
    version = models.PositiveIntegerField("version that it made")
    what = models.CharField(max_length=20, choices=What.choices)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    # By the name of the column, null for no value. What was entered in error keeps its values: both are empty.
    was = models.JSONField(default=dict)
    became = models.JSONField(default=dict)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["vital", "version"], name="vital_change_once_a_version"),
            models.CheckConstraint(condition=Q(what__in=["corrected", "entered_in_error"]), name="vital_change_known"),
        ]

    def __str__(self) -> str:
        return f"{self.vital} {self.get_what_display()}"
