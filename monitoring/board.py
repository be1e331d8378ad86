"""What a ward board shows: reads only. Page and socket draw the same tiles from here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.template.loader import render_to_string

from accounts.models import Bed, Ward
from monitoring.clinical.episode import FRESH, Standing, State
from monitoring.clinical.limits import Breach, Severity, phrase, shown
from monitoring.clinical.signs import FACTS, Side, Sign, plain
from monitoring.models import AlarmState, Alert, Patient, Placement

RATES = (Sign.HEART_RATE, Sign.SPO2, Sign.RESPIRATORY_RATE)
PRESSURE = (Sign.SYSTOLIC_BP, Sign.DIASTOLIC_BP, Sign.MEAN_BP)


def epoch(at: datetime) -> str:
    """Seconds since 1970, as the board's script counts ages."""
    return f"{at.timestamp():.3f}"


@dataclass(frozen=True, slots=True)
class Cell:
    """One sign on a tile: its newest value, whose it is, and how it stands to the limits."""

    name: str
    label: str
    unit: str
    text: str = "–"
    aside: str = ""
    sensor: str = ""
    measured_at: datetime | None = None
    old_after: float = FRESH.total_seconds()
    breach: Breach | None = None
    word: str = ""

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
    def source(self) -> str:
        """The last part of the sensor's name: `art` of `M7/art`."""
        return self.sensor.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Notice:
    """An open alert as drawn, on its tile and in the rail."""

    alert: Alert
    bed: Bed | None

    @property
    def fragment(self) -> str:
        return f"bed-{self.bed.pk}" if self.bed else ""

    @property
    def since(self) -> str:
        return epoch(self.alert.raised_at)

    @property
    def message(self) -> str:
        """The present value against the limit; the one that led to the alert when the present one is back inside."""
        alert = self.alert
        if alert.last_value is None or alert.threshold_breached is None:
            return alert.message
        over = alert.last_value - alert.threshold_breached
        if (over >= 0) if alert.side == Side.LOW else (over <= 0):
            return alert.message
        return phrase(Sign(alert.sign), Side(alert.side), alert.last_value, alert.threshold_breached)

    @property
    def order(self) -> tuple[int, datetime, str]:
        return -Severity(self.alert.severity).rank, self.alert.raised_at, self.alert.condition

    @property
    def first(self) -> str:
        return "–" if self.alert.vital_value is None else plain(self.alert.vital_value)

    @property
    def worst(self) -> str:
        return "–" if self.alert.worst_value is None else plain(self.alert.worst_value)


@dataclass(slots=True)
class Tile:
    """A bed as drawn."""

    bed: Bed
    patient: Patient | None = None
    cells: list[Cell] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    @property
    def fragment(self) -> str:
        return f"bed-{self.bed.pk}"

    @property
    def severity(self) -> str:
        return self.notices[0].alert.severity if self.notices else ""

    @property
    def unacknowledged(self) -> bool:
        return any(notice.alert.acknowledged_at is None for notice in self.notices)


@dataclass(slots=True)
class Board:
    """A ward as drawn at one change number: tiles in the order of the beds, the rail with the worst first."""

    ward: Ward
    number: int
    tiles: list[Tile]
    rail: list[Notice]

    @property
    def counts(self) -> dict[str, int]:
        return {severity.value: sum(notice.alert.severity == severity for notice in self.rail) for severity in Severity}


def read(ward_id: int, beds: Collection[int] | None = None, *, now: datetime) -> Board:
    """The ward as it is now, or these beds of it and the whole rail; five queries however many beds."""
    ward = Ward.objects.get(pk=ward_id)  # its change number first: what comes later is drawn again
    placements = {
        placement.admission_id: placement
        for placement in Placement.objects.filter(bed__ward=ward, is_open=True).select_related("admission__patient", "bed")
    }
    alerts = worst_first(Alert.objects.open().filter(ward=ward).select_related("acknowledged_by"))
    rail = [Notice(alert, _bed_of(placements, alert)) for alert in alerts]
    chosen = [bed for bed in ward.beds.order_by("position") if beds is None or bed.pk in beds]
    in_bed = {placement.bed_id: placement for placement in placements.values()}
    drawn = [in_bed[bed.pk].admission_id for bed in chosen if bed.pk in in_bed]
    states = {row.admission_id: row.state for row in AlarmState.objects.filter(admission__in=drawn)}
    return Board(ward, ward.change_number, [_tile(bed, in_bed.get(bed.pk), states, rail, now) for bed in chosen], rail)


def _bed_of(placements: Mapping[int, Placement], alert: Alert) -> Bed | None:
    placement = placements.get(alert.admission_id or 0)
    return placement.bed if placement else None


def draw(ward_id: int, beds: Collection[int] | None = None, *, now: datetime) -> tuple[int, dict[str, str]]:
    """The change number and the HTML of each fragment, by the id of its element."""
    board = read(ward_id, beds, now=now)
    fragments: dict[str, str] = {tile.fragment: render_to_string("_tile.html", {"tile": tile}) for tile in board.tiles}
    fragments["rail"] = render_to_string("_rail.html", {"board": board})
    fragments["counts"] = render_to_string("_counts.html", {"board": board})
    return board.number, fragments


def partials(fragments: Mapping[str, str]) -> str:
    """Each fragment morphs into the element of its id: focus and the rhythm of a flash stay."""
    return "".join(
        f'<hx-partial hx-target="#{name}" hx-swap="outerMorph">{html}</hx-partial>' for name, html in fragments.items()
    )


def worst_first(alerts: Iterable[Alert]) -> list[Alert]:
    """Severity first, then what nobody has taken, then what has waited longest."""
    return sorted(
        alerts,
        key=lambda alert: (
            -Severity(alert.severity).rank,
            alert.acknowledged_at is not None,
            alert.raised_at,
            alert.condition,
        ),
    )


def _tile(bed: Bed, placement: Placement | None, states: Mapping[int, State], rail: list[Notice], now: datetime) -> Tile:
    if placement is None:
        return Tile(bed)
    admission = placement.admission
    drawing = _Drawing(states.get(admission.pk, State()), now)
    cells = [*(drawing.cell(sign) for sign in RATES), drawing.pressure(), drawing.cell(Sign.BODY_TEMP)]
    # In a fixed order: a button must not come to lie under a finger that was aimed at another.
    notices = sorted((notice for notice in rail if notice.bed == bed), key=lambda notice: notice.order)
    return Tile(bed, admission.patient, cells, notices)


@dataclass(frozen=True, slots=True)
class _Drawing:
    """The sensors of one patient, drawn at one moment."""

    state: State
    now: datetime

    def cell(self, sign: Sign) -> Cell:
        facts = FACTS[sign]
        sensor, standing = self._chosen(sign)
        word = self._word((sign,), sensor, standing)
        if standing is None:
            return Cell(sign.value, facts.label, facts.unit, word=word)
        return Cell(
            sign.value,
            facts.label,
            facts.unit,
            text=shown(sign, standing.value, standing.breach),
            sensor=sensor,
            measured_at=standing.measured_at,
            old_after=standing.old_after.total_seconds(),
            breach=standing.breach,
            word=word,
        )

    def pressure(self) -> Cell:
        """Systolic over diastolic, the mean beside it, all of the sensor that matters most."""
        chosen = [(standing, sensor) for sensor, standing in map(self._chosen, PRESSURE) if standing]
        if not chosen:
            return Cell("blood_pressure", "BP", "mmHg", word=self._word(PRESSURE, "", None))
        lead, sensor = max(chosen, key=lambda pair: self._weight(pair[0]))
        text = {sign: self._pressure_text(sign, sensor, lead.measured_at) for sign in PRESSURE}
        return Cell(
            "blood_pressure",
            "BP",
            "mmHg",
            text=f"{text[Sign.SYSTOLIC_BP]}/{text[Sign.DIASTOLIC_BP]}",
            aside=f"({text[Sign.MEAN_BP]})",
            sensor=sensor,
            measured_at=lead.measured_at,
            old_after=lead.old_after.total_seconds(),
            breach=lead.breach,
            word=self._word(PRESSURE, sensor, lead),
        )

    def _pressure_text(self, sign: Sign, sensor: str, measured_at: datetime) -> str:
        """One pressure of a measurement; what was not measured with it is a dash, never an older value."""
        standing = self.state.standings.get(sign, {}).get(sensor)
        if standing is None or standing.measured_at != measured_at:
            return "–"
        return shown(sign, standing.value, standing.breach)

    def _chosen(self, sign: Sign) -> tuple[str, Standing | None]:
        """Of several sensors those that still speak come first, of these the one that stands beyond a limit worst."""
        sensors = self.state.standings.get(sign, {})
        name = max(sensors, key=lambda sensor: (self._weight(sensors[sensor]), sensor), default="")
        return name, sensors.get(name)

    def _weight(self, standing: Standing) -> tuple[bool, int, datetime]:
        beyond = standing.breach.severity.rank if standing.breach and standing.holds else 0
        return standing.is_fresh(self.now), beyond, standing.measured_at

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
