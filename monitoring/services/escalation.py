"""An alert that nobody takes is told to more and more people; one that was taken and not solved comes back.

`restart`, `taken`, `let_go` and `stop` set an alert's clock in memory, for whoever changes the alert anyway and saves it.
`advance`, `pull_back` and `return_leavers` are steps of the watcher: some work each, and whether there was any.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from accounts.models import Ward
from accounts.transactions import WriterBusy, retried
from monitoring import sql
from monitoring.clinical import escalation as rule
from monitoring.clinical.escalation import Step, Way
from monitoring.clinical.limits import Severity
from monitoring.models import Alert, AlertEvent, Delivery, EscalationStep, Shift, WardRules
from monitoring.services import history, recipients

log = logging.getLogger(__name__)

CLOCK = ("escalation_step", "next_step_at")
LET_GO = ("acknowledged_at", "acknowledged_by", "version", *CLOCK)
MOST_STEPS = 30_000  # what the column holds, with room; the repetitions go on without being counted
LATE = timedelta(seconds=60)
AT_ONCE = 500  # alerts that one turn gives a clock
SET_ASIDE = timedelta(seconds=60)
CALLING = [severity for severity in Severity if rule.escalates(severity)]

_failed: dict[UUID, datetime] = {}  # alerts whose step failed in this process, and when


def restart(alerts: Collection[Alert], *, now: datetime) -> None:
    """These alerts begin to wait for a hand now: from the first step of their wards' plans. One query however many."""
    plans = _plans({alert.ward_id for alert in alerts})
    for alert in alerts:
        severity = Severity(alert.severity)
        alert.escalation_step = 0
        alert.next_step_at = rule.begins_at(rule.plan(plans[alert.ward_id], severity), severity, now=now)


def taken(alerts: Collection[Alert], *, at: datetime) -> None:
    """Somebody took these alerts: while they stay active they come back after the ward's time. One query however many."""
    rules = _rules({alert.ward_id for alert in alerts})
    for alert in alerts:
        waits = rule.escalates(Severity(alert.severity))
        alert.next_step_at = at + timedelta(minutes=rules[alert.ward_id].taken_for) if waits else None


def let_go(alerts: Collection[Alert], *, now: datetime) -> None:
    """Nobody has these alerts any more, whoever had: they begin to wait for a hand. LET_GO is what has to be saved."""
    for alert in alerts:
        alert.acknowledged_at = alert.acknowledged_by = None
        alert.version += 1
    restart(alerts, now=now)


def stop(alerts: Collection[Alert]) -> None:
    """These alerts have ended: nothing is due any more."""
    for alert in alerts:
        alert.next_step_at = None


def advance(*, now: datetime) -> bool:
    """Take the longest due step of one alert, if there is any."""
    waiting = Alert.objects.filter(next_step_at__lte=now).exclude(pk__in=_set_aside(now))
    due = waiting.order_by("next_step_at").values_list("pk", *CLOCK).first()
    if due is None:
        return False
    try:
        _go_on(*due, now=now)
    except WriterBusy:
        raise
    except Exception:
        # One alert that cannot be escalated must not stand before all others; whoever called counts and tells the failure.
        # It stays overdue, so that the auditor names it.
        log.exception("alert %s could not be escalated", due[0])
        _failed[due[0]] = now
        raise
    return True


def pull_back(*, now: datetime) -> bool:
    """Make due again what has no clock, or one further ahead than any plan puts it: ours was set back since.

    An untaken alert's step is due at once; one in a hand stays there for the ward's time, counted from now.
    """
    untaken, held = _astray(now)
    found = _plan(untaken, now)
    for minutes, wards in held.items():
        found += _plan(wards, now + timedelta(minutes=minutes))
    return found > 0


def _plan(astray: Q, at: datetime) -> int:
    """Reads before it writes: on SQLite a write that finds nothing keeps every device waiting all the same."""
    found = list(Alert.objects.open().filter(astray).values_list("pk", flat=True)[:AT_ONCE])
    return Alert.objects.open().filter(astray, pk__in=found).update(next_step_at=at) if found else 0


def return_leavers(*, now: datetime) -> bool:
    """Give back what the leavers of ended shifts had taken in their wards and not solved, if any shift has ended.

    One that cannot be given back stands before no other; its failure is raised when all were tried.
    """
    ended = Shift.objects.filter(returned_at=None, ends_at__lte=now).order_by("ends_at").values_list("pk", flat=True)
    failure: Exception | None = None
    shifts = list(ended)
    for shift in shifts:
        try:
            _give_back(shift, now=now)
        except WriterBusy:
            raise
        except Exception as error:
            log.exception("what was taken in shift %s could not be given back", shift)
            failure = error
    if failure:
        raise failure
    return bool(shifts)


def hurry(alert_id: UUID, *, told_with: int, told_at: datetime, now: datetime) -> bool:
    """A message of this step reached nobody: the next step is due at once; where none is left, the whole ward is told."""
    untaken = Alert.objects.open().filter(pk=alert_id, acknowledged_at=None, escalation_step__gte=told_with)
    alert = untaken.first()
    if alert is None:
        return False
    severity = Severity(alert.severity)
    steps = rule.plan(_plans({alert.ward_id})[alert.ward_id], severity)
    if rule.further(steps, severity, told_with) is None:
        return _tell_the_ward(alert_id, told_with, told_at=told_at, now=now)
    return bool(untaken.filter(escalation_step=told_with, next_step_at__gt=now).update(next_step_at=now))


def audit(*, now: datetime) -> list[Alert]:
    """The open alerts that escalation has lost: without a next step, with one overdue by a minute, with one further ahead than
    any plan puts it; and the untaken ones whose steps have reached nobody in their ward.

    None of them is the promise. Reads by the index of each ward's open alerts, however many were ever raised.
    """
    overdue = Q(next_step_at__lt=now - LATE)
    untaken, held = _astray(now)
    vain = [Delivery.State.GIVEN_UP, Delivery.State.WITHDRAWN]
    told = Delivery.objects.filter(alert=OuterRef("pk"), ward=OuterRef("ward")).exclude(state__in=vain)
    unheard = Q(acknowledged_at=None, escalation_step__gt=0) & ~Exists(told)
    lost = reduce(or_, held.values(), untaken | overdue | unheard)
    wards = list(Ward.objects.values_list("pk", flat=True))
    return list(Alert.objects.open().filter(lost, ward__in=wards).order_by("raised_at"))


def _set_aside(now: datetime) -> Collection[UUID]:
    """The alerts whose step failed a moment ago, by whichever clock."""
    for alert_id in [key for key, at in _failed.items() if abs(now - at) >= SET_ASIDE]:
        del _failed[alert_id]
    return list(_failed)


@retried
def _go_on(alert_id: UUID, step: int, planned: datetime, *, now: datetime) -> None:
    """Holds the alert if it still stands where it was seen: of two watchers one finds it moved, and a hand on it counts."""
    seen = Alert.objects.select_for_update().filter(pk=alert_id, escalation_step=step, next_step_at=planned)
    alert = seen.first()
    if alert is None:
        return
    if not alert.is_open or not rule.escalates(Severity(alert.severity)):
        alert.next_step_at = None
        sql.update([alert], CLOCK)
    elif alert.acknowledged_at:
        _come_back(alert, now)
    else:
        _escalate(alert, planned, now)


def _escalate(alert: Alert, planned: datetime, now: datetime) -> None:
    severity = Severity(alert.severity)
    steps = rule.plan(_plans({alert.ward_id})[alert.ward_id], severity)
    place = rule.upcoming(steps, severity, alert.escalation_step)
    repeat = timedelta(minutes=_rules({alert.ward_id})[alert.ward_id].repeat)
    alert.next_step_at = rule.goes_on_at(steps, severity, place, planned=planned, now=now, repeat=repeat)
    alert.escalation_step = min(max(place, alert.escalation_step) + 1, MOST_STEPS)
    alert.version += 1
    rows, sentence = recipients.deliveries(steps[place], alert, now=now)
    if not rows and rule.further(steps, severity, place + 1) is not None:
        alert.next_step_at = now
    sql.update([alert], [*CLOCK, "version"])
    history.tell([alert], AlertEvent.What.ESCALATED, by=None, at=now, note=f"step {alert.escalation_step}, {sentence}")
    Delivery.objects.bulk_create(rows)


@retried
def _tell_the_ward(alert_id: UUID, step: int, *, told_at: datetime, now: datetime) -> bool:
    """In MedQL, who treats patients there and was not told so with this step: once, however many messages are given up."""
    alert = Alert.objects.select_for_update().filter(pk=alert_id, is_open=True, acknowledged_at=None).first()
    rows = recipients.rest_of_ward(alert, step, since=told_at, now=now) if alert else []
    if alert is None or not rows:
        return False
    alert.version += 1
    sql.update([alert], ["version"])
    note = f"step {step} was given up: told {len(rows)} more of the ward"
    history.tell([alert], AlertEvent.What.ESCALATED, by=None, at=now, note=note)
    Delivery.objects.bulk_create(rows)
    return True


def _come_back(alert: Alert, now: datetime) -> None:
    """Its time in a hand is over. Whoever took it is told; everybody else by the escalation, which begins again."""
    assert alert.acknowledged_at is not None
    minutes = _rules({alert.ward_id})[alert.ward_id].taken_for
    until = alert.acknowledged_at + timedelta(minutes=minutes)
    if now < until <= now + timedelta(minutes=minutes):  # the clock was still that of the escalation
        alert.next_step_at = until
        sql.update([alert], CLOCK)
        return
    hand = alert.acknowledged_by_id
    _untake([alert], at=now, note=f"not solved {minutes} min after it was taken")
    told = recipients.written(alert, user=hand, way=Way.IN_APP, now=now)
    told.why = Delivery.Why.CAME_BACK
    told.save(force_insert=True)


@retried
def _give_back(shift_id: int, *, now: datetime) -> None:
    """Who goes on with another shift in the same ward keeps what he took; so does who took it after his shift."""
    if not Shift.objects.filter(pk=shift_id, returned_at=None).update(returned_at=now):
        return
    shift = Shift.objects.select_related("user").get(pk=shift_id)
    if Shift.objects.on_duty(now).filter(user=shift.user_id, ward=shift.ward_id).exists():
        return
    held = Alert.objects.open().filter(ward=shift.ward_id, acknowledged_by=shift.user_id, acknowledged_at__lte=shift.ends_at)
    alerts = list(held.select_for_update().order_by("pk"))
    _untake(alerts, at=now, note=f"the shift of {shift.user} has ended"[:200])


def _untake(alerts: Sequence[Alert], *, at: datetime, note: str) -> None:
    let_go(alerts, now=at)
    sql.update(alerts, LET_GO)
    history.tell(alerts, AlertEvent.What.UNTAKEN, by=None, at=at, note=note)


def _astray(now: datetime) -> tuple[Q, dict[int, Q]]:
    """Alerts without a next step, or with one further ahead than any plan puts it: untaken, and in a hand by its minutes."""
    wards = list(Ward.objects.values_list("pk", flat=True))
    plans, rules = _plans(wards), _rules(wards)
    untaken, held = Q(pk__in=[]), defaultdict[int, Q](lambda: Q(pk__in=[]))
    for ward in wards:
        repeat, minutes = timedelta(minutes=rules[ward].repeat), rules[ward].taken_for
        for severity in CALLING:
            furthest = now + rule.longest_wait(plans[ward], severity, repeat=repeat) + LATE
            astray = Q(next_step_at=None) | Q(next_step_at__gt=furthest)
            untaken |= Q(astray, ward=ward, acknowledged_at=None, severity=severity)
        furthest = now + timedelta(minutes=minutes) + LATE
        astray = Q(next_step_at__gt=furthest) | Q(next_step_at=None, severity__in=CALLING)
        held[minutes] |= Q(astray, ward=ward, acknowledged_at__isnull=False)
    return untaken, held


def _plans(ward_ids: Collection[int]) -> dict[int, list[Step]]:
    plans: dict[int, list[Step]] = defaultdict(list)
    for row in EscalationStep.objects.filter(ward__in=ward_ids).order_by("after_minutes"):
        plans[row.ward_id].append(row.step)
    return plans


def _rules(ward_ids: Collection[int]) -> dict[int, WardRules]:
    """The wards' rules; the shipped ones where a ward has set none."""
    return {ward: WardRules(ward_id=ward) for ward in ward_ids} | WardRules.objects.in_bulk(ward_ids)
