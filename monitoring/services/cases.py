"""One admission under judgement: the rows that the alarm rule needs, handed to it, and what it decided, as rows again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from monitoring.clinical import alarm, corrections, signs
from monitoring.clinical.bands import months
from monitoring.clinical.corrections import Change
from monitoring.clinical.episode import CALLS, Episode, Event, Kind, Reading, State, What
from monitoring.clinical.limits import Limits
from monitoring.clinical.scores.observations import Observations
from monitoring.clinical.sensor import Sample
from monitoring.clinical.signs import Sign
from monitoring.clinical.together import members
from monitoring.models import AlarmState, Alert, AlertEvent, Patient, Placement, Vital
from monitoring.services.episodes import episode_of, message_of, write

# A person may have ended an alert that goes on; so long the next value beyond brings the same one back.
REMEMBERED = timedelta(hours=1)
LOOK_AGAIN = timedelta(minutes=1)  # at a patient whose silence is told by a lost link: it may end, and he may be moved
AT_ONCE = 400  # sensors whose past one query asks for: SQLite takes no expression of more than 1,000 parts
OBSERVED = ("consciousness", "on_oxygen", "oxygen_flow")

Vitals = Sequence[Vital]
By = tuple[User | None, str]  # who did it, and the note to it
BY_RULE: By = (None, "")
ENDS = (What.RETURNED, What.RESOLVED)


def subject_of(patient_id: int) -> str:
    return f"patient:{patient_id}"


@dataclass
class Case:
    """Where the patient of one admission lies, what is known of him, and what the readings did. No bed: the stay is over."""

    patient_id: int
    admission_id: int
    ward_id: int
    bed_id: int | None
    device_id: int | None = None  # that spoke last
    look_again_at: datetime | None = None
    link_lost: bool = False  # his silence was told as that of a link
    heard_before: datetime | None = None
    listened: bool = False
    observations: Observations = field(default_factory=Observations)
    limits: Mapping[Sign, Limits] = field(default_factory=dict)
    state: State = field(default_factory=State)
    alerts: dict[UUID, Alert] = field(default_factory=dict)
    happened: list[tuple[str, Episode, datetime, By]] = field(default_factory=list)
    moved: dict[UUID, Episode] = field(default_factory=dict)
    waiting: set[UUID] = field(default_factory=set)  # alerts that waited for a hand before

    def readings(self, vitals: Vitals) -> list[Reading]:
        self.device_id = next((vital.device_id for vital in reversed(vitals) if vital.device_id), self.device_id)
        closed = self.bed_id is None
        return [
            reading_of(vital, closed=closed, declared=bool(vital.device and vital.device.is_continuous)) for vital in vitals
        ]

    def follow(self, readings: Iterable[Reading], history: Mapping[alarm.Thread, Sequence[Sample]], *, now: datetime) -> None:
        self.listened = True
        self._hear(
            alarm.follow(self.state, readings, self.limits, now=now, patient=self.observations, history=history), BY_RULE
        )

    def look(self, *, now: datetime, link_lost: bool) -> None:
        """What time alone has done."""
        self.look_again_at = now + LOOK_AGAIN if link_lost else None
        outcome = alarm.look(self.state, self.limits, now=now, patient=self.observations, link_lost=link_lost)
        self._hear(outcome, BY_RULE)

    def correct(
        self, change: Change, history: Mapping[alarm.Thread, Sequence[Sample]], *, by: User, at: datetime, note: str
    ) -> None:
        """A person corrected a reading, or said that it was entered in error."""
        patient = self.observations
        outcome = corrections.correct(self.state, change, self.limits, now=at, patient=patient, history=history)
        self._hear(outcome, (by, note))

    def take(self, alert: Alert, *, by: User, at: datetime) -> None:
        """A person takes the alert."""
        alert.acknowledged_at, alert.acknowledged_by = at, by
        self._tell(alert, AlertEvent.What.ACKNOWLEDGED, by, at)
        self._hear(alarm.take(self.state, alert.condition, self.limits, now=at), (by, ""))

    def dismiss(self, alert: Alert, *, by: User, at: datetime, note: str) -> None:
        """A person ends the alert."""
        alert.resolved_by = by
        self._hear(alarm.dismiss(self.state, alert.condition, self.limits, now=at), (by, note))

    def release(self, sensors: Collection[str], *, by: User | None, at: datetime, note: str) -> None:
        """A device was taken off the patient."""
        self._hear(alarm.release(self.state, sensors, self.limits, now=at), (by, note))

    def members(self) -> list[Alert]:
        """The alerts of single signs that nobody has taken."""
        return [self.alerts[each.id] for each in members(self.state) if not each.acknowledged]

    def know(self, alert: Alert) -> None:
        """Take an alert as the newest episode of its condition."""
        self.alerts[alert.pk] = alert
        if alert.is_open and alert.acknowledged_at is None:
            self.waiting.add(alert.pk)
        shelf = self.state.records if alert.recorded else self.state.episodes
        shelf[alert.condition] = episode_of(alert)

    def recall(self, alert: Alert) -> Episode:
        """An alert that ended too long ago to be known, should it go on."""
        return episode_of(self.alerts.setdefault(alert.pk, alert))

    def changed_alerts(self) -> list[Alert]:
        """Every alert that was touched, as it is now, the earliest raised first; new ones are not stored yet."""
        told = {episode.id for _, episode, _, _ in self.happened}
        calls = self.begun()
        changed = []
        for episode in self.moved.values():
            alert = self.alerts.get(episode.id) or self._new_alert(episode)
            write(alert, episode)
            if not alert._state.adding and episode.id in told:
                alert.version += 1
            if episode.id in calls:
                alert.ward_id = self.ward_id  # it may have ended in another one
                alert.silenced_until = alert.silenced_by_id = None
            changed.append(alert)
        return changed

    def begun(self) -> set[UUID]:
        """The alerts that call somebody anew."""
        return {episode.id for what, episode, _, _ in self.happened if what in CALLS}

    def waiting_anew(self) -> set[UUID]:
        """Of those that call, the alerts that begin to wait for a hand: the others have waited all the time, no less bad."""
        risen = {episode.id for what, episode, _, _ in self.happened if what == What.RISEN}
        return (self.begun() - self.waiting) | risen

    def taken(self) -> set[UUID]:
        return {episode.id for what, episode, _, _ in self.happened if what == AlertEvent.What.ACKNOWLEDGED}

    def event_rows(self, number: int) -> Iterator[AlertEvent]:
        for what, episode, at, (by, note) in self.happened:
            yield AlertEvent(
                alert_id=episode.id,
                what=what,
                at=at,
                by=by,
                severity=episode.severity.value,
                value=episode.last_value if what == What.RESOLVED else episode.value,
                beyond_until=self._beyond_until(episode, at) if what in ENDS else None,
                note=note,
                ward_id=self.ward_id,
                number=number,
            )

    def _beyond_until(self, episode: Episode, at: datetime) -> datetime | None:
        """The last value beyond of a sensor that sends steadily; of others nobody knows before the value that ended it."""
        if episode.sign is None:
            return None
        sensors = [self.state.standings.get(sign, {}) for sign, _ in signs.members(episode.condition)]
        is_steady = any(each.continuous for by_name in sensors for each in by_name.values())
        return episode.last_measured_at if is_steady else at

    def row(self, *, now: datetime) -> AlarmState:
        looks = [alarm.next_look(self.state, self.limits, now), self.look_again_at] if self.bed_id else []
        due_at = min((at for at in looks if at), default=None)
        row = AlarmState.of(self.admission_id, self.state, due_at=due_at, device_id=self.device_id)
        row.link_lost = self.link_lost and not (self.listened and row.heard_at != self.heard_before)
        return row

    def _hear(self, outcome: tuple[State, list[Event]], by: By) -> None:
        self.state, events = outcome
        for event in events:
            self.moved[event.episode.id] = event.episode
            if event.what is not What.COUNTED:
                self.happened.append((event.what.value, event.episode, event.at, self._given_back(event) or by))

    def _given_back(self, event: Event) -> By | None:
        """To whoever ended by hand what goes on."""
        alert = self.alerts.get(event.episode.id)
        if event.what is not What.REOPENED or alert is None or alert.resolved_by is None or alert.resolved_at is None:
            return None
        ended = timezone.localtime(alert.resolved_at)
        return None, f"resolved by {alert.resolved_by} at {ended:%H:%M}, still {message_of(event.episode)}"[:200]

    def _tell(self, alert: Alert, what: AlertEvent.What, by: User, at: datetime) -> None:
        episode = self.state.episodes[alert.condition]
        self.moved[episode.id] = episode
        self.happened.append((what.value, episode, at, (by, "")))

    def _new_alert(self, episode: Episode) -> Alert:
        return Alert(
            id=episode.id,
            subject=subject_of(self.patient_id),
            condition=episode.condition,
            kind=episode.kind.value,
            ward_id=self.ward_id,
            patient_id=self.patient_id,
            admission_id=self.admission_id,
            side=episode.side.value if episode.side else "",
            recorded=episode.recorded,
            raised_at=episode.raised_at,
            measured_at=episode.measured_at,
        )


def gather(admission_ids: Collection[int], *, now: datetime) -> dict[int, Case]:
    """The cases of these admissions by id, their patients being locked: three queries however many. Limits come later."""
    placements = Placement.objects.filter(admission__in=admission_ids).select_related("admission__patient", "bed")
    cases = {
        placement.admission_id: Case(
            patient_id=placement.admission.patient_id,
            admission_id=placement.admission_id,
            ward_id=placement.bed.ward_id,
            bed_id=placement.bed_id if placement.is_open else None,
            observations=observations_of(placement.admission.patient, now=now),
        )
        for placement in placements.order_by("started_at", "pk")  # the last one wins
    }
    for row in AlarmState.objects.filter(admission__in=admission_ids):
        known = cases[row.admission_id]
        known.state, known.device_id = row.state, row.device_id
        known.link_lost, known.heard_before = row.link_lost, row.heard_at
    recent = Alert.objects.select_for_update().filter(
        Q(resolved_at=None)
        | Q(resolved_at__gte=now - alarm.COOLDOWN)
        | Q(resolved_at__gte=now - REMEMBERED, resolved_by__isnull=False),
        subject__in=[subject_of(case.patient_id) for case in cases.values()],
        kind__in=[kind.value for kind in Kind],
    )
    hands = User.objects.in_bulk({alert.resolved_by_id for alert in recent if alert.resolved_by_id})
    # The last one is the newest; an open one is, also where the clock was set back since another was raised.
    for alert in sorted(recent, key=lambda alert: (alert.is_open is not None, alert.raised_at)):
        if case := cases.get(alert.admission_id or 0):
            alert.resolved_by = hands.get(alert.resolved_by_id)
            case.know(alert)
    return cases


def histories(
    cases: Mapping[int, Case], readings: Mapping[int, Sequence[Reading]], vitals: Vitals
) -> dict[int, dict[alarm.Thread, list[Sample]]]:
    """By admission, the stored samples of threads in which readings came out of order: one query for AT_ONCE sensors.

    `vitals` are those under judgement: they are stored already, and are no history yet.
    """
    found: dict[int, dict[alarm.Thread, list[Sample]]] = {admission: {} for admission in readings}
    wanted = {
        admission: threads
        for admission, rows in readings.items()
        if (threads := alarm.unordered(cases[admission].state, rows, cases[admission].limits))
    }
    spans: list[Q] = []
    for admission, threads in wanted.items():
        for sensor in {sensor for _, sensor in threads}:
            since = min(start for (_, name), start in threads.items() if name == sensor)
            spans.append(Q(admission=admission, sensor_id=sensor, measured_at__gt=since))
    patients = {vital.patient_id for vital in vitals if vital.admission_id in wanted}
    new = {
        (admission, reading.sensor, reading.measured_at, sign)
        for admission, rows in readings.items()
        for reading in rows
        for sign in alarm.values(reading, cases[admission].limits)
    }
    for vital in _within(spans, patients):
        for sign, value in alarm.values(reading_of(vital, closed=False), cases[vital.admission_id].limits).items():
            if (vital.admission_id, vital.sensor_id, vital.measured_at, sign) not in new:
                sample = Sample(vital.measured_at, value, not vital.late)
                found[vital.admission_id].setdefault((sign, vital.sensor_id), []).append(sample)
    return found


def _within(spans: Sequence[Q], patients: Collection[int]) -> Iterator[Vital]:
    for first in range(0, len(spans), AT_ONCE):
        yield from Vital.objects.standing().filter(reduce(or_, spans[first : first + AT_ONCE]), patient__in=patients)


def reading_of(vital: Vital, *, closed: bool, declared: bool = False) -> Reading:
    statuses = {Sign(name): word for name, word in vital.status.items() if name in set(Sign)}
    observed = {name: value for name in OBSERVED if (value := getattr(vital, name)) not in (None, "")}
    device = vital.status.get("device", "")
    return Reading(vital.sensor_id, vital.measured_at, vital.values, statuses, observed, device, closed, declared)


def observations_of(patient: Patient, *, now: datetime) -> Observations:
    """What a score needs of a patient and no sensor tells; the age by the date where the hospital is."""
    age = months(patient.birth_date, on=timezone.localdate(now, timezone.get_default_timezone()))
    return Observations(age_months=age, spo2_scale=patient.spo2_scale, pregnant=patient.pregnant)
