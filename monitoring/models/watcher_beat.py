from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now


class WatcherBeatQuerySet(models.QuerySet["WatcherBeat"]):
    def aged(self) -> models.QuerySet[Any, Any]:
        """With `age`, by the one clock that every machine shares: the database's.

        A beat from the future is none: that clock was set back since, and who wrote it may be long dead.
        """
        age = ExpressionWrapper(Now() - F("beat_at"), output_field=DurationField())
        return self.filter(beat_at__lte=Now()).annotate(age=age)

    def ages(self) -> models.QuerySet[Any, Any]:
        """How long ago the watchers whose every step works have beaten, the youngest first."""
        return self.filter(failing="").aged().order_by("age").values_list("age", flat=True)


class WatcherBeat(models.Model):
    """The sign of life of one watcher, written anew every few seconds, for as long as its steps move."""

    name = models.CharField("host and process", max_length=120, unique=True)
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()
    turns = models.PositiveBigIntegerField(default=0)
    failures = models.PositiveBigIntegerField(default=0)
    # Steps that failed when they were last tried, with commas between: a watcher that lives but cannot do its work.
    failing = models.CharField(max_length=200, blank=True)
    # The same of the steps that no board waits for.
    failing_in_house = models.CharField(max_length=200, blank=True)

    objects = WatcherBeatQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} at {self.beat_at:%Y-%m-%d %H:%M:%S}"
