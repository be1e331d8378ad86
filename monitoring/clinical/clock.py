"""A device whose clock is wrong: three readings in a row with the same offset, and the offset is what is corrected.

A backlog is no wrong clock: what was measured over minutes arrives within seconds, so its device time runs ahead of ours, or
backwards. Nor is one reading that is sent again and again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

AHEAD = timedelta(seconds=30)  # a reading may lie so far in our future
BEHIND = timedelta(minutes=10)  # and so far in our past, and still be live
SAME = timedelta(seconds=5)  # offsets no further apart are the same
IN_A_ROW = 3
OUTPACES = timedelta(seconds=0.5)  # device time may run ahead of ours by the jitter of a network, not by that of a backlog


@dataclass(frozen=True, slots=True)
class Clock:
    """What is known of one sensor's clock while it is wrong: (ours, its own) of the last readings.

    `correction` in seconds is added to its times; None while it is not sure that the clock is wrong.
    """

    heard: tuple[tuple[datetime, datetime], ...] = ()
    correction: float | None = None


def is_plausible(said: datetime, received: datetime) -> bool:
    return -AHEAD <= received - said <= BEHIND


def hear(clock: Clock | None, said: datetime, received: datetime) -> Clock | None:
    """The clock after one more reading; None when it is right.

    A correction stays until it is wrong by more than SAME: what is sent again finds itself at the time it was given.
    """
    before = clock or Clock()
    if is_plausible(said, received) and not _is_known(before, received - said):
        return None
    return after(before, said, received)


def after(before: Clock, said: datetime, received: datetime) -> Clock:
    """What is known after one more reading that is out of time: by its offset, or because its time was taken long ago.

    The second betrays a clock that was set back by minutes only, whose readings fall onto those of before.
    """
    if any(said == its for _, its in before.heard):
        return before
    heard = (*before.heard, (received, said))[-IN_A_ROW:]
    measured = _correction(heard) if _agree(heard) else None
    known = before.correction
    if measured is None or (known is not None and abs(measured - known) <= SAME.total_seconds()):
        return Clock(heard, known)
    return Clock(heard, measured)


def _is_known(clock: Clock, offset: timedelta) -> bool:
    """The clock is still wrong by what was found, though by little."""
    return clock.correction is not None and abs(offset.total_seconds() - clock.correction) <= SAME.total_seconds()


def _agree(heard: tuple[tuple[datetime, datetime], ...]) -> bool:
    if len(heard) < IN_A_ROW or any(before >= after for (_, before), (_, after) in pairwise(heard)):
        return False
    offsets = [ours - its for ours, its in heard]
    (first, first_said), (last, last_said) = heard[0], heard[-1]
    return max(offsets) - min(offsets) <= SAME and last_said - first_said <= last - first + OUTPACES


def _correction(heard: tuple[tuple[datetime, datetime], ...]) -> float:
    """The smallest offset: the others were longer on their way."""
    return min(ours - its for ours, its in heard).total_seconds()


def phrase(sensor: str, correction: float) -> str:
    """`clock of M7 is 61 min behind`."""
    minutes = round(abs(correction) / 60)
    span = f"{minutes} min" if minutes else f"{round(abs(correction))} s"
    if minutes > 48 * 60:
        span = f"{round(minutes / 60 / 24)} days"
    return f"clock of {sensor} is {span} {'behind' if correction > 0 else 'ahead'}"
