"""What is told: the frames of the stream, each made once for everybody who hears it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import msgspec
from django.utils import timezone

from monitoring.api.representations import alerts as alert_form
from monitoring.api.representations.vitals import vital_read
from monitoring.models import AlertEvent, Vital
from monitoring.stream.cursors import Position

What = AlertEvent.What
TYPES = {
    What.RAISED: "ALERT_NEW",
    What.RECORDED: "ALERT_NEW",
    What.ACKNOWLEDGED: "ALERT_ACK",
    What.ESCALATED: "ALERT_ESCALATED",
    What.RESOLVED: "ALERT_RESOLVED",
}
OTHERS = "ALERT_UPDATED"
LEFT = ("id", "alert_id", "patient_id")  # what the ward that an alert has left is told of it
MOST_ALERTS = 200  # in one frame of the present state
MOST_VITALS = 200  # in one frame


@dataclass(frozen=True, slots=True)
class Told:
    """One alert event, ready for whoever hears its ward; each hearer's cursor is put in."""

    ward: int
    patient: int | None
    position: Position
    head: str
    tail: str
    has_come: bool = False  # from another ward

    def frame(self, cursor: str) -> str:
        return f'{self.head}"{cursor}"{self.tail}'


def of_events(events: Sequence[AlertEvent]) -> list[Told]:
    """The events with their alerts as these are now; of an alert that is another ward's by now only that it is."""
    alerts = list({event.alert_id: event.alert for event in events}.values())
    forms = {alert.pk: _Form(form) for alert, form in zip(alerts, alert_form.read(alerts), strict=True)}
    return [_told(event, forms[event.alert_id]) for event in events]


class _Form:
    """An alert as it is now, written once for all of its events."""

    def __init__(self, form: dict[str, Any]) -> None:
        self.patient_id = form["patient_id"]
        self._form = form

    @cached_property
    def here(self) -> str:
        return _json(self._form)[1:-1]

    @cached_property
    def left(self) -> str:
        return _json({name: self._form[name] for name in LEFT} | {"left": True})[1:-1]


def _told(event: AlertEvent, form: _Form) -> Told:
    is_here = event.alert.ward_id == event.ward_id
    happened = {"what": event.what, "at": event.at, "by": event.by and str(event.by), "note": event.note if is_here else ""}
    told = _json({"ward": event.ward.slug, "patient_id": form.patient_id, "timestamp": event.at})
    head = f'{{"type":"{TYPES.get(What(event.what), OTHERS)}","id":'
    tail = f',{told[1:-1]},"data":{{{form.here if is_here else form.left},"event":{_json(happened)}}}}}'
    return Told(event.ward_id, event.alert.patient_id, (event.number, event.pk), head, tail, event.what == What.MOVED)


@dataclass(frozen=True)
class Readings:
    """The vitals of one ward that were stored since the last look."""

    ward: int
    slug: str
    vitals: Sequence[tuple[int, dict[str, Any]]]  # by patient
    untold: int = 0

    @cached_property
    def frames(self) -> list[str]:
        return self._frames([vital for _, vital in self.vitals])

    def of(self, patients: Collection[int]) -> list[str]:
        return self._frames([vital for patient, vital in self.vitals if patient in patients])

    def _frames(self, vitals: list[dict[str, Any]]) -> list[str]:
        pieces = [vitals[first : first + MOST_VITALS] for first in range(0, len(vitals), MOST_VITALS)]
        return [self._frame(piece, self.untold if piece is pieces[-1] else 0) for piece in pieces]

    def _frame(self, vitals: list[dict[str, Any]], untold: int) -> str:
        patients = {vital["patient_id"] for vital in vitals}
        newest = max(vital["measured_at"] for vital in vitals)
        data = vitals[0] if len(vitals) == 1 and not untold else {"vitals": vitals} | ({"untold": untold} if untold else {})
        patient = patients.pop() if len(patients) == 1 else None
        return envelope("VITAL_NEW", ward=self.slug, patient_id=patient, timestamp=newest, data=data)


def reading(vital: Vital) -> tuple[int, dict[str, Any]]:
    """By patient; of one that was entered in error that it is to be forgotten."""
    return vital.patient_id, vital_read(vital) | ({"entered_in_error": True} if vital.erroneous_at else {})


@dataclass(frozen=True, slots=True)
class Present:
    """The open alerts of a ward, or of these patients in it."""

    slug: str
    alerts: list[dict[str, Any]]
    patients: list[str] | None

    def frames(self, cursor: str) -> list[str]:
        """Every one but the last says that there is more."""
        pieces = [self.alerts[first : first + MOST_ALERTS] for first in range(0, len(self.alerts), MOST_ALERTS)] or [[]]
        return [
            envelope(
                "present",
                id=cursor,
                ward=self.slug,
                data={"alerts": piece, "patients": self.patients, "more": place < len(pieces)},
            )
            for place, piece in enumerate(pieces, 1)
        ]


def envelope(type: str, *, data: Any, timestamp: datetime | None = None, **known: Any) -> str:
    """Any other frame. Its `timestamp` is now, unless told."""
    told = {"type": type, "id": None, "ward": None, "patient_id": None} | known
    return _json(told | {"timestamp": timestamp or timezone.now(), "data": data})


def error(code: str, detail: str, **more: Any) -> str:
    return envelope("error", data={"code": code, "detail": detail} | more)


def _json(told: Any) -> str:
    return msgspec.json.encode(told).decode()
