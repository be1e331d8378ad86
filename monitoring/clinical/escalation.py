"""Who is told next about an alert that nobody has taken, and when.

A plan is a ward's steps in the order of their times. The place in it is the number of steps taken so far; what is due after
the last one is the last one again, so that an alert that nobody takes never falls silent (docs/escalation.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from monitoring.clinical.limits import Severity


class Whom(StrEnum):
    """The people of the alert's ward that a step tells."""

    NURSES = "nurses"
    DOCTORS = "doctors"
    ON_DUTY = "on_duty"
    AT_BED = "at_bed"
    PERSON = "person"
    NOBODY = "nobody"  # the webhook alone


class Way(StrEnum):
    """How a person, or a machine, is told."""

    IN_APP = "in_app"
    EMAIL = "email"
    PUSH = "push"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Step:
    """After so many minutes without a hand on the alert, tell these people in these ways."""

    after: int  # minutes since the alert was raised, or came back
    severity: Severity  # the least one that it is for
    whom: Whom
    ways: frozenset[Way] = field(default_factory=frozenset)
    person_id: int | None = None
    endpoint_id: int | None = None
    key: int | None = None  # the stored row; None for a shipped step

    def is_for(self, severity: Severity) -> bool:
        return severity.rank >= self.severity.rank


# Where a ward has set nothing. Crisis at once, the rest within minutes; engineering figures (docs/escalation.md).
SHIPPED = (
    Step(0, Severity.WARNING, Whom.NURSES, frozenset({Way.IN_APP})),
    Step(5, Severity.CRITICAL, Whom.DOCTORS, frozenset({Way.IN_APP, Way.EMAIL})),
    Step(15, Severity.WARNING, Whom.NURSES, frozenset({Way.IN_APP})),
)
TAKEN_FOR = 30  # minutes that an acknowledgement holds while the alert stays active
REPEAT = 10  # minutes between two repetitions of the last step
LATEST = 24 * 60  # minutes: a later step would never be reached in anybody's shift


def escalates(severity: Severity) -> bool:
    """Info is shown on the board and calls nobody."""
    return severity is not Severity.INFO


def plan(steps: Sequence[Step], severity: Severity) -> Sequence[Step]:
    """The ward's own steps, or the shipped ones where it has none for this severity."""
    return steps if any(step.is_for(severity) for step in steps) else SHIPPED


def further(steps: Sequence[Step], severity: Severity, taken: int) -> int | None:
    """The place of the next step that was not taken yet; None when only the repetition of the last is left."""
    return next((place for place in range(taken, len(steps)) if steps[place].is_for(severity)), None)


def upcoming(steps: Sequence[Step], severity: Severity, taken: int) -> int:
    """The place of the step to take next: a further one, or the last one for this severity again."""
    place = further(steps, severity, taken)
    return max(at for at, step in enumerate(steps) if step.is_for(severity)) if place is None else place


def longest_wait(steps: Sequence[Step], severity: Severity, *, repeat: timedelta) -> timedelta:
    """Between two steps of an alert of this severity, or before the first: no step is ever planned further ahead."""
    times = [step.after for step in plan(steps, severity) if step.is_for(severity)]
    gaps = [late - early for early, late in zip([0, *times], times, strict=False)]
    return max(repeat, timedelta(minutes=max(gaps)))


def begins_at(steps: Sequence[Step], severity: Severity, *, now: datetime) -> datetime | None:
    """When the first step is due for an alert that begins to wait now."""
    if not escalates(severity):
        return None
    return now + timedelta(minutes=steps[upcoming(steps, severity, 0)].after)


def goes_on_at(
    steps: Sequence[Step], severity: Severity, place: int, *, planned: datetime, now: datetime, repeat: timedelta
) -> datetime:
    """When the next step is due once the step at `place`, planned for then, is taken now.

    Counted from the plan and not from now: a watcher that was late catches up and does not stretch the chain. Repetitions
    are counted from now, so that it does not catch up with those.
    """
    following = further(steps, severity, place + 1)
    if following is None:
        return now + repeat
    return planned + timedelta(minutes=steps[following].after - steps[place].after)
