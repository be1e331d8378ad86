"""The NEWS2 observation chart as it is printed: each parameter a strip of bands, with the points that the score gives them.

After the chart of the Royal College of Physicians 2017, whose finer bands show where within a score a value lies. The points
are asked of the score itself, so that paper and score cannot differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from monitoring.clinical.scores import news2
from monitoring.clinical.scores.chart import TENTH, WHOLE, Chart, rounded
from monitoring.clinical.scores.observations import ACVPU, Number
from monitoring.clinical.signs import Sign

ON_AIR, ON_OXYGEN, UNKNOWN = "air", "O₂", "not known"
GIVEN = {False: ON_AIR, True: ON_OXYGEN, None: UNKNOWN}
WORDS = dict(zip(ACVPU, ("Alert", "Confusion", "Voice", "Pain", "Unresponsive"), strict=True))
BRIGHT_FROM = Decimal(93)  # on scale 2 a saturation of so much and more is scored by whether oxygen is given


@dataclass(frozen=True, slots=True)
class Band:
    """One row: the lowest value of it and its points. `only`: of saturations on scale 2, by whether oxygen is given.

    Where that is not known a saturation that it would tell apart has no points, as in the score.
    """

    label: str
    lowest: Decimal
    points: int | None
    only: str = ""

    def takes(self, on_oxygen: bool | None) -> bool:
        return self.only in ("", GIVEN[on_oxygen])


@dataclass(frozen=True, slots=True)
class Strip:
    """The bands of one sign, from above."""

    sign: Sign
    label: str
    unit: str
    resolution: Decimal
    bands: tuple[Band, ...]

    @property
    def tells_oxygen(self) -> bool:
        """Whether the row of a value depends on whether oxygen is given."""
        return any(band.only for band in self.bands)

    def place(self, value: Number, *, on_oxygen: bool | None = None) -> int:
        """The row of a value, from above."""
        at = rounded(value, self.resolution)
        return next(row for row, band in enumerate(self.bands) if band.lowest <= at and band.takes(on_oxygen))

    def spelt(self, value: Number) -> str:
        """As finely as the bands are labelled: `39.0`, since `39` would be a reading of whole degrees."""
        return str(rounded(value, self.resolution))


def strips(scale: int) -> tuple[Strip, ...]:
    """The strips of the signs in the order of the chart, with the saturation on its scale (1 or 2)."""
    spo2 = _scale_2() if scale == 2 else _bands(news2.SPO2_SCALE_1, 96, 94, 92, 0)
    breath = _bands(news2.RESPIRATORY_RATE, 25, 21, 18, 15, 12, 9, 0)
    systolic = _bands(news2.SYSTOLIC, 220, 201, 181, 161, 141, 121, 111, 101, 91, 81, 71, 61, 51, 0)
    pulse = _bands(news2.PULSE, 131, 121, 111, 101, 91, 81, 71, 61, 51, 41, 31, 0)
    temperature = _bands(news2.TEMPERATURE, "39.1", "38.1", "37.1", "36.1", "35.1", 0)
    return (
        Strip(Sign.RESPIRATORY_RATE, "Respirations", "/min", WHOLE, breath),
        Strip(Sign.SPO2, f"SpO₂ scale {scale}", "%", WHOLE, spo2),
        Strip(Sign.SYSTOLIC_BP, "Systolic", "mmHg", WHOLE, systolic),
        Strip(Sign.HEART_RATE, "Pulse", "/min", WHOLE, pulse),
        Strip(Sign.BODY_TEMP, "Temperature", "°C", TENTH, temperature),
    )


def _bands(points: Chart, *lowest: int | str) -> tuple[Band, ...]:
    edges = [Decimal(edge) for edge in lowest]
    return tuple(Band(_label(edges, row, points.resolution), edge, points.points(edge)) for row, edge in enumerate(edges))


def _label(edges: Sequence[Decimal], row: int, resolution: Decimal) -> str:
    """`≥ 25`, `21–24`, `≤ 8`."""
    if row == 0:
        return f"≥ {edges[row]}"
    highest = edges[row - 1] - resolution
    return f"≤ {highest}" if edges[row] == 0 else f"{edges[row]}–{highest}"


def _scale_2() -> tuple[Band, ...]:
    air, oxygen = news2.SPO2_SCALE_2_AIR, news2.SPO2_SCALE_2_OXYGEN
    bright = [("≥ 97 on O₂", 97), ("95–96 on O₂", 95), ("93–94 on O₂", 93)]
    on_oxygen = [Band(label, Decimal(edge), oxygen.points(edge), ON_OXYGEN) for label, edge in bright]
    unknown = Band("≥ 93 O₂?", BRIGHT_FROM, None, UNKNOWN)
    on_air = Band("≥ 93 on air", BRIGHT_FROM, air.points(BRIGHT_FROM), ON_AIR)
    below = [("88–92", 88), ("86–87", 86), ("84–85", 84), ("≤ 83", 0)]
    return (*on_oxygen, unknown, on_air, *(Band(label, Decimal(edge), air.points(edge)) for label, edge in below))
