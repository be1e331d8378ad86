"""Vitals and alerts of a patient or a ward, as they leave the house: row by row, however many there are.

A patient is his id; no name leaves. The rows are read in pieces along a unique key, in the memory of one piece on every engine,
and none of them twice. What is stored after the beginning stays out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any

from django.db.models import Max, Q, QuerySet

from accounts import audit
from accounts.models import Deed, User, Ward
from accounts.transactions import retried
from monitoring import sql
from monitoring.clinical.signs import FACTS, Sign
from monitoring.models import Alert, Patient, Placement, Vital

LONGEST = timedelta(days=92)
PIECE = 2_000  # rows in memory
Row = tuple[Any, ...]


class What(StrEnum):
    VITALS = "vitals"
    ALERTS = "alerts"


@dataclass(frozen=True, slots=True)
class Column:
    """What the API calls it, and its unit."""

    name: str
    unit: str = ""


PLACE = (Column("patient_id"), Column("ward"), Column("bed"))
MEASURED = ("measured_at", "sensor_id", *Sign, "consciousness", "on_oxygen", "oxygen_flow", "status")
STORED = ("received_at", "late", "version", "id")
UNITS = {sign.value: facts.unit for sign, facts in FACTS.items()} | {"oxygen_flow": "L/min"}
TIMES = ("measured_at", "received_at", "raised_at", "acknowledged_at", "returned_at", "resolved_at", "corrected_at")
CALLED = ("kind", "severity", "condition", "sign", "side", "message", "vital_value", "threshold_breached", "worst_value")
COURSE = ("last_value", "count", "state", "measured_at", "raised_at", "acknowledged_at", "acknowledged_by", "returned_at")
ENDED = ("resolved_at", "resolved_by", "noise_why", "escalation_step")
MENDED = ("corrected_at", "correction")  # when a reading of it was corrected last, and what was said of it each time
ROW = ("version", "id")


def _columns(*names: str) -> tuple[Column, ...]:
    return PLACE + tuple(Column(name, "UTC" if name in TIMES else UNITS.get(name, "")) for name in names)


COLUMNS = {What.VITALS: _columns(*MEASURED, *STORED), What.ALERTS: _columns(*CALLED, *COURSE, *ENDED, *MENDED, *ROW)}


@dataclass(frozen=True, slots=True)
class Stay:
    """A patient in a bed for a time; `until` is none for who lies there still."""

    patient: int
    patient_id: str
    ward: int
    slug: str
    bed: str
    since: datetime
    until: datetime | None

    def holds(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


@dataclass(frozen=True)
class Export:
    """What is asked for: of whom, what, and since when until before when."""

    subject: Patient | Ward
    what: What
    since: datetime
    until: datetime

    @property
    def columns(self) -> tuple[Column, ...]:
        return COLUMNS[self.what]

    @cached_property
    def rows(self) -> int:
        """How many there are now."""
        return sum(part.count() for part in self._parts)

    def pieces(self) -> Iterator[list[Row]]:
        """All rows, patient by patient, each by its time."""
        read = self._vitals if self.what is What.VITALS else self._alerts
        for part in self._parts:
            yield from read(part)

    @cached_property
    def _parts(self) -> list[QuerySet[Any]]:
        if self.what is What.ALERTS:
            raised = Alert.objects.filter(raised_at__gte=self.since, raised_at__lt=self.until)
            of = {"patient": self.subject} if isinstance(self.subject, Patient) else {"ward": self.subject}
            return [raised.filter(**of)]
        newest = Vital.objects.aggregate(newest=Max("pk"))["newest"] or 0
        stored = Vital.objects.standing().filter(pk__lte=newest)
        return [
            stored.filter(patient=patient, measured_at__gte=since, measured_at__lt=until)
            for patient, since, until in self._stretches()
        ]

    def _stretches(self) -> Iterator[tuple[int, datetime, datetime]]:
        """Of a patient all of the time, of a ward the time that somebody lay there."""
        if isinstance(self.subject, Patient):
            yield self.subject.pk, self.since, self.until
            return
        for stay in self._stays:
            yield stay.patient, max(stay.since, self.since), min(stay.until or self.until, self.until)

    @cached_property
    def _stays(self) -> list[Stay]:
        """Who lay where in this time, patient by patient."""
        of = {"admission__patient": self.subject} if isinstance(self.subject, Patient) else {"bed__ward": self.subject}
        ended = Q(ended_at=None) | Q(ended_at__gt=self.since)
        found = Placement.objects.filter(ended, started_at__lt=self.until, **of)
        told = ("admission__patient", "admission__patient__patient_id", "bed__ward", "bed__ward__slug", "bed__name")
        rows = found.order_by("admission__patient__patient_id", "started_at", "pk").values_list(*told, "started_at", "ended_at")
        return [Stay(*row) for row in rows]

    def _vitals(self, rows: QuerySet[Any]) -> Iterator[list[Row]]:
        names = (*MEASURED, *STORED)
        by_time, by_id = names.index("measured_at"), names.index("id")
        by_sensor, by_status = names.index("sensor_id"), names.index("status")
        read = ["status_text" if name == "status" else name for name in names]
        ordered = rows.annotate(status_text=sql.Text("status")).order_by("measured_at", "sensor_id")
        found, after = ordered.values_list("patient", *read), Q()
        while piece := list(found.filter(after)[:PIECE]):
            yield [
                (
                    *self._place(row[0], row[1 + by_time]),
                    *row[1 : 1 + by_status],
                    _words(row[1 + by_status]),
                    *row[2 + by_status : 1 + by_id],
                    str(row[1 + by_id]),
                )
                for row in piece
            ]
            at, sensor = piece[-1][1 + by_time], piece[-1][1 + by_sensor]
            after = Q(measured_at__gte=at) & (Q(measured_at__gt=at) | Q(sensor_id__gt=sensor))

    def _alerts(self, rows: Any) -> Iterator[list[Row]]:
        told = rows.select_related("acknowledged_by", "resolved_by", "ward", "patient").with_corrections()
        shown = told.order_by("raised_at", "pk")
        after = Q()
        while piece := list(shown.filter(after)[:PIECE]):
            yield [self._alert(alert) for alert in piece]
            last = piece[-1]
            after = Q(raised_at__gte=last.raised_at) & (Q(raised_at__gt=last.raised_at) | Q(pk__gt=last.pk))

    def _alert(self, alert: Alert) -> Row:
        told: list[Any] = [getattr(alert, name) for name in (*CALLED, *COURSE, *ENDED)]
        told += [alert.corrections[-1].at if alert.corrections else None, "; ".join(each.note for each in alert.corrections)]
        told += [getattr(alert, name) for name in ROW]
        patient = alert.patient.patient_id if alert.patient else ""
        _, ward, bed = self._place(alert.patient_id or 0, alert.raised_at)
        return (patient, ward or alert.ward.slug, bed, *(_plain(each) for each in told))

    def _place(self, patient: int, at: datetime) -> tuple[str, str, str]:
        stays = self._by_patient.get(patient, ())
        stay = next((each for each in reversed(stays) if each.holds(at)), None)
        if stay:
            return stay.patient_id, stay.slug, stay.bed
        return self.subject.patient_id if isinstance(self.subject, Patient) else "", "", ""

    @cached_property
    def _by_patient(self) -> dict[int, list[Stay]]:
        found: dict[int, list[Stay]] = {}
        for stay in self._stays:
            found.setdefault(stay.patient, []).append(stay)
        return found


def _words(status: str) -> str:
    """`heart_rate: asystole, spo2: probe_off`: what the device said beside its numbers, as the API calls it."""
    return "" if status == sql.NO_WORDS else ", ".join(f"{of}: {word}" for of, word in sorted(json.loads(status).items()))


def _plain(value: Any) -> Any:
    """A person by his login, an id as text, everything else as it is."""
    if isinstance(value, User):
        return value.login
    return value if value is None or isinstance(value, str | int | float | datetime) else str(value)


def take(export: Export, *, form: str, by: User, at: datetime) -> int:
    """Write down that this leaves the house, and say how many rows it has now."""
    rows = export.rows  # counted before the transaction, which would keep other writers waiting
    _write_down(export, {"from": export.since, "until": export.until, "format": form, "rows": rows}, by=by, at=at)
    return rows


@retried
def _write_down(export: Export, detail: dict[str, Any], *, by: User, at: datetime) -> None:
    patient = export.subject.patient_id if isinstance(export.subject, Patient) else ""
    ward = export.subject if isinstance(export.subject, Ward) else None
    audit.record(Deed.EXPORTED, by=by, at=at, patient=patient, ward=ward, about=export.what, detail=detail)


def heads(columns: Sequence[Column]) -> list[str]:
    """`spo2 (%)`: for people."""
    return [f"{column.name} ({column.unit})" if column.unit else column.name for column in columns]
