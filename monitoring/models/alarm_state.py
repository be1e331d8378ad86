from __future__ import annotations

import logging
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import models
from django.db.models import Q

from accounts.models import Device
from monitoring.clinical import silence
from monitoring.clinical.episode import Observed, Scored, State, Word
from monitoring.clinical.sensor import Excursion, Standing
from monitoring.clinical.signs import Sign
from monitoring.models.admission import Admission


@dataclass
class _Document:
    standings: dict[Sign, dict[str, Standing]]
    words: dict[Sign, dict[str, Word]]
    devices: dict[str, Word] = field(default_factory=dict)
    anchors: dict[Sign, dict[str, tuple[Standing, ...]]] = field(default_factory=dict)
    observed: dict[str, Observed] = field(default_factory=dict)
    scored: Scored | None = None
    named: dict[str, frozenset[str]] = field(default_factory=dict)


log = logging.getLogger(__name__)

FURTHEST = timedelta(minutes=10)  # four rhythms of the slowest sensor that is missed are less

_decoder = msgspec.json.Decoder(_Document)
_encoder = msgspec.json.Encoder()


class AlarmStateQuerySet(models.QuerySet["AlarmState"]):
    def due(self, now: datetime) -> AlarmStateQuerySet:
        """Those that the watcher has to look at, also when our clock was set back since: no due time lies further ahead."""
        return self.filter(Q(due_at__lte=now) | Q(due_at__gt=now + FURTHEST))


class AlarmState(models.Model):
    """What each sensor of an admission last said: the alarm rule's memory between two readings, and the source of the tile.

    One row an admission, rewritten by every reading under the patient's lock.
    """

    admission = models.OneToOneField(Admission, on_delete=models.PROTECT, primary_key=True, related_name="alarm_state")
    document = models.TextField()
    # When the watcher has to look at this patient though no reading comes.
    due_at = models.DateTimeField(null=True, db_index=True)
    # When the last of its continuous sensors is old: of a whole ward, that tells a lost link from lost sensors.
    grey_at = models.DateTimeField(null=True)
    # When we last heard one of them, by our clock.
    heard_at = models.DateTimeField(null=True)
    # His silence was told as that of a link, and nothing has come of him since.
    link_lost = models.BooleanField(default=False)
    device = models.ForeignKey(Device, on_delete=models.PROTECT, null=True, related_name="+")

    objects = AlarmStateQuerySet.as_manager()

    def __str__(self) -> str:
        return f"sensors of {self.admission}"

    @classmethod
    def of(cls, admission_id: int, state: State, *, due_at: datetime | None, device_id: int | None) -> AlarmState:
        document = _Document(*_kept(state))
        return cls(
            admission_id=admission_id,
            document=_encoder.encode(document).decode(),
            due_at=due_at,
            grey_at=silence.grey_at(state),
            heard_at=silence.heard_at(state),
            device_id=device_id,
        )

    @property
    def state(self) -> State:
        """Sensors only: the episodes are the alerts.

        A memory that cannot be read begins anew: it costs delays, and no ward's readings or board may fail for it.
        """
        try:
            document = _decoder.decode(self.document)
        except msgspec.DecodeError:
            log.exception("the alarm memory of admission %s cannot be read, and begins anew", self.pk)
            return State()
        if '"holds"' in self.document:
            _take_over(document, msgspec.json.decode(self.document)["standings"])
        return State(*_kept(document))


def _kept(memory: State | _Document) -> tuple[Any, ...]:
    """What both have, in the order of their fields."""
    return tuple(getattr(memory, each.name) for each in fields(_Document))


def _take_over(document: _Document, former: dict[str, Any]) -> None:
    """The release before this one kept no excursions, but said of a sensor that it holds an alert open."""
    for sign, by_sensor in document.standings.items():
        for name, standing in by_sensor.items():
            breach = standing.breach
            if breach and former[sign][name].get("holds"):
                at = standing.measured_at
                held = Excursion(breach.side, breach.severity, at, count=1, confirmed=True, live=True, beyond_since=at)
                by_sensor[name] = replace(standing, excursions=(held,))
