"""What has to happen though no reading comes: small steps, taken in turn by a watcher for as long as it lives.

A step does one piece of work and says whether there was any. It claims its work by a conditional update, so that two
watchers do no harm.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from django.db import close_old_connections
from django.db.models.functions import Now

from accounts import old_sessions, old_tokens
from accounts.transactions import retried
from monitoring.models import WatcherBeat
from monitoring.services import auditing, deliveries, escalation, faults, summaries, technical, thresholds

log = logging.getLogger(__name__)

MISSED_AFTER = timedelta(seconds=15)  # without a beat: nobody watches (static/board.js says it on the board)
BEATS_KEPT = timedelta(days=1)
ROUNDS = 20  # in a turn: more work than that waits for the next one


class Step(Protocol):
    @property
    def __name__(self) -> str: ...

    def __call__(self, *, now: datetime) -> bool: ...


@dataclass
class Tally:
    """What turns came to. `ended` counts steps, well or not: it stands still when one hangs, and `at` says which."""

    turns: int = 0
    ended: int = 0
    failures: int = 0
    failing: set[str] = field(default_factory=set)
    at: str = ""


def tidy(*, now: datetime) -> bool:
    """Forget watchers that have not beaten for a day."""
    old = WatcherBeat.objects.filter(beat_at__lt=now - BEATS_KEPT)
    if not old.exists():  # a write that finds nothing would still be one
        return False
    gone, _ = old.delete()
    return gone > 0


# Taken one after the other, about once a second: alarms wait for these, so none may wait for anybody else's server.
STEPS: tuple[Step, ...] = (
    technical.look_around,
    technical.end_lost_links,
    escalation.pull_back,
    escalation.advance,
    escalation.return_leavers,
    thresholds.expire_due,
    tidy,
    old_tokens.forget,
    old_sessions.forget,
)
# Each in a thread of its own: it waits for somebody else's server, and a push service that hangs must hold up no e-mail.
SLOW_STEPS: tuple[Step, ...] = (deliveries.send_mail, deliveries.send_pushes, deliveries.send_webhooks)
# In a thread of their own: what the house does for itself. When one fails every board still tells the truth, so none says
# NO WATCHER; whoever runs MedQL is told in other ways.
HOUSE_STEPS: tuple[Step, ...] = (auditing.seal, auditing.notice_lateness, faults.tell, summaries.fill)


def turn(*, clock: Callable[[], datetime], steps: Sequence[Step] | None = None, tally: Tally | None = None) -> Tally:
    """Take every step until none finds work, at most ROUNDS times; one that fails is told, counted and waits for the next.

    The clock is asked before each step: one may wait for somebody else's server, and what the next one claims and plans
    must count from then.
    """
    tally = tally or Tally()
    going = list(STEPS if steps is None else steps)
    for _ in range(ROUNDS):
        found = [_take(step, now=clock(), tally=tally) for step in going]
        going = [step for step in going if name_of(step) not in tally.failing]
        if not any(found):
            break
    tally.turns += 1
    return tally


@retried
def beat(name: str, *, started_at: datetime, tallies: Sequence[Tally]) -> None:
    """Write that this watcher lives and which of its steps fail. The time is the database's: see WatcherBeat.aged."""
    failing = sorted(step for tally in tallies for step in tally.failing)
    of_house = {name_of(step) for step in HOUSE_STEPS}
    WatcherBeat.objects.update_or_create(
        name=name,
        defaults={
            "started_at": started_at,
            "beat_at": Now(),
            "turns": sum(tally.turns for tally in tallies),
            "failures": sum(tally.failures for tally in tallies),
            "failing": ",".join(step for step in failing if step not in of_house)[:200],
            "failing_in_house": ",".join(step for step in failing if step in of_house)[:200],
        },
    )


def name_of(step: Step) -> str:
    """`watching.tidy`: the noun and the verb."""
    return f"{step.__module__.rpartition('.')[2]}.{step.__name__}"


def _take(step: Step, *, now: datetime, tally: Tally) -> bool:
    name = tally.at = name_of(step)
    try:
        found = step(now=now)
    except Exception:  # whatever it raises: the other steps go on
        tally.failures += 1
        if name not in tally.failing:  # a step that fails every second is told once
            log.exception("the step %s failed; the others go on", name)
        tally.failing.add(name)
        close_old_connections()  # a connection that broke under it must not fail the next one too
        return False
    finally:
        tally.ended += 1
        tally.at = ""
    if name in tally.failing:
        log.warning("the step %s works again", name)
        tally.failing.discard(name)
    return found
