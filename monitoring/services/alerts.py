"""The post-save alert service: judges what was saved, in the same transaction, and follows every alert to its end."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts import audit
from accounts.models import Deed, Device, User, Ward
from accounts.transactions import retried
from monitoring import realtime, sql
from monitoring.clinical.alarm import MEMORY
from monitoring.clinical.limits import Severity
from monitoring.clinical.together import MULTIPLE_SIGNS
from monitoring.models import Admission, AlarmState, Alert, AlertEvent, DeviceAssignment, Patient, Vital, WardRules
from monitoring.services import clocks, escalation, history, thresholds
from monitoring.services.cases import Case, gather, histories
from monitoring.services.episodes import MOVING

ASKED_AGAIN = timedelta(minutes=1)  # another end of a silence: less is the same press of a button, sent once more


class SeverityRisen(Exception):
    """The alert is worse than the person who acknowledges it was shown."""


class Changed(Exception):
    """The alert is at another version than the person who acts on it has read."""


class SilenceTooLong(Exception):
    """The ward allows silences of at most `longest` minutes."""

    def __init__(self, longest: int) -> None:
        super().__init__(f"In this ward the sound may be off for 1 to {longest} min.")
        self.longest = longest


@dataclass(frozen=True, slots=True)
class Shown:
    """The alert as whoever acts on it was shown it, as far as he says: nobody takes, ends or silences what he has not seen."""

    severity: Severity = Severity.CRITICAL
    members: Collection[UUID] | None = None  # of several signs at once
    version: int | None = None


WHATEVER = Shown()


def lock(patient_ids: Collection[int]) -> None:
    """Hold these patients until commit, in the order of their ids, so that two writers cannot block each other."""
    list(Patient.objects.select_for_update().filter(pk__in=patient_ids).order_by("pk").values_list("pk", flat=True))


def judge(vitals: Sequence[Vital], *, now: datetime) -> None:
    """Judge vitals that have just been stored, in the transaction that stored them.

    Needs that transaction, and that every admission has had a bed. The number of queries does not depend on the number of
    vitals. Every way in ends here: the device door calls it for a batch, the post_save receiver for a vital saved singly
    (docs/adr/0001-one-judge.md).
    """
    if not vitals:
        return
    by_admission: dict[int, list[Vital]] = {}
    for vital in vitals:
        by_admission.setdefault(vital.admission_id, []).append(vital)
    cases = _locked_cases({vital.patient_id for vital in vitals}, by_admission.keys(), now=now)
    readings = {admission: cases[admission].readings(rows) for admission, rows in by_admission.items()}
    earlier = histories(cases, readings, vitals)
    for admission, rows in readings.items():
        cases[admission].follow(rows, earlier[admission], now=now)
    _save(list(cases.values()), now=now, stored=history.vitals_by_ward(vitals, cases))


@contextmanager
def reopened(vital: Vital, *, at: datetime) -> Iterator[Case]:
    """The case of a vital that has just been changed, in the transaction that changed it; what comes of it is saved.

    The boards are told, and the event stream of the vital, also that it counts no more.
    """
    cases = _locked_cases({vital.patient_id}, {vital.admission_id}, now=at)
    yield cases[vital.admission_id]
    _save(list(cases.values()), now=at, stored=history.vitals_by_ward([vital], cases))


@retried
def look(admission: Admission, *, now: datetime, link_lost: bool = False) -> None:
    """Do what time alone has done to the alarms of one patient, if it is still due."""
    cases = _locked_cases({admission.patient_id}, {admission.pk}, now=now)
    if AlarmState.objects.due(now).filter(admission=admission).exists():
        for case in cases.values():
            case.look(now=now, link_lost=link_lost)
        _save(list(cases.values()), now=now)


@retried
def acknowledge(alert: Alert, *, by: User, at: datetime, shown: Shown = WHATEVER) -> None:
    """Take an alert; of several signs at once all of them, or those that `by` was shown.

    Taking it twice is no error: the first hand on it stays. One that only waited to be taken ends. Raises SeverityRisen when
    it is worse by now than what `by` was shown, and Changed.
    """
    with _under_hand(alert, at=at, shown=shown) as case:
        if alert.state not in ("raised", "returned"):
            return
        _must_be_seen(alert, shown)
        if case is None:
            alert.acknowledged_at, alert.acknowledged_by = at, by
            escalation.taken([alert], at=at)
            _store(alert, AlertEvent.What.ACKNOWLEDGED, by=by, at=at)
            _record(Deed.ACKNOWLEDGED, alert, by=by, at=at)
            return
        seen = _members(case, alert, shown.members)
        for each in [alert, *seen]:
            case.take(each, by=by, at=at)
        _record(Deed.ACKNOWLEDGED, alert, by=by, at=at, members=seen)


@retried
def resolve(alert: Alert, *, by: User, at: datetime, note: str = "", shown: Shown = WHATEVER) -> None:
    """End an alert by hand. What still stands beyond brings the same alert back with its next value, untaken.

    Raises SeverityRisen, Changed.
    """
    with _under_hand(alert, at=at, shown=shown) as case:
        if not alert.is_open:
            return
        _must_be_seen(alert, shown)
        if case is None:
            alert.is_open, alert.resolved_at, alert.resolved_by = None, at, by  # type: ignore[assignment]
            escalation.stop([alert])
            _store(alert, AlertEvent.What.RESOLVED, by=by, at=at, note=note)
        else:
            case.dismiss(alert, by=by, at=at, note=note)
        _record(Deed.RESOLVED, alert, by=by, at=at)


@retried
def silence(alert: Alert, *, minutes: int, by: User, at: datetime, shown: Shown = WHATEVER) -> None:
    """Stop the sound of an alert for a time: never what is shown, nor the escalation. What gets worse ends the silence.

    Of several signs at once the sound of all of them, or of those that `by` was shown. The same asked twice within a minute is
    one silence, of the first hand. Raises SilenceTooLong, SeverityRisen, Changed.
    """
    with _under_hand(alert, at=at, shown=shown) as case:
        rules = WardRules.objects.filter(ward=alert.ward_id).first() or WardRules(ward_id=alert.ward_id)
        if not 1 <= minutes <= rules.longest_silence:
            raise SilenceTooLong(rules.longest_silence)
        if not alert.is_open:
            return
        _must_be_seen(alert, shown)
        until, seen = at + timedelta(minutes=minutes), _members(case, alert, shown.members)
        loud = [one for one in [alert, *seen] if one.silenced_until is None or abs(one.silenced_until - until) >= ASKED_AGAIN]
        for each in loud:
            each.silenced_until, each.silenced_by = until, by
            _store(each, AlertEvent.What.SILENCED, by=by, at=at, note=f"{minutes} min")
        if loud:
            _record(Deed.SILENCED, alert, by=by, at=at, minutes=minutes, members=seen)


@retried
def mark_as_noise(alert: Alert, *, by: User, at: datetime, why: str, shown: Shown = WHATEVER) -> None:
    """Say that an alert was not actionable; the first mark stays. It changes nothing but the statistics. Raises Changed."""
    with _under_hand(alert, at=at, shown=shown):
        if alert.noise_at is None:
            alert.noise_at, alert.noise_by, alert.noise_why = at, by, why
            _store(alert, AlertEvent.What.NOISE, by=by, at=at, note=why)
            _record(Deed.MARKED_AS_NOISE, alert, by=by, at=at)


def _must_be_seen(alert: Alert, shown: Shown) -> None:
    if Severity(alert.severity).rank > shown.severity.rank:
        raise SeverityRisen


def _members(case: Case | None, alert: Alert, shown: Collection[UUID] | None) -> list[Alert]:
    """Of several signs at once the alerts of each, that nobody has taken and somebody was shown; of any other none."""
    if case is None or alert.condition != MULTIPLE_SIGNS:
        return []
    return [each for each in case.members() if shown is None or each.pk in shown]


@contextmanager
def _under_hand(alert: Alert, *, at: datetime, shown: Shown) -> Iterator[Case | None]:
    """The alert as it is now, locked, with the case of its patient if it has one; what was done is saved. Raises Changed."""
    cases = {}
    if alert.admission_id and alert.patient_id and not alert.recorded:
        cases = _locked_cases({alert.patient_id}, {alert.admission_id}, now=at)
    alert.refresh_from_db(from_queryset=Alert.objects.select_for_update())
    if shown.version not in (None, alert.version):
        raise Changed
    case = next(iter(cases.values()), None)
    if case and alert.pk in case.alerts:
        case.alerts[alert.pk] = alert
        yield case
        _save([case], now=at) if case.happened else None
    else:
        yield None


def _locked_cases(patients: Collection[int], admissions: Collection[int], *, now: datetime) -> dict[int, Case]:
    lock(patients)
    found = gather(admissions, now=now)
    limits = thresholds.in_force({(case.patient_id, case.ward_id) for case in found.values()}, now=now)
    for case in found.values():
        case.limits = limits[case.patient_id, case.ward_id]
    return found


def _store(alert: Alert, what: AlertEvent.What, *, by: User | None, at: datetime, note: str = "") -> None:
    alert.version += 1
    alert.save()
    history.tell([alert], what, by=by, at=at, note=note)


def _record(deed: Deed, alert: Alert, *, by: User, at: datetime, members: Sequence[Alert] = (), **detail: Any) -> None:
    """What a person did to an alert; his words stay with its events."""
    patient = alert.patient.patient_id if alert.patient else ""
    told = {"condition": alert.condition, "severity": alert.severity} | detail
    told |= {"with": [each.pk for each in members]} if members else {}
    audit.record(deed, by=by, at=at, patient=patient, ward=alert.ward_id, about=f"alert:{alert.pk}", detail=told)


def release(device: Device, *, patient: Patient, by: User | None, at: datetime) -> None:
    """A device was taken off a patient: what its sensors hold ends, and they are missed no more.

    Needs a transaction. What was critical and nobody has taken waits for a hand all the same.
    """
    admission = Admission.objects.filter(patient=patient, is_open=True).first()
    if admission is None or not AlarmState.objects.filter(admission=admission).exists():
        return
    cases = _locked_cases({patient.pk}, {admission.pk}, now=at)
    sent = Vital.objects.filter(patient=patient, admission=admission, device=device, measured_at__gte=at - MEMORY)
    sensors = set(sent.values_list("sensor_id", flat=True).distinct())
    for case in cases.values():
        case.release(sensors, by=by, at=at, note=f"{device} was taken off")
    _save(list(cases.values()), now=at)


def close(admission: Admission, *, by: User | None, at: datetime, note: str) -> None:
    """The stay is over: its open alerts end with it."""
    alerts = list(Alert.objects.open().select_for_update().filter(admission=admission))
    for alert in alerts:
        alert.is_open = None  # type: ignore[assignment]  # the stubs know no nullable marker
        alert.resolved_by = by
        alert.resolved_at = at
        alert.version += 1
    escalation.stop(alerts)
    sql.update(alerts, ["is_open", "resolved_at", "resolved_by", "next_step_at", "version"])
    AlarmState.objects.filter(admission=admission).update(due_at=None)
    history.tell(alerts, AlertEvent.What.RESOLVED, by=by, at=at, note=note)


def move(admission: Admission, *, to: Ward, by: User | None, at: datetime) -> None:
    """The patient lies in another ward now: his open alerts, and those of the devices on him, are that ward's.

    Somebody there has to take them: their escalation begins anew by that ward's plan, and whoever had taken one in the old
    ward has it no more.
    """
    worn = DeviceAssignment.objects.filter(patient=admission.patient_id, is_open=True, device__kind=Device.Kind.MONITOR)
    devices = [f"device:{device}" for device in worn.values_list("device", flat=True)]
    his = Q(admission=admission) | Q(subject__in=devices)
    alerts = list(Alert.objects.open().select_for_update().filter(his).exclude(ward=to).order_by("pk"))
    held = [alert for alert in alerts if alert.acknowledged_at]
    left = {alert.pk: alert.ward_id for alert in alerts}
    for alert in alerts:
        alert.ward = to
    escalation.let_go(alerts, now=at)
    sql.update(alerts, ["ward", *escalation.LET_GO])
    history.tell_moved(alerts, left=left, by=by, at=at)
    history.tell(held, AlertEvent.What.UNTAKEN, by=by, at=at, note=f"moved to {to.name}"[:200])


def _save(judged: Sequence[Case], *, now: datetime, stored: Mapping[int, realtime.Vitals] | None = None) -> None:
    sql.put([case.row(now=now) for case in judged])
    changed = [alert for case in judged for alert in case.changed_alerts()]
    clocks.set_for(judged, changed, now=now)
    # What ended is written before what began: the database allows one open alert a condition.
    sql.update([alert for alert in changed if not alert._state.adding], MOVING)
    sql.insert([alert for alert in changed if alert._state.adding])
    beds: dict[int, set[int]] = {}
    for case in judged:
        beds.setdefault(case.ward_id, set()).update([case.bed_id] if case.bed_id else [])
    numbers = realtime.beds_changed(beds, vitals=stored)
    sql.insert([row for case in judged for row in case.event_rows(numbers[case.ward_id])])
