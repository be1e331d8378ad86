"""Sends what was written to be sent: at least once, with patience, and with its outcome kept.

A row is claimed, sent outside of any transaction, and its outcome recorded. A sender that dies in between leaves a claim
that runs out; the row is then due again, and may arrive twice under the same id.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import F, QuerySet

from accounts import audit
from accounts.models import Deed, Membership, User
from accounts.transactions import retried
from monitoring.clinical.escalation import Way
from monitoring.models import Delivery
from monitoring.services import bundles, outcomes
from monitoring.services.channels import Failed, Sending, email, push, webhook
from monitoring.services.channels.notice import has_moved

log = logging.getLogger(__name__)

CLAIM = timedelta(seconds=60)  # longer than DEADLINE and the writes around it
NAMED = 100  # of what was sent again, in the audit
DEADLINE = 8.0  # seconds for a whole message, however slowly the other side speaks

CHANNELS: dict[str, Callable[[Sequence[Delivery]], Sending]] = {
    Way.EMAIL: email.prepare,
    Way.PUSH: push.prepare,
    Way.WEBHOOK: webhook.prepare,
}


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


@transaction.atomic
def send_again(rows: QuerySet[Delivery], *, by: User, now: datetime) -> int:
    """Give messages that failed all their attempts anew, from now on. Returns how many there were."""
    unsent = rows.filter(state__in=[Delivery.State.FAILED, Delivery.State.GIVEN_UP], channel__in=list(CHANNELS))
    keys = list(unsent.values_list("pk", flat=True))
    if keys:
        told = {"count": len(keys), "first": keys[:NAMED]}
        audit.record(Deed.SENT_AGAIN, by=by, at=now, about="deliveries", detail=told)
    return unsent.filter(pk__in=keys).update(state=Delivery.State.WAITING, attempts=0, next_attempt_at=now, claim=None)


def see(keys: Collection[int], *, at: datetime) -> None:
    """The person whose notices these are has seen them; the first time counts."""
    Delivery.objects.filter(pk__in=keys, seen_at=None).update(seen_at=at)


def _send(way: str, now: datetime) -> bool:
    due = Delivery.objects.due(now).filter(channel=way)
    first = due.order_by("next_attempt_at", "attempts", "pk").first()
    if first is None:
        return False
    if first.attempts >= outcomes.MOST_ATTEMPTS:
        outcomes.give_up(due.filter(attempts__gte=outcomes.MOST_ATTEMPTS), now=now)
        return True
    keys = bundles.leaving(first, due.filter(attempts__lt=outcomes.MOST_ATTEMPTS), now=now)
    if rows := _still_wanted(_claimed(keys, uuid4(), now=now), now):
        _try(rows, now=now)
    return True


@retried
def _claimed(ids: Sequence[int], token: UUID, *, now: datetime) -> list[Delivery]:
    """Of these rows the ones that nobody else has claimed meanwhile: ours until the claim runs out."""
    free = Delivery.objects.due(now) | Delivery.objects.filter(bundles.held(now))
    free = free.filter(pk__in=ids, attempts__lt=outcomes.MOST_ATTEMPTS)
    if not free.update(claim=token, next_attempt_at=now + CLAIM, attempts=F("attempts") + 1):
        return []
    mine = Delivery.objects.filter(pk__in=ids, claim=token).order_by("pk")
    return list(mine.select_related("alert__ward", "alert__device", "user", "endpoint"))


def _still_wanted(rows: Sequence[Delivery], now: datetime) -> list[Delivery]:
    """Those of these rows that may leave. What is no longer for its recipient to know is withdrawn."""
    present = Membership.objects.in_force(now).filter(
        user__in={row.user_id for row in rows}, ward__in={row.ward_id for row in rows}
    )
    members = set(present.values_list("user", "ward"))
    unwanted = {row.pk: _why_unwanted(row, members) for row in rows}
    for why in sorted(set(unwanted.values()) - {""}):
        outcomes.withdrawn([row for row in rows if unwanted[row.pk] == why], why, now=now)
    return [row for row in rows if not unwanted[row.pk]]


def _why_unwanted(row: Delivery, members: Collection[tuple[int, int]]) -> str:
    """Why this message must not leave, as it stands now; empty: it may."""
    if has_moved(row):
        return outcomes.MOVED
    if row.user and not row.user.is_active:
        return "the person is no longer active"
    if row.user and (row.user.pk, row.ward_id) not in members:
        return "the person is no longer a member of the ward"
    if row.endpoint and not row.endpoint.is_active:
        return "the webhook is switched off"
    if row.endpoint and row.endpoint.ward_id != row.ward_id:
        return "the webhook is another ward's by now"
    return ""


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
        outcomes.failed(rows, why, now=now, silent=silent)
    else:
        outcomes.sent(rows, now=now)


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


def _is_silence(failed: BaseException | None) -> bool:
    """Whether the other side let us wait: what else goes there would wait as long, and hold up everybody behind it."""
    while failed and not isinstance(failed, TimeoutError):
        failed = failed.__cause__ or failed.__context__
    return failed is not None
