"""What became of a message: sent, failed and tried again, or given up and then escalated."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import F, QuerySet

from monitoring.clinical.escalation import Way
from monitoring.models import Delivery
from monitoring.services import escalation
from monitoring.services.transactions import retried

MOST_ATTEMPTS = 5
FIRST_PAUSE = timedelta(seconds=5)  # doubled after every attempt: given up after about 75 s
SHORTEST = 0.8  # of a pause, by chance
MOVED = "the alert is another ward's by now"
DIED = "the sender died before it could say how it went"


@retried
def sent(rows: Sequence[Delivery], *, now: datetime) -> None:
    for row in rows:
        _still_ours(row).update(state=Delivery.State.SENT, sent_at=now, next_attempt_at=None, claim=None, last_error="")


@retried
def failed(rows: Sequence[Delivery], why: str, *, now: datetime) -> None:
    """Tried again after a pause; after the last attempt given up, and the alert's next step is due at once."""
    for row in rows:
        over = row.attempts >= MOST_ATTEMPTS
        recorded = _still_ours(row).update(
            state=Delivery.State.GIVEN_UP if over else Delivery.State.FAILED,
            next_attempt_at=None if over else now + pause_after(row.attempts),
            claim=None,
            last_error=why[:300],
        )
        if recorded and over:
            escalation.hurry(row.alert_id, told_with=row.step, told_at=row.created_at, now=now)


@retried
def withdrawn(rows: Sequence[Delivery], why: str, *, now: datetime) -> None:
    """Never to be sent. It reached nobody: the next step is due at once, unless the alert is another ward's by now."""
    ours = Delivery.objects.filter(pk__in=[row.pk for row in rows], claim=rows[0].claim)
    end = {"state": Delivery.State.WITHDRAWN, "next_attempt_at": None, "claim": None, "last_error": why}
    if ours.update(attempts=F("attempts") - 1, **end) and why != MOVED:
        for row in rows:
            escalation.hurry(row.alert_id, told_with=row.step, told_at=row.created_at, now=now)


@retried
def put_off_others(row: Delivery, *, now: datetime) -> None:
    """What else waits for this endpoint, or for the mail server, is due shortly before the row is: meanwhile others go first.

    A push is not put off: each browser has a push service of its own.
    """
    if row.channel == Way.PUSH:
        return
    until = now + FIRST_PAUSE * 2 ** (min(row.attempts, MOST_ATTEMPTS - 1) - 1) * SHORTEST
    waiting = Delivery.objects.filter(next_attempt_at__lt=until, claim=None)
    waiting.filter(channel=row.channel, endpoint=row.endpoint_id).update(next_attempt_at=until)


def pause_after(attempts: int) -> timedelta:
    """Longer and longer, and a little by chance, so that what failed together does not come back together."""
    return FIRST_PAUSE * 2 ** (attempts - 1) * random.uniform(SHORTEST, 2 - SHORTEST)  # noqa: S311  (spreads, hides nothing)


def _still_ours(row: Delivery) -> QuerySet[Delivery]:
    return Delivery.objects.filter(pk=row.pk, claim=row.claim)
