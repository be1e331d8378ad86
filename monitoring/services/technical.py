"""Technical alerts that are no patient's: of a device, or of a whole ward. And the watcher's look at what time has done."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Q, QuerySet

from accounts.models import Device, Ward
from monitoring import realtime
from monitoring.clinical.alarm import COOLDOWN
from monitoring.clinical.limits import Severity
from monitoring.models import AlarmState, Alert, AlertEvent, DeviceAssignment, Placement
from monitoring.services import alerts, escalation, history
from monitoring.services.transactions import retried

log = logging.getLogger(__name__)

LINK_LOST = "link_lost"
CLOCK_SKEW = "clock_skew"
REFUSED_READINGS = "refused_readings"
AlarmStates = QuerySet[AlarmState]
TOGETHER = 2  # patients that fall silent at once are a link
AT_ONCE_WITHIN = timedelta(minutes=2)  # by when their last values grow old, which their rhythms set apart
AT_ONCE = 50  # patients that one step looks at
SET_ASIDE = timedelta(seconds=60)
BACK_FOR = timedelta(seconds=30)  # after the link has come back, before somebody still silent is told


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
        if patients.filter(grey_at__gt=now).exists() or not patients.exists():
            _end_lost_link(alert, now=now)
            return True
    return False


def tell(device: Device, condition: str, severity: Severity, detail: str, *, now: datetime) -> None:
    """Raise an alert of this device where its patient lies, a gateway's in its first ward; one that is open only moves."""
    worn = DeviceAssignment.objects.filter(device=device, is_open=True).values("patient")
    lying = Placement.objects.filter(admission__patient__in=worn, is_open=True).values_list("bed__ward", flat=True).first()
    ward_id = lying or device.wards.order_by("pk").values_list("pk", flat=True).first()
    if ward_id is not None:
        _tell(Subject(f"device:{device.pk}", ward_id, device), condition, severity, detail, now=now)


def end(device: Device, conditions: Iterable[str], *, now: datetime) -> None:
    """What was wrong with this device is right again."""
    _end(Alert.objects.open().filter(subject=f"device:{device.pk}", condition__in=list(conditions)), now=now)


def _tell(subject: Subject, condition: str, severity: Severity, detail: str, *, now: datetime) -> None:
    known = Alert.objects.select_for_update().filter(subject=subject.name, condition=condition)
    recent = known.filter(Q(is_open=True) | Q(resolved_at__gte=now - COOLDOWN)).order_by("is_open", "-raised_at")
    alert = max(recent, key=lambda each: (each.is_open or False, each.raised_at), default=None)
    if alert is None:
        alert = Alert(subject=subject.name, condition=condition, ward_id=subject.ward_id, device=subject.device)
        alert.raised_at = alert.measured_at = now
        what = AlertEvent.What.RAISED
    elif alert.is_open:
        if alert.detail != detail[:200]:
            Alert.objects.filter(pk=alert.pk).update(detail=detail[:200], last_measured_at=now)
            realtime.beds_changed({alert.ward_id: []})
        return
    else:
        alert.version, what = alert.version + 1, AlertEvent.What.REOPENED
        alert.silenced_until = alert.silenced_by = None
        if severity is Severity.CRITICAL or alert.resolved_by_id:
            alert.acknowledged_at = alert.acknowledged_by = None
    alert.kind, alert.severity, alert.detail, alert.last_measured_at = Alert.Kind.TECHNICAL, severity.value, detail[:200], now
    alert.is_open, alert.resolved_at, alert.resolved_by = True, None, None
    if alert.acknowledged_at:
        escalation.taken([alert], at=now)
    else:
        escalation.restart([alert], now=now)
    alert.save()
    history.tell([alert], what, by=None, at=now)


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
    lost = _silent_together(_in_ward(ward), now)
    if lost:
        detail = f"no data from any of {lost} patients of {ward}: link lost"
        _tell(Subject(f"ward:{ward.pk}", ward.pk), LINK_LOST, Severity.CRITICAL, detail, now=now)
        return True
    gateway = state.device
    if gateway is None or gateway.kind != Device.Kind.GATEWAY:
        return False
    lost = _silent_together(AlarmState.objects.filter(device=gateway, admission__is_open=True), now)
    if lost:
        detail = f"no data from any of {lost} patients behind {gateway}: link lost"
        _tell(Subject(f"device:{gateway.pk}", ward.pk, gateway), LINK_LOST, Severity.CRITICAL, detail, now=now)
    return bool(lost)


def _silent_together(patients: AlarmStates, now: datetime) -> int:
    """How many there are, when all of them are silent and enough of them fell silent at once to be a link."""
    watched = [at for at in patients.values_list("grey_at", flat=True) if at]
    last = max(watched, default=None)
    if last is None or last > now:
        return 0
    return len(watched) if sum(last - at <= AT_ONCE_WITHIN for at in watched) >= TOGETHER else 0


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
