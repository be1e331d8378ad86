"""Published charts as tables: a value is rounded to the chart's resolution, then stands in exactly one band."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

from monitoring.clinical.scores.observations import Number

WHOLE = Decimal(1)
TENTH = Decimal("0.1")
HUNDREDTH = Decimal("0.01")


def rounded(value: Number, resolution: Decimal) -> Decimal:
    """Half up, from the value as it is written: 38.05 becomes 38.1 though its float is a little less."""
    return Decimal(str(value)).quantize(resolution, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Chart:
    """One row of a chart: each step is the lowest value of a band and its points, from below; the last band is open."""

    resolution: Decimal
    steps: tuple[tuple[Decimal, int], ...]

    def points(self, value: Number) -> int:
        at = rounded(value, self.resolution)
        return next(points for lowest, points in reversed(self.steps) if lowest <= at)


def chart(resolution: Decimal, *steps: tuple[int | str, int]) -> Chart:
    """Steps as printed; the lowest band begins at 0, which is the least that anything measures."""
    edges = tuple((Decimal(lowest), points) for lowest, points in steps)
    if not edges or edges[0][0] != 0 or any(low >= high for (low, _), (high, _) in pairwise(edges)):
        raise ValueError(f"A chart begins at 0 and rises: {steps}")
    return Chart(resolution, edges)
