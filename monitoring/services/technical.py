"""Technical alerts that are no patient's: of a device, or of a whole ward. And the watcher's look at what time has done."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Q, QuerySet

from accounts.models import Device, Ward
from accounts.transactions import retried
from monitoring import realtime
from monitoring.clinical.alarm import COOLDOWN
from monitoring.clinical.limits import Severity
from monitoring.models import AlarmState, Alert, AlertEvent, DeviceAssignment, Placement
from monitoring.services import alerts, escalation, history

log = logging.getLogger(__name__)

LINK_LOST = "link_lost"
CLOCK_SKEW = "clock_skew"
REFUSED_READINGS = "refused_readings"
AlarmStates = QuerySet[AlarmState]
TOGETHER = 2  # patients that fall silent at once are a link
AT_ONCE_WITHIN = timedelta(minutes=2)  # by when they were last heard, which their rhythms set apart
SAME_MOMENT = timedelta(seconds=10)  # a link that breaks ends all within so long
MISSES = 0.75  # of the time until a sensor is grey, which is two of its rhythms: by then a reading is missing
LONGEST_DETAIL = 200
_NAMES = re.compile(r"[A-Za-z0-9._:/-]+")  # of sensors, see accounts.fields
AT_ONCE = 50  # patients that one step looks at
SET_ASIDE = timedelta(seconds=60)
BACK_FOR = timedelta(seconds=30)  # after the link has come back, before somebody still silent is told


class Finding(NamedTuple):
    """What is wrong, how bad, in a sentence; `names`: the sensors that it is about, as they stand in the sentence."""

    condition: str
    severity: Severity
    detail: str
    names: frozenset[str] = frozenset()


class Subject(NamedTuple):
    """What an alert is about, and on whose board it is shown."""

    name: str
    ward_id: int
    device: Device | None = None


def look_around(*, now: datetime) -> bool:
    """A step of the watcher: look at the patients whose alarms time has moved, the longest due first. Says whether any was due.

    Two watchers at once do no harm: the second one finds the patient locked, and then that it is not due any more.
    """
    due = AlarmState.objects.due(now).order_by("due_at").select_related("admission", "device")
    found = list(due[:AT_ONCE])
    failed: Exception | None = None
    for state in found:
        try:
            lost = _is_silent(state, now) and _tell_lost_link(state, now=now)
            alerts.look(state.admission, now=now, link_lost=lost)
        except Exception as error:
            # One patient that cannot be judged must not stand before all others; whoever called counts and tells the failure.
            log.exception("the alarms of admission %s could not be looked at", state.pk)
            AlarmState.objects.filter(pk=state.pk, due_at=state.due_at).update(due_at=now + SET_ASIDE)
            failed = error
    if failed:
        raise failed
    return bool(found)


def end_lost_links(*, now: datetime) -> bool:
    """A step of the watcher: a lost link that brings readings again ends, and who is still silent is looked at soon."""
    for alert in Alert.objects.open().filter(condition=LINK_LOST).select_related("ward"):
        patients = _patients_behind(alert)
        if patients.filter(link_lost=False, grey_at__gt=now).exists() or not patients.exists():
            _end_lost_link(alert, now=now)
            return True
    return False


def tell(device: Device, finding: Finding, *, now: datetime) -> None:
    """Raise an alert of this device where its patient lies, a gateway's in its first ward; one that is open only moves.

    A monitor that is on nobody is told where it was last.
    """
    ward_id = _ward_of(device)
    if ward_id is None:
        log.warning("%s has %s, and no ward that could be told", device, finding.condition)
        return
    _tell(Subject(f"device:{device.pk}", ward_id, device), finding, now=now)


def end(device: Device, conditions: Iterable[str], *, now: datetime) -> None:
    """What was wrong with this device is right again."""
    _end(Alert.objects.open().filter(subject=f"device:{device.pk}", condition__in=list(conditions)), now=now)


def _ward_of(device: Device) -> int | None:
    newest = DeviceAssignment.objects.filter(device=device).order_by("-started_at", "-pk").first()
    patient, is_on = (newest.patient_id, newest.is_open) if newest else (0, None)
    places = Placement.objects.filter(admission__patient=patient).order_by("-started_at", "-pk")
    of_patient = places.values_list("bed__ward", flat=True)
    lying = of_patient.filter(is_open=True).first() if is_on else None
    return lying or device.wards.order_by("pk").values_list("pk", flat=True).first() or of_patient.first()


def _tell(subject: Subject, finding: Finding, *, now: datetime) -> None:
    known = Alert.objects.select_for_update().filter(subject=subject.name, condition=finding.condition)
    recent = known.filter(Q(is_open=True) | Q(resolved_at__gte=now - COOLDOWN, resolved_at__lte=now))
    alert = max(recent, key=lambda each: (each.is_open or False, each.raised_at), default=None)
    if alert is None:
        alert = Alert(subject=subject.name, condition=finding.condition, device=subject.device)
        alert.kind, alert.raised_at, alert.measured_at = Alert.Kind.TECHNICAL, now, now
        _call(alert, subject, finding, AlertEvent.What.RAISED, now=now)
    elif not alert.is_open:
        if finding.severity is Severity.CRITICAL or alert.resolved_by_id:
            alert.acknowledged_at = alert.acknowledged_by = None
        _call(alert, subject, finding, AlertEvent.What.REOPENED, now=now)
    elif alert.acknowledged_at and _is_more(finding, alert):
        alert.acknowledged_at = alert.acknowledged_by = None
        _call(alert, subject, finding, AlertEvent.What.RERAISED, now=now)
    else:
        _amend(alert, finding, now=now)


def _call(alert: Alert, subject: Subject, finding: Finding, what: AlertEvent.What, *, now: datetime) -> None:
    """The alert calls: it is open, its silence is over, and whoever has not taken it is told."""
    alert.version += what is not AlertEvent.What.RAISED
    alert.ward_id, alert.severity, alert.detail = subject.ward_id, finding.severity.value, finding.detail[:LONGEST_DETAIL]
    alert.is_open, alert.resolved_at, alert.resolved_by = True, None, None
    alert.silenced_until = alert.silenced_by = None
    alert.last_measured_at = now
    if alert.acknowledged_at:
        escalation.taken([alert], at=now)
    else:
        escalation.restart([alert], now=now)
    alert.save()
    history.tell([alert], what, by=None, at=now)


def _is_more(finding: Finding, alert: Alert) -> bool:
    """It is about a sensor that was not told yet. Where the sentence was cut, nobody can say."""
    return len(alert.detail) < LONGEST_DETAIL and not finding.names <= set(_NAMES.findall(alert.detail))


def _amend(alert: Alert, finding: Finding, *, now: datetime) -> None:
    detail = finding.detail[:LONGEST_DETAIL]
    if alert.detail != detail:
        Alert.objects.filter(pk=alert.pk).update(detail=detail, last_measured_at=now)
        realtime.beds_changed({alert.ward_id: []})


def _end(found: Iterable[Alert], *, now: datetime) -> None:
    for alert in found:
        alert.is_open, alert.resolved_at, alert.next_step_at = None, now, None  # type: ignore[assignment]
        alert.version += 1
        alert.save(update_fields=["is_open", "resolved_at", "next_step_at", "version"])
        history.tell([alert], AlertEvent.What.RESOLVED, by=None, at=now)


def _is_silent(state: AlarmState, now: datetime) -> bool:
    return state.grey_at is not None and state.grey_at <= now


@retried
def _tell_lost_link(state: AlarmState, *, now: datetime) -> bool:
    """Say once that nothing comes from anybody in a ward, or behind a gateway. Says whether it is so."""
    lying = Placement.objects.filter(admission=state.admission_id, is_open=True).values_list("bed__ward", flat=True).first()
    ward = Ward.objects.select_for_update().filter(pk=lying).first() if lying else None
    if ward is None:
        return False
    patients = _in_ward(ward)
    if lost := _silent_together(patients, now):
        detail = f"no data from any of {lost} patients of {ward}: link lost"
        _tell(Subject(f"ward:{ward.pk}", ward.pk), Finding(LINK_LOST, Severity.CRITICAL, detail), now=now)
        _mark(patients)
        return True
    gateway = state.device
    if gateway is None or gateway.kind != Device.Kind.GATEWAY:
        return False
    patients = AlarmState.objects.filter(device=gateway, admission__is_open=True)
    if lost := _silent_together(patients, now):
        detail = f"no data from any of {lost} patients behind {gateway}: link lost"
        _tell(Subject(f"device:{gateway.pk}", ward.pk, gateway), Finding(LINK_LOST, Severity.CRITICAL, detail), now=now)
        _mark(patients)
    return bool(lost)


def _mark(patients: AlarmStates) -> None:
    """The next reading of one of them takes his mark away: that ends the lost link, whatever our clock did meanwhile."""
    marked = list(patients.filter(link_lost=False).exclude(grey_at=None).values_list("pk", flat=True))
    AlarmState.objects.filter(pk__in=marked).update(link_lost=True)


def _silent_together(patients: AlarmStates, now: datetime) -> int:
    """How many there are, when enough of them fell silent at once to be a link and nobody has been heard since.

    Who sends rarely has not missed anything for minutes: it is enough that nothing came of him since the others were heard.
    """
    silent: list[datetime] = []
    others: list[datetime] = []
    for heard, grey in patients.values_list("heard_at", "grey_at"):
        if heard and grey:
            (silent if heard + MISSES * (grey - heard) <= now else others).append(heard)
    last = max(silent, default=now)
    if any(heard > last + SAME_MOMENT for heard in others):
        return 0
    return len(silent) + len(others) if sum(last - heard <= AT_ONCE_WITHIN for heard in silent) >= TOGETHER else 0


def _in_ward(ward: Ward) -> AlarmStates:
    return AlarmState.objects.filter(admission__placements__bed__ward=ward, admission__placements__is_open=True)


def _patients_behind(alert: Alert) -> AlarmStates:
    patients = _in_ward(alert.ward) if alert.device_id is None else AlarmState.objects.filter(device=alert.device_id)
    return patients.filter(admission__is_open=True).exclude(grey_at=None)


@retried
def _end_lost_link(alert: Alert, *, now: datetime) -> None:
    _end(Alert.objects.open().select_for_update().filter(pk=alert.pk), now=now)
    behind = list(_patients_behind(alert).values_list("pk", flat=True))
    # Said once more of the row itself: who has just been heard is not put off.
    AlarmState.objects.filter(pk__in=behind, grey_at__lte=now).update(due_at=now + BACK_FOR)
    AlarmState.objects.filter(pk__in=behind).update(link_lost=False)
