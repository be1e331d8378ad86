"""What the vitals of a minute come to, so that a day is drawn without reading a reading a second."""

from __future__ import annotations

from typing import Any

from django.db import models

from monitoring.clinical.signs import Sign
from monitoring.models.patient import Patient


class Minute(models.Model):
    """How many readings of a patient there were in one minute; of every sign the lowest and highest value, total and count.

    Whether it is true is not said here: the spans of `UnreadSpan` are to be read from the vitals. No foreign-key constraint
    and no index beside the key, by the reasons of Vital.
    """

    pk = models.CompositePrimaryKey("patient_id", "begins_at")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    begins_at = models.DateTimeField()
    readings = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"the minute {self.begins_at:%Y-%m-%d %H:%M}"


class UnreadSpan(models.Model):
    """A span of whole minutes that have to be read from the vitals: the Minutes have them not, or not as they are.

    A patient has one without an end, since when nothing was summed up yet; a patient without any has no Minutes at all.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    # When the watcher looks at it next.
    look_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"since {self.since:%Y-%m-%d %H:%M}"


def _columns(sign: Sign) -> dict[str, models.Field[Any, Any]]:
    return {
        f"{sign}_min": models.FloatField(null=True),
        f"{sign}_max": models.FloatField(null=True),
        f"{sign}_total": models.BigIntegerField(null=True),  # in hundredths: whole numbers add up alike in any order
        f"{sign}_count": models.PositiveIntegerField(default=0),
    }


for _sign in Sign:
    for _name, _field in _columns(_sign).items():
        Minute.add_to_class(_name, _field)
