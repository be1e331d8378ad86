"""What leaves together, so that a flood from one patient or one device is a few messages and none is lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

from accounts.transactions import retried
from monitoring.clinical.escalation import Way
from monitoring.clinical.limits import Severity
from monitoring.models import Delivery

HOLD = timedelta(seconds=30)  # after a message about a subject, further ones about it wait for one another
LATELY = timedelta(minutes=10)  # longer than a message waits and fails: what was sent a moment ago was written since then
MOST = 50  # deliveries in one message
# Of a set for a machine that has failed so many times: first the very same again, then smaller ones, then each alone, so
# that one alert on which the receiver chokes takes no other with it.
MOST_AFTER = {1: MOST, 2: 10}


class Told(NamedTuple):
    """The last message about a subject."""

    rank: int
    at: datetime


def leaving(first: Delivery, due: QuerySet[Delivery], *, now: datetime) -> list[int]:
    """The keys of what leaves with the longest due message. None, if all of it has to wait: then it is put off."""
    same = due.filter(**_to(first)).order_by("next_attempt_at", "pk")
    if first.channel == Way.WEBHOOK and first.attempts:
        again = same.filter(attempts=first.attempts, next_attempt_at=first.next_attempt_at)
        return list(again.values_list("pk", flat=True)[: MOST_AFTER.get(first.attempts, 1)])
    if first.channel == Way.WEBHOOK:
        same = same.filter(attempts=0)
    rows = list(same.values_list("pk", "alert__subject", "alert__severity")[:MOST])
    told = _told(first, now)
    if not any(_is_news(told.get(subject), severity) for _, subject, severity in rows):
        for subject in {subject for _, subject, _ in rows}:
            _put_off([key for key, about, _ in rows if about == subject], until=told[subject].at + HOLD, now=now)
        return []
    waiting = Delivery.objects.filter(held(now), **_to(first)).order_by("pk").values_list("pk", flat=True)
    return [key for key, *_ in rows] + list(waiting[: MOST - len(rows)])


def held(now: datetime) -> Q:
    """What only waits for others about its subject: it leaves earlier with whatever does."""
    waits = Q(next_attempt_at__gt=now, next_attempt_at__lte=now + HOLD)
    return waits & Q(state=Delivery.State.WAITING, claim=None)


def _told(first: Delivery, now: datetime) -> dict[str, Told]:
    """What this recipient was told about each subject a moment ago."""
    left = Delivery.objects.filter(state=Delivery.State.SENT, sent_at__gt=now - HOLD, sent_at__lte=now, **_to(first))
    told: dict[str, Told] = {}
    for subject, severity, at in left.filter(created_at__gt=now - LATELY).values_list("alert__subject", "severity", "sent_at"):
        assert at is not None
        rank, last = told.get(subject, Told(0, at))
        told[subject] = Told(max(rank, Severity(severity).rank), max(last, at))
    return told


def _is_news(told: Told | None, severity: str) -> bool:
    return told is None or Severity(severity).rank > told.rank


@retried
def _put_off(keys: Sequence[int], *, until: datetime, now: datetime) -> None:
    waiting = {"state": Delivery.State.WAITING, "claim": None}
    Delivery.objects.due(now).filter(pk__in=keys).update(next_attempt_at=until, **waiting)


def _to(row: Delivery) -> dict[str, Any]:
    """The same recipient in the same way about the same ward."""
    return {"channel": row.channel, "user": row.user_id, "endpoint": row.endpoint_id, "ward": row.ward_id}
