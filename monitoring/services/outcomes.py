"""What became of a message: sent, failed and tried again, or given up and then escalated."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import F, Max, QuerySet

from accounts.transactions import retried
from monitoring.clinical.escalation import Way
from monitoring.models import Alert, Delivery
from monitoring.services import escalation

MOST_ATTEMPTS = 5
FIRST_PAUSE = timedelta(seconds=5)  # doubled after every attempt: given up after about 75 s
SHORTEST = 0.8  # of a pause, by chance
LAST = timedelta(seconds=1)  # after those that only waited: when what was met with silence is tried again
AT_ONCE = 20  # rows given up in one transaction: each may have its whole ward told
MOVED = "the alert is another ward's by now"
DIED = "the sender died before it could say how it went"


@retried
def sent(rows: Sequence[Delivery], *, now: datetime) -> None:
    """Its severity is now the one that was told: what is no worse about the same subject waits a while."""
    end = {"state": Delivery.State.SENT, "sent_at": now, "next_attempt_at": None, "last_error": ""}
    for severity in {row.alert.severity for row in rows}:
        told = _ours([row for row in rows if row.alert.severity == severity])
        told.update(severity=severity, claim=None, **end)


@retried
def failed(rows: Sequence[Delivery], why: str, *, now: datetime, silent: bool = False) -> None:
    """Tried again after a pause; after the last attempt given up, and the alert's next step is due at once.

    Where the other side let us wait (`silent`), what else was due for it has failed with these: it would have waited as long.
    """
    chance = random.uniform(SHORTEST, 2 - SHORTEST)  # noqa: S311  (what failed together does not come back with others)
    until = _fail_others(rows, why, now=now) if silent and rows[0].channel != Way.PUSH else None
    over = [row for row in rows if row.attempts >= MOST_ATTEMPTS]
    for attempts in {row.attempts for row in rows} - {row.attempts for row in over}:
        again = until or now + _pause(attempts) * chance
        tried = _ours([row for row in rows if row.attempts == attempts])
        tried.update(state=Delivery.State.FAILED, next_attempt_at=again, claim=None, last_error=why[:300])
    if over and _ours(over).update(state=Delivery.State.GIVEN_UP, next_attempt_at=None, claim=None, last_error=why[:300]):
        _hurry(over, now)


@retried
def give_up(spent: QuerySet[Delivery], *, now: datetime) -> None:
    """Some of these rows, whose last attempt is behind them: in silence, or in the hands of a sender that died."""
    keys = list(spent.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
    still = Delivery.objects.filter(pk__in=keys, attempts__gte=MOST_ATTEMPTS, next_attempt_at__isnull=False)
    rows = list(still.select_for_update().order_by("pk"))
    whys = {row.pk: DIED if row.claim or not row.last_error else row.last_error for row in rows}
    for why in set(whys.values()):
        ended = Delivery.objects.filter(pk__in=[key for key in whys if whys[key] == why])
        ended.update(state=Delivery.State.GIVEN_UP, next_attempt_at=None, claim=None, last_error=why)
    _hurry(rows, now)


@retried
def withdrawn(rows: Sequence[Delivery], why: str, *, now: datetime) -> None:
    """Never to be sent. It reached nobody: the next step is due at once, unless the alert is another ward's by now."""
    end = {"state": Delivery.State.WITHDRAWN, "next_attempt_at": None, "claim": None, "last_error": why}
    if _ours(rows).update(attempts=F("attempts") - 1, **end):
        _hurry(rows, now)


def _fail_others(rows: Sequence[Delivery], why: str, *, now: datetime) -> datetime:
    """Counts the silence for all that was due with these rows, and puts off what was not yet. Gives the time to try these
    rows again, a little after the others: one message on which the other side chokes takes no other with it.

    A few statements, however many wait. What another sender is trying meanwhile counts for itself.
    """
    same = Delivery.objects.filter(channel=rows[0].channel, endpoint=rows[0].endpoint_id)
    due = same.filter(next_attempt_at__lte=now, attempts__lt=MOST_ATTEMPTS)
    waited = due.aggregate(most=Max("attempts"))["most"]
    pause = _pause(max(row.attempts for row in rows) if waited is None else max(waited + 1, *(row.attempts for row in rows)))
    pause *= random.uniform(SHORTEST, 1)  # noqa: S311
    same.filter(next_attempt_at__gt=now, next_attempt_at__lt=now + pause, claim=None).update(next_attempt_at=now + pause)
    counted = {"attempts": F("attempts") + 1, "state": Delivery.State.FAILED, "claim": None, "last_error": why[:300]}
    due.filter(attempts=MOST_ATTEMPTS - 1).update(next_attempt_at=now, **counted)  # `give_up` takes these, some at a time
    due.update(next_attempt_at=now + pause, **counted)
    return now + pause + LAST


def _pause(attempts: int) -> timedelta:
    return FIRST_PAUSE * 2 ** (min(attempts, MOST_ATTEMPTS - 1) - 1)


def _hurry(rows: Sequence[Delivery], now: datetime) -> None:
    """These messages reached nobody. Only what still waits for a hand in the ward that was told has a next step to hurry."""
    waiting = Alert.objects.open().filter(pk__in={row.alert_id for row in rows}, acknowledged_at=None)
    wards = dict(waiting.values_list("pk", "ward"))
    told = {(row.alert_id, row.step): row.created_at for row in rows if wards.get(row.alert_id) == row.ward_id}
    for (alert, step), at in told.items():
        escalation.hurry(alert, told_with=step, told_at=at, now=now)


def _ours(rows: Sequence[Delivery]) -> QuerySet[Delivery]:
    """Those of these rows, claimed together, whose claim nobody has taken over meanwhile."""
    return Delivery.objects.filter(pk__in=[row.pk for row in rows], claim=rows[0].claim)
