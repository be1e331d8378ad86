"""The chart as it is drawn: a table of bands by columns of time, so that it can be read aloud, copied and printed.

What a band scores is told by its number and by the shape of what stands in it, and by colour only besides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from monitoring.clinical import columns
from monitoring.clinical.scores import news2, paper
from monitoring.clinical.scores.observations import ACVPU
from monitoring.clinical.scores.paper import Strip
from monitoring.clinical.scores.score import Score
from monitoring.clinical.signs import Sign, plain
from monitoring.services.charts import Chart, Stretch

LONG, LONGER = 5, 8  # letters, from which on a cell is written smaller: `96–98` and `118–142`, `38.4–38.7`
HOUR = timedelta(hours=1)
MOST_NUMBERS = 2  # alerts of a column that are named one by one


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands in one cell. `kind`: a value, the way between two, or a score by what it calls for."""

    text: str = ""
    kind: str = ""

    @property
    def size(self) -> str:
        if len(self.text) < LONG:
            return ""
        return "long" if len(self.text) < LONGER else "longer"


NOTHING = Mark()


@dataclass(frozen=True, slots=True)
class Line:
    """One row: its label, its points where it has any, and a cell for each column."""

    label: str
    points: int | None
    marks: Sequence[Mark]


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one parameter."""

    label: str
    unit: str
    lines: Sequence[Line]
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page: when each column begins, with the day where another one begins and in the last column, and the rows."""

    heads: Sequence[tuple[str, str]]
    groups: Sequence[Group]


def sheets(chart: Chart) -> list[Sheet]:
    """The chart on as many pages as its columns take."""
    found = []
    for part in columns.sheets([each.column for each in chart.stretches]):
        stretches = chart.stretches[part]
        found.append(Sheet(list(_heads(stretches)), _groups(stretches, chart)))
    return found


def spoken(width: timedelta) -> str:
    """`30 minutes`, `1 hour`, `6 hours`."""
    if width < HOUR:
        count, word = width // timedelta(minutes=1), "minute"
    else:
        count, word = width // HOUR, "hour"
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _heads(stretches: Sequence[Stretch]) -> list[tuple[str, str]]:
    heads, day = [], ""
    for each in stretches:
        begins = timezone.localtime(each.column.since)
        this = _day(begins)
        heads.append((f"{begins:%H:%M}", this if this != day or each is stretches[-1] else ""))
        day = this
    return heads


def _day(at: datetime) -> str:
    return f"{at.day} {at:%b}"


def _groups(stretches: Sequence[Stretch], chart: Chart) -> list[Group]:
    breath, spo2, systolic, pulse, temperature = paper.strips(chart.patient.spo2_scale)
    scored = not chart.refusal
    return [
        _strip(breath, stretches, scored),
        _strip(spo2, stretches, scored),
        Group("Oxygen", "", [Line("air, or L/min", None, [_oxygen(each, scored) for each in stretches])]),
        _strip(systolic, stretches, scored),
        Group("Diastolic", "", [Line("not scored", None, [_plain(each, Sign.DIASTOLIC_BP) for each in stretches])]),
        _strip(pulse, stretches, scored),
        _wakefulness(stretches, scored),
        _strip(temperature, stretches, scored),
        Group("NEWS2", "", [Line("at the end", None, [_score(each.score) for each in stretches])], "total"),
        Group("Alerts", "", [Line("raised", None, [_alerts(each) for each in stretches])], "called"),
    ]


def _strip(strip: Strip, stretches: Sequence[Stretch], scored: bool) -> Group:
    rows: list[list[Mark]] = [[] for _ in strip.bands]
    for each in stretches:
        for row, mark in zip(rows, _column(strip, each), strict=True):
            row.append(mark)
    lines = [Line(band.label, band.points if scored else None, marks) for band, marks in zip(strip.bands, rows, strict=True)]
    return Group(strip.label, strip.unit, lines)


def _column(strip: Strip, stretch: Stretch) -> list[Mark]:
    """Both ends where they lie, and the way between them; in one band they stand together."""
    marks = [NOTHING] * len(strip.bands)
    lows: list[list[float]] = [[] for _ in strip.bands]
    highs: list[list[float]] = [[] for _ in strip.bands]
    for on_oxygen, (low, high) in _ranges(strip, stretch):
        top, bottom = (strip.place(value, on_oxygen=on_oxygen) for value in (high, low))
        highs[top].append(high)
        lows[bottom].append(low)
        for row in range(top + 1, bottom):
            if strip.bands[row].takes(on_oxygen):
                marks[row] = Mark("│", "way")
    for row, band in enumerate(strip.bands):
        if lows[row] or highs[row]:
            marks[row] = Mark(_spelt(strip, lows[row], highs[row]), "value" if band.points is not None else "open")
    return marks


def _ranges(strip: Strip, stretch: Stretch) -> Iterable[tuple[bool | None, tuple[float, float]]]:
    if strip.tells_oxygen:
        return stretch.saturations.items()
    return [(None, stretch.extremes[strip.sign])] if strip.sign in stretch.extremes else []


def _spelt(strip: Strip, lows: Sequence[float], highs: Sequence[float]) -> str:
    """The ends that lie in one band; of several on the same side the outermost."""
    both = [*lows, *highs]
    low, high = min(both) if lows else max(both), max(both) if highs else min(both)
    shown_low, shown_high = strip.spelt(low), strip.spelt(high)
    return shown_low if shown_low == shown_high else f"{shown_low}–{shown_high}"


def _plain(stretch: Stretch, sign: Sign) -> Mark:
    if sign not in stretch.extremes:
        return NOTHING
    low, high = (f"{value:.0f}" for value in stretch.extremes[sign])
    return Mark(low if low == high else f"{low}–{high}", "text")


def _oxygen(stretch: Stretch, scored: bool) -> Mark:
    """In brackets what was said before."""
    if stretch.on_oxygen is None:
        return NOTHING
    flow = "" if stretch.oxygen_flow is None else f" {plain(float(stretch.oxygen_flow))}"
    told = f"O₂{flow}" if stretch.on_oxygen else "A"
    return Mark(f"({told})" if stretch.is_oxygen_old else told, "oxygen" if scored and stretch.on_oxygen else "text")


def _wakefulness(stretches: Sequence[Stretch], scored: bool) -> Group:
    lines = [
        Line(
            paper.WORDS[letter],
            (0 if letter == "A" else news2.RED) if scored else None,
            [Mark(letter, "value") if each.consciousness == letter else NOTHING for each in stretches],
        )
        for letter in ACVPU
    ]
    return Group("Consciousness", "worst", lines)


def _score(score: Score | None) -> Mark:
    if score is None or not score.parts:
        return NOTHING
    if score.at_least >= news2.HIGH:
        tone = "high"
    elif score.at_least >= news2.MEDIUM or score.red:
        tone = "medium"
    else:
        tone = "low"
    return Mark(f"≥{score.at_least}" if score.total is None else str(score.total), tone)


def _alerts(stretch: Stretch) -> Mark:
    numbers = stretch.alerts
    if not numbers:
        return NOTHING
    if len(numbers) <= MOST_NUMBERS:
        return Mark(", ".join(map(str, numbers)), "text")
    return Mark(f"{numbers[0]}–{numbers[-1]}", "text")
