"""What many readings come to in a stretch of time: of each sign the lowest and highest value, the mean and how many.

Totals are kept in hundredths, as values are: whole numbers add up to the same whatever their order, so that a mean of an hour
is the same from its minutes as from its readings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from monitoring.clinical.signs import Sign

MINUTE = timedelta(minutes=1)
BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)  # stretches are counted from here; nothing was measured before

# Of one sign: lowest, highest, total in hundredths, count; lowest, highest and total are None where the count is 0.
PARTS = ("min", "max", "total", "count")
Row = tuple[Any, ...]  # the parts of every sign, one after the other
NOTHING: Row = (None, None, None, 0) * len(Sign)
Span = tuple[datetime, datetime | None]  # from a time until before another, or without an end


def minute_of(at: datetime) -> datetime:
    """Its beginning."""
    return at.replace(second=0, microsecond=0)


def stretch_of(at: datetime, minutes: int) -> datetime:
    """The beginning of the stretch of so many minutes in which this time lies."""
    width = minutes * MINUTE
    return BEGINNING + (at - BEGINNING) // width * width


def whole(row: Sequence[Any]) -> Row:
    """As a database answers them, totals and counts may be of any kind of number."""
    return tuple(part if part is None or place % len(PARTS) < 2 else int(part) for place, part in enumerate(row))


def together(one: Row | None, other: Row) -> Row:
    """What both come to, of different readings."""
    if one is None:
        return other
    return tuple(part for pair in zip(_signs(one), _signs(other), strict=True) for part in _sum(*pair))


def mean(total: int, count: int) -> float:
    """To 0.01, as values are kept."""
    return (total + count // 2) // count / 100


def spans(minutes: Iterable[datetime]) -> list[tuple[datetime, datetime]]:
    """The whole minutes as spans, those that follow each other as one."""
    found: list[tuple[datetime, datetime]] = []
    for begin in sorted(set(minutes)):
        if found and found[-1][1] == begin:
            found[-1] = (found[-1][0], begin + MINUTE)
        else:
            found.append((begin, begin + MINUTE))
    return found


def joined(of: Iterable[Span]) -> list[Span]:
    """The same time in as few spans, in their order."""
    found: list[Span] = []
    for since, until in sorted(of, key=lambda span: span[0]):
        if found and (found[-1][1] is None or since <= found[-1][1]):
            found[-1] = (found[-1][0], _later(found[-1][1], until))
        else:
            found.append((since, until))
    return found


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return None if one is None or other is None else max(one, other)


def _signs(row: Row) -> Iterable[Row]:
    return (row[place : place + len(PARTS)] for place in range(0, len(row), len(PARTS)))


def _sum(one: Sequence[Any], other: Sequence[Any]) -> Sequence[Any]:
    if not one[3] or not other[3]:
        return one if one[3] else other
    return min(one[0], other[0]), max(one[1], other[1]), one[2] + other[2], one[3] + other[3]
