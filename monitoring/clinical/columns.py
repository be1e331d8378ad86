"""The columns of a printed chart: a time cut into stretches of the same width, by the clock on the wall."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

MOST = 25  # columns of a chart: a day by the hour, whenever it begins
ON_A_SHEET = 13  # each wide enough for `118–142` in letters that can be read
MINUTE = timedelta(minutes=1)
WIDTHS = tuple(MINUTE * each for each in (1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 480, 720, 1440))
MIDNIGHT = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Column:
    """Since its beginning, and before its end."""

    since: datetime
    until: datetime


def cut(since: datetime, until: datetime, *, offset: timedelta) -> list[Column]:
    """At most MOST columns of the narrowest width that will do, from round times of the clock that is `offset` from UTC.

    The first and the last one are cut off where the time begins and ends. Raises ValueError for more than some 24 days.
    """
    for width in WIDTHS:
        first = since - (since + offset - MIDNIGHT) % width
        count = -((first - until) // width)
        if count <= MOST:
            edges = [first + width * place for place in range(count + 1)]
            return [Column(max(begins, since), min(ends, until)) for begins, ends in pairwise(edges)]
    raise ValueError(f"{until - since} is too long for {MOST} columns.")


def sheets(columns: list[Column]) -> list[slice]:
    """Which columns stand on which sheet: as many on each as on the others, as far as that goes."""
    count = -(-len(columns) // ON_A_SHEET)
    each = -(-len(columns) // count)
    return [slice(begin, begin + each) for begin in range(0, len(columns), each)]
