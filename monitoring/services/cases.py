"""One admission under judgement: the rows that the alarm rule needs, handed to it, and what it decided, as rows again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from monitoring.clinical import alarm
from monitoring.clinical.episode import Episode, Event, Reading, State, What
from monitoring.clinical.limits import Limits, Severity
from monitoring.clinical.signs import Side, Sign
from monitoring.models import AlarmState, Alert, AlertEvent, Placement, Vital


def subject_of(patient_id: int) -> str:
    return f"patient:{patient_id}"


@dataclass
class Case:
    """Where the patient of one admission lies, what is known of him, and what the readings did. No bed: the stay is over."""

    patient_id: int
    admission_id: int
    ward_id: int
    bed_id: int | None
    state: State = field(default_factory=State)
    alerts: dict[UUID, Alert] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def follow(self, vital: Vital, limits: Mapping[Sign, Limits], *, now: datetime) -> None:
        statuses = {Sign(name): word for name, word in vital.status.items() if name in set(Sign)}
        reading = Reading(vital.sensor_id, vital.measured_at, vital.values, statuses, closed=self.bed_id is None)
        self.state, events = alarm.follow(self.state, reading, limits, now=now)
        self.events += events

    def know(self, alert: Alert) -> None:
        """Take an alert as the newest episode of its condition."""
        self.alerts[alert.pk] = alert
        shelf = self.state.records if alert.recorded else self.state.episodes
        shelf[alert.condition] = _episode(alert)

    def changed_alerts(self) -> list[Alert]:
        """Every alert that the readings touched, as it is now, the earliest raised first; new ones are not stored yet."""
        newest = {event.episode.id: event.episode for event in self.events}
        told = {event.episode.id for event in self.events if event.what is not What.COUNTED}
        changed = []
        for episode in newest.values():
            alert = self.alerts.get(episode.id) or self._new_alert(episode)
            _write(alert, episode)
            if not alert._state.adding and episode.id in told:
                alert.version += 1
            changed.append(alert)
        return changed

    def event_rows(self, number: int) -> Iterator[AlertEvent]:
        for event in self.events:
            if event.what is not What.COUNTED:
                ended = event.what is What.RESOLVED
                yield AlertEvent(
                    alert_id=event.episode.id,
                    what=event.what.value,
                    at=event.at,
                    severity=event.episode.severity.value,
                    value=event.episode.last_value if ended else event.episode.value,
                    ward_id=self.ward_id,
                    number=number,
                )

    def _new_alert(self, episode: Episode) -> Alert:
        return Alert(
            id=episode.id,
            subject=subject_of(self.patient_id),
            condition=episode.condition,
            ward_id=self.ward_id,
            patient_id=self.patient_id,
            admission_id=self.admission_id,
            side=episode.side.value,
            recorded=episode.recorded,
            raised_at=episode.raised_at,
            measured_at=episode.measured_at,
        )


def gather(admission_ids: Collection[int], *, now: datetime) -> dict[int, Case]:
    """The cases of these admissions by id, their patients being locked: three queries however many."""
    placements = Placement.objects.filter(admission__in=admission_ids).select_related("admission", "bed")
    cases = {
        placement.admission_id: Case(
            patient_id=placement.admission.patient_id,
            admission_id=placement.admission_id,
            ward_id=placement.bed.ward_id,
            bed_id=placement.bed_id if placement.is_open else None,
        )
        for placement in placements.order_by("started_at", "pk")  # the last one wins
    }
    for row in AlarmState.objects.filter(admission__in=admission_ids):
        cases[row.admission_id].state = row.state
    recent = Alert.objects.select_for_update().filter(
        Q(resolved_at=None) | Q(resolved_at__gte=now - alarm.COOLDOWN),
        subject__in=[subject_of(case.patient_id) for case in cases.values()],
        kind=Alert.Kind.PHYSIOLOGICAL,
    )
    for alert in sorted(recent, key=lambda alert: (alert.raised_at, alert.is_open is not None)):
        if case := cases.get(alert.admission_id or 0):
            case.know(alert)
    return cases


def _episode(alert: Alert) -> Episode:
    return Episode(
        id=alert.pk,
        condition=alert.condition,
        sign=Sign(alert.sign),
        side=Side(alert.side),
        severity=Severity(alert.severity),
        value=alert.vital_value or 0.0,
        limit=alert.threshold_breached or 0.0,
        worst_value=alert.worst_value or 0.0,
        last_value=alert.last_value or 0.0,
        count=alert.count,
        raised_at=alert.raised_at,
        measured_at=alert.measured_at,
        last_measured_at=alert.last_measured_at,
        resolved_at=alert.resolved_at,
        acknowledged=alert.acknowledged_at is not None,
        recorded=alert.recorded,
    )


# What of an alert moves after it was raised; the same fields that _write sets.
MOVING = (
    "is_open",
    "severity",
    "sign",
    "vital_value",
    "threshold_breached",
    "worst_value",
    "last_value",
    "count",
    "last_measured_at",
    "acknowledged_at",
    "acknowledged_by",
    "resolved_at",
    "resolved_by",
    "version",
)


def _write(alert: Alert, episode: Episode) -> None:
    alert.is_open = None if episode.resolved_at else True  # type: ignore[assignment]  # the stubs know no nullable marker
    alert.severity = episode.severity.value
    alert.sign = episode.sign.value
    alert.vital_value = episode.value
    alert.threshold_breached = episode.limit
    alert.worst_value = episode.worst_value
    alert.last_value = episode.last_value
    alert.count = episode.count
    alert.last_measured_at = episode.last_measured_at
    alert.resolved_at = episode.resolved_at
    if episode.resolved_at is None:
        alert.resolved_by_id = None
    if not episode.acknowledged:
        alert.acknowledged_at = alert.acknowledged_by_id = None
