"""The signs of one patient as drawn: newest value, whose it is, how old, and how it stands to the limits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from monitoring.board.epochs import epoch
from monitoring.clinical.episode import State
from monitoring.clinical.limits import Breach, shown
from monitoring.clinical.sensor import FRESH, Standing
from monitoring.clinical.signs import FACTS, Side, Sign
from monitoring.services.marks import Marks

RATES = (Sign.HEART_RATE, Sign.SPO2, Sign.RESPIRATORY_RATE)
PRESSURE = (Sign.SYSTOLIC_BP, Sign.DIASTOLIC_BP, Sign.MEAN_BP)


@dataclass(frozen=True, slots=True)
class Cell:
    """One sign on a tile. `spot`: no further value is expected.

    `calls`: its alert is there; else a value beyond calls nobody yet, and `waits` for its delay.
    """

    name: str
    label: str
    unit: str
    text: str = "–"
    aside: str = ""
    sensor: str = ""
    measured_at: datetime | None = None
    old_after: float = FRESH.total_seconds()
    spot: bool = False
    breach: Breach | None = None
    calls: bool = False
    waits: bool = False
    word: str = ""
    off: str = ""

    @property
    def epoch(self) -> str:
        return epoch(self.measured_at) if self.measured_at else ""

    @property
    def severity(self) -> str:
        return self.breach.severity.value if self.breach else ""

    @property
    def arrow(self) -> str:
        if self.breach is None:
            return ""
        return "↓" if self.breach.side is Side.LOW else "↑"

    @property
    def quiet(self) -> bool:
        """Beyond its limit, and nobody is called for it."""
        return self.breach is not None and not self.calls

    @property
    def source(self) -> str:
        """`art` of `M7/art`."""
        return source(self.sensor)


def source(sensor: str) -> str:
    """The last part of a sensor's name."""
    return sensor.rpartition("/")[2]


def cells(state: State, marks: Marks, *, now: datetime) -> list[Cell]:
    """The five cells of a tile in their fixed order."""
    drawing = _Drawing(state, now)
    drawn: list[tuple[Cell, tuple[Sign, ...]]] = [(drawing.cell(sign), (sign,)) for sign in RATES]
    drawn += [(drawing.pressure(), PRESSURE), (drawing.cell(Sign.BODY_TEMP), (Sign.BODY_TEMP,))]
    return [replace(cell, off=_switched_off(marks, signs)) for cell, signs in drawn]


def drawn_sensor(state: State, sign: Sign, *, now: datetime) -> str:
    """Whose value of this sign its cell draws."""
    return _Drawing(state, now).sensor(sign)


def _switched_off(marks: Marks, signs: Iterable[Sign]) -> str:
    """`HR high, critical high`: the sides without an alarm."""
    return "; ".join(
        f"{FACTS[sign].label} {', '.join(side.replace('_', ' ') for side in marks.off[sign])}"
        for sign in signs
        if sign in marks.off
    )


@dataclass(frozen=True, slots=True)
class _Drawing:
    """The sensors of one patient, drawn at one moment."""

    state: State
    now: datetime

    def cell(self, sign: Sign) -> Cell:
        facts = FACTS[sign]
        sensor, standing = self._chosen(sign)
        cell = Cell(sign.value, facts.label, facts.unit, word=self._word((sign,), sensor, standing))
        if standing is None:
            return cell
        return self._filled(cell, sensor, standing, text=shown(sign, standing.value, standing.breach))

    def pressure(self) -> Cell:
        """Systolic over diastolic, the mean beside it, all of the sensor that matters most."""
        sensor, lead = self._leading_pressure()
        if lead is None:
            return Cell("blood_pressure", "BP", "mmHg", word=self._word(PRESSURE, "", None))
        text = {sign: self._pressure_text(sign, sensor, lead.measured_at) for sign in PRESSURE}
        cell = Cell("blood_pressure", "BP", "mmHg", word=self._word(PRESSURE, sensor, lead))
        drawn = self._filled(cell, sensor, lead, text=f"{text[Sign.SYSTOLIC_BP]}/{text[Sign.DIASTOLIC_BP]}")
        return replace(drawn, aside=f"({text[Sign.MEAN_BP]})")

    def sensor(self, sign: Sign) -> str:
        return self._leading_pressure()[0] if sign in PRESSURE else self._chosen(sign)[0]

    def _leading_pressure(self) -> tuple[str, Standing | None]:
        chosen = [(standing, sensor) for sensor, standing in map(self._chosen, PRESSURE) if standing]
        if not chosen:
            return "", None
        lead, sensor = max(chosen, key=lambda pair: self._weight(pair[0]))
        return sensor, lead

    def _filled(self, cell: Cell, sensor: str, standing: Standing, *, text: str) -> Cell:
        return replace(
            cell,
            text=text,
            sensor=sensor,
            measured_at=standing.measured_at,
            old_after=standing.old_after.total_seconds(),
            spot=standing.is_spot,
            breach=standing.breach,
            calls=_calls(standing),
            waits=not _calls(standing) and any(each.waits for each in standing.excursions),
        )

    def _pressure_text(self, sign: Sign, sensor: str, measured_at: datetime) -> str:
        """One pressure of a measurement; what was not measured with it is a dash, never an older value."""
        standing = self.state.standings.get(sign, {}).get(sensor)
        if standing is None or standing.measured_at != measured_at:
            return "–"
        return shown(sign, standing.value, standing.breach)

    def _chosen(self, sign: Sign) -> tuple[str, Standing | None]:
        """Of several sensors those that still speak come first, of these the one that stands beyond a limit worst.

        When none speaks, the one that holds an alert, else the newest: an older value never hides a newer one.
        """
        sensors = self.state.standings.get(sign, {})
        name = max(sensors, key=lambda sensor: (self._weight(sensors[sensor]), sensor), default="")
        return name, sensors.get(name)

    def _weight(self, standing: Standing) -> tuple[bool, int, bool, datetime]:
        is_fresh = standing.is_fresh(self.now)
        beyond = standing.breach.severity.rank if standing.breach and (is_fresh or standing.holds) else 0
        return is_fresh, beyond, standing.holds, standing.measured_at

    def _word(self, signs: Iterable[Sign], sensor: str, standing: Standing | None) -> str:
        """What the drawn sensor says instead of a value, if it says so later; without a value, what any sensor says."""
        words = [
            word
            for sign in signs
            for name, word in self.state.words.get(sign, {}).items()
            if (not sensor or name == sensor) and (standing is None or word.said_at >= standing.measured_at)
        ]
        newest = max(words, key=lambda word: (word.said_at, word.status != "ok"), default=None)
        return newest.status.replace("_", " ") if newest and newest.status != "ok" else ""


def _calls(standing: Standing) -> bool:
    """The alert of this value is raised, at its severity or above."""
    if standing.breach is None:
        return False
    active = standing.active(standing.breach.side)
    return active is not None and active.rank >= standing.breach.severity.rank
