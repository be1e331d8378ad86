from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

from monitoring.models.opening import OpenMarker, open_until

TOLD_EVERY = timedelta(hours=1)  # while it lasts


class FaultQuerySet(models.QuerySet["Fault"]):
    def open(self) -> FaultQuerySet:
        return self.filter(is_open=True)

    def to_tell(self, now: datetime) -> FaultQuerySet:
        """What lasts and was not told for an hour, and what is over and was not told to be."""
        lasts = Q(is_open=True) & (Q(told_at=None) | Q(told_at__lte=now - TOLD_EVERY))
        return self.filter(lasts | Q(is_open=None, told_at__isnull=False, end_told_at=None))


class Fault(models.Model):
    """Something is wrong with MedQL itself: no patient's, device's or ward's, so no board shows it and nobody at a bed hears.

    Whoever runs MedQL is told: by /ready and /metrics, in the administration, and by e-mail for as long as it lasts.
    """

    name = models.CharField(max_length=40)
    sentence = models.CharField(max_length=200)
    is_open = OpenMarker()
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField("administrators last told", null=True)
    end_told_at = models.DateTimeField("administrators told that it is over", null=True)

    objects = FaultQuerySet.as_manager()

    class Meta:
        verbose_name = "fault of MedQL"
        verbose_name_plural = "faults of MedQL"
        constraints = [
            models.UniqueConstraint(fields=["name", "is_open"], name="fault_open_once"),
            open_until("ended_at", name="fault_open_until_ended"),
        ]

    def __str__(self) -> str:
        return self.sentence
