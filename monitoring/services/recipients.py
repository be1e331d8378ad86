"""Whom a step of the escalation reaches now, and in which ways: as deliveries to be written."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from django.db.models import QuerySet

from accounts import access
from accounts.models import Membership, User, Ward
from monitoring.clinical.escalation import Step, Way, Whom
from monitoring.models import Alert, Delivery, PushSubscription, Shift, WebhookEndpoint
from monitoring.services.channels import available

BY_SHIFT = frozenset({Whom.ON_DUTY, Whom.AT_BED})
ROLES = {Whom.NURSES: Membership.Role.NURSE, Whom.DOCTORS: Membership.Role.DOCTOR}


def people(step: Step, ward: Ward | int, *, now: datetime, admission: int | None = None) -> list[User]:
    """The people that this step names, those who are active; possibly nobody. Who has the bed: that of this stay."""
    if step.whom in ROLES:
        return list(access.staff(ward, ROLES[step.whom], now=now).order_by("pk"))
    if step.whom in BY_SHIFT:
        on_duty = Shift.objects.on_duty(now).filter(ward=ward)
        at_bed = on_duty.filter(beds__placements__admission=admission, beds__placements__is_open=True)
        if step.whom is Whom.AT_BED and admission and (found := _on(at_bed, ward, now)):
            return found
        return _on(on_duty, ward, now)
    if step.whom is Whom.PERSON:
        return list(access.staff(ward, now=now).filter(pk=step.person_id or 0))
    return []


def _on(shifts: QuerySet[Shift], ward: Ward | int, now: datetime) -> list[User]:
    return list(access.staff(ward, now=now).filter(pk__in=shifts.values("user")).order_by("pk"))


def deliveries(step: Step, alert: Alert, *, now: datetime) -> tuple[list[Delivery], str]:
    """The rows that this step writes, and a sentence on whom it tells. None when nobody at all can be told.

    Where nobody is found whom the step names, everybody who treats patients in the ward is told in MedQL instead: a machine
    that is told beside them is no person.
    """
    named = people(step, alert.ward_id, now=now, admission=alert.admission_id)
    machine = [*_to_machine(step, alert, now)]
    if named or (machine and step.whom is Whom.NOBODY):
        return [*_to_people(step, named, alert, now), *machine], _sentence(step, len(named))
    others = _whole_ward(alert.ward_id, now)
    rows = [*(written(alert, user=person, way=Way.IN_APP, now=now) for person in others), *machine]
    if others:
        return rows, f"{_named(step)} not found: told all {len(others)} of the ward"
    return rows, f"nobody could be reached: {_named(step)}" + (", but the webhook" if machine else "")


def rest_of_ward(alert: Alert, step: int, *, since: datetime, now: datetime) -> list[Delivery]:
    """A notice to everybody who treats patients in the ward and has none of this step, taken then."""
    told = Delivery.objects.filter(alert=alert, step=step, channel=Way.IN_APP.value, created_at__gte=since)
    has_one = set(told.values_list("user", flat=True))
    rows = [written(alert, user=person, way=Way.IN_APP, now=now) for person in _whole_ward(alert.ward_id, now)]
    for row in rows:
        row.step = step
    return [row for row in rows if row.user_id not in has_one]


def written(
    alert: Alert, *, way: Way, now: datetime, user: User | int | None = None, endpoint_id: int | None = None
) -> Delivery:
    """A delivery that begins now. One inside MedQL has arrived when it is written."""
    arrived = way is Way.IN_APP
    return Delivery(
        alert=alert,
        ward_id=alert.ward_id,
        step=alert.escalation_step,
        severity=alert.severity,
        channel=way.value,
        user_id=user.pk if isinstance(user, User) else user,
        endpoint_id=endpoint_id,
        state=Delivery.State.SENT if arrived else Delivery.State.WAITING,
        created_at=now,
        sent_at=now if arrived else None,
        next_attempt_at=None if arrived else now,
    )


def _to_people(step: Step, named: list[User], alert: Alert, now: datetime) -> Iterator[Delivery]:
    ways = set(step.ways - {Way.WEBHOOK})
    if step.key is None:  # a shipped step speaks in the ways that this installation has
        ways = {way for way in ways if available(way)}
    calls = _have_browsers(named) if Way.PUSH in ways else frozenset()
    for person in named:
        open_to = [way for way in Way if way in ways and (way is not Way.PUSH or person.pk in calls)]
        for way in open_to or [Way.IN_APP]:
            yield written(alert, user=person, way=way, now=now)


def _to_machine(step: Step, alert: Alert, now: datetime) -> Iterator[Delivery]:
    if step.endpoint_id and WebhookEndpoint.objects.filter(pk=step.endpoint_id, is_active=True).exists():
        yield written(alert, endpoint_id=step.endpoint_id, way=Way.WEBHOOK, now=now)


def _have_browsers(named: Collection[User]) -> frozenset[int]:
    return frozenset(PushSubscription.objects.filter(user__in=named).values_list("user", flat=True))


def _whole_ward(ward_id: int, now: datetime) -> list[User]:
    return list(access.staff(ward_id, *ROLES.values(), now=now).order_by("pk"))


def _named(step: Step) -> str:
    return step.whom.value.replace("_", " ")


def _sentence(step: Step, count: int) -> str:
    ways = ", ".join(way.value.replace("_", " ") for way in Way if way in step.ways)
    return f"{_named(step)} ({count}): {ways}" if step.whom is not Whom.NOBODY else ways
