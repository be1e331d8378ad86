"""Sends what was written to be sent: at least once, with patience, and with its outcome kept.

A row is claimed, sent outside of any transaction, and its outcome recorded. A sender that dies in between leaves a claim
that runs out; the row is then due again, and may arrive twice under the same id.
"""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db.models import F, QuerySet

from monitoring.clinical.escalation import Way
from monitoring.models import Delivery
from monitoring.services import escalation
from monitoring.services.channels import Failed, Sending, email, push, webhook
from monitoring.services.transactions import retried

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 5
FIRST_PAUSE = timedelta(seconds=5)  # doubled after every attempt: given up after about 75 s
SHORTEST = 0.8  # of a pause, by chance
CLAIM = timedelta(seconds=60)  # longer than DEADLINE and the writes around it
DEADLINE = 8.0  # seconds for a whole message, however slowly the other side speaks
FURTHEST = timedelta(minutes=2)  # no attempt is planned that far ahead: one that is, was planned before our clock was set back
BUNDLE = 50  # due messages to one person about one ward that leave as one
DIED = "the sender died before it could say how it went"

CHANNELS: dict[str, Callable[[Sequence[Delivery]], Sending]] = {
    Way.EMAIL: email.prepare,
    Way.PUSH: push.prepare,
    Way.WEBHOOK: webhook.prepare,
}
BUNDLED = {Way.EMAIL, Way.PUSH}


def send_mail(*, now: datetime) -> bool:
    """Send the longest due e-mail, if there is any."""
    return _send(Way.EMAIL, now)


def send_pushes(*, now: datetime) -> bool:
    """Call the browsers of the person who has waited longest for it, if anybody has."""
    return _send(Way.PUSH, now)


def send_webhooks(*, now: datetime) -> bool:
    """Send the longest due message to a machine, if there is any."""
    return _send(Way.WEBHOOK, now)


def send_due(*, now: datetime) -> bool:
    """The longest due message of every way, one after the other, for whoever has one thread only."""
    return any([_send(way, now) for way in CHANNELS])


def send_again(rows: QuerySet[Delivery], *, now: datetime) -> int:
    """Give messages that failed all their attempts anew, from now on. Returns how many there were."""
    unsent = rows.filter(state__in=[Delivery.State.FAILED, Delivery.State.GIVEN_UP], channel__in=list(CHANNELS))
    return unsent.update(state=Delivery.State.WAITING, attempts=0, next_attempt_at=now, claim=None)


def see(keys: Collection[int], *, at: datetime) -> None:
    """The person whose notices these are has seen them; the first time counts."""
    Delivery.objects.filter(pk__in=keys, seen_at=None).update(seen_at=at)


def pause_after(attempts: int) -> timedelta:
    """Longer and longer, and a little by chance, so that what failed together does not come back together."""
    return FIRST_PAUSE * 2 ** (attempts - 1) * random.uniform(SHORTEST, 2 - SHORTEST)  # noqa: S311  (spreads, hides nothing)


def _send(way: str, now: datetime) -> bool:
    due = _due(now).filter(channel=way)
    first = due.order_by("next_attempt_at", "attempts", "pk").first()
    if first is None:
        return False
    rows = _claimed(_with_its_bundle(first, due), uuid4(), now=now)
    spent = [row for row in rows if row.attempts > MOST_ATTEMPTS]
    fresh = [row for row in rows if row.attempts <= MOST_ATTEMPTS]
    if spent:
        _record_failure(spent, DIED, now=now)
    if fresh:
        _try(fresh, now=now)
    return True


def _due(now: datetime) -> QuerySet[Delivery]:
    return Delivery.objects.due(now) | Delivery.objects.filter(next_attempt_at__gt=now + FURTHEST)


def _with_its_bundle(first: Delivery, due: QuerySet[Delivery]) -> list[int]:
    if first.channel not in BUNDLED:
        return [first.pk]
    same = due.filter(user=first.user_id, ward=first.ward_id)
    return list(same.order_by("next_attempt_at", "pk").values_list("pk", flat=True)[:BUNDLE])


@retried
def _claimed(ids: Sequence[int], token: UUID, *, now: datetime) -> list[Delivery]:
    """Of these rows the ones that nobody else has claimed meanwhile: ours until the claim runs out."""
    free = _due(now).filter(pk__in=ids)
    if not free.update(claim=token, next_attempt_at=now + CLAIM, attempts=F("attempts") + 1):
        return []
    mine = Delivery.objects.filter(pk__in=ids, claim=token).order_by("pk")
    return list(mine.select_related("alert__ward", "alert__device", "user", "endpoint"))


def _try(rows: Sequence[Delivery], *, now: datetime) -> None:
    began = time.monotonic()  # a stopwatch: the other side may take seconds, and the pause begins when it has failed
    why, silent = "", False
    try:
        sending = CHANNELS[rows[0].channel](rows)
        try:
            _in_time(sending.run)
        finally:
            sending.after()
    except Failed as failed:
        why, silent = str(failed), _is_silence(failed)
    except Exception as fault:
        log.exception("deliveries %s were not sent by a fault of our own", [row.pk for row in rows])
        why = f"a fault in MedQL: {type(fault).__name__}"
    now += timedelta(seconds=time.monotonic() - began)
    if why:
        _record_failure(rows, why, now=now)
        if silent:
            _put_off_others(rows[0], now=now)
    else:
        _record_success(rows, now=now)


def _in_time(run: Callable[[], None]) -> None:
    """Waits DEADLINE for a message: each call to the network has its own limit, and a slow talker many calls."""
    outcome: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()

    def told() -> None:
        try:
            run()
        except Exception as error:
            outcome.put(error)
        else:
            outcome.put(None)

    threading.Thread(target=told, name="delivery", daemon=True).start()
    try:
        error = outcome.get(timeout=DEADLINE)
    except queue.Empty:
        raise Failed(f"not done within {DEADLINE:g} s") from TimeoutError()
    if error is not None:
        raise error


@retried
def _record_success(rows: Sequence[Delivery], *, now: datetime) -> None:
    for row in rows:
        _still_ours(row).update(state=Delivery.State.SENT, sent_at=now, next_attempt_at=None, claim=None, last_error="")


@retried
def _record_failure(rows: Sequence[Delivery], why: str, *, now: datetime) -> None:
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


def _is_silence(failed: BaseException | None) -> bool:
    """Whether the other side let us wait: what else goes there would wait as long, and hold up everybody behind it."""
    while failed and not isinstance(failed, TimeoutError):
        failed = failed.__cause__ or failed.__context__
    return failed is not None


@retried
def _put_off_others(row: Delivery, *, now: datetime) -> None:
    """What else waits for this endpoint, or for the mail server, is due shortly before the row is: meanwhile others go first.

    A push is not put off: each browser has a push service of its own.
    """
    if row.channel == Way.PUSH:
        return
    until = now + FIRST_PAUSE * 2 ** (min(row.attempts, MOST_ATTEMPTS - 1) - 1) * SHORTEST
    waiting = Delivery.objects.filter(next_attempt_at__lt=until, claim=None)
    waiting.filter(channel=row.channel, endpoint=row.endpoint_id).update(next_attempt_at=until)


def _still_ours(row: Delivery) -> QuerySet[Delivery]:
    return Delivery.objects.filter(pk=row.pk, claim=row.claim)
