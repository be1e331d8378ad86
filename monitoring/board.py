"""What a ward board shows: reads only. Page and socket draw the same tiles from here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.template.loader import render_to_string

from accounts.models import Bed, Ward
from monitoring.clinical.alarm import Standing, State
from monitoring.clinical.limits import Breach, Severity, shown
from monitoring.clinical.signs import FACTS, Side, Sign, plain
from monitoring.models import AlarmState, Alert, Patient, Placement

FRESH_SECONDS = 30.0  # a value younger than this is never old
UNKNOWN_RHYTHM_SECONDS = 120.0  # of a sensor that spoke once
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
    old_after: float = FRESH_SECONDS
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
    def worst(self) -> str:
        return "–" if self.alert.worst_value is None else plain(self.alert.worst_value)

    @property
    def last(self) -> str:
        return "–" if self.alert.last_value is None else plain(self.alert.last_value)


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


def read(ward_id: int, beds: Collection[int] | None = None) -> Board:
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
    return Board(ward, ward.change_number, [_tile(bed, in_bed.get(bed.pk), states, rail) for bed in chosen], rail)


def _bed_of(placements: Mapping[int, Placement], alert: Alert) -> Bed | None:
    placement = placements.get(alert.admission_id or 0)
    return placement.bed if placement else None


def draw(ward_id: int, beds: Collection[int] | None = None) -> tuple[int, dict[str, str]]:
    """The change number and the HTML of each fragment, by the id of its element."""
    board = read(ward_id, beds)
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
        alerts, key=lambda alert: (-Severity(alert.severity).rank, alert.acknowledged_at is not None, alert.raised_at)
    )


def _tile(bed: Bed, placement: Placement | None, states: Mapping[int, State], rail: list[Notice]) -> Tile:
    if placement is None:
        return Tile(bed)
    admission = placement.admission
    state = states.get(admission.pk, State())
    cells = [*(_cell(sign, state) for sign in RATES), _pressure(state), _cell(Sign.BODY_TEMP, state)]
    return Tile(bed, admission.patient, cells, [notice for notice in rail if notice.bed == bed])


def _cell(sign: Sign, state: State) -> Cell:
    facts = FACTS[sign]
    sensor, standing = _chosen(state, sign)
    word = _word(state, sign, standing)
    if standing is None:
        return Cell(sign.value, facts.label, facts.unit, word=word)
    return Cell(
        sign.value,
        facts.label,
        facts.unit,
        text=shown(sign, standing.value, standing.breach),
        sensor=sensor,
        measured_at=standing.measured_at,
        old_after=_old_after(standing),
        breach=standing.breach,
        word=word,
    )


def _pressure(state: State) -> Cell:
    """Systolic over diastolic, the mean beside it, all of the sensor that matters most."""
    chosen = [(sign, *_chosen(state, sign)) for sign in PRESSURE]
    present = [(standing, sensor) for _, sensor, standing in chosen if standing]
    if not present:
        return Cell("blood_pressure", "BP", "mmHg", word=_word(state, Sign.MEAN_BP, None))
    lead, sensor = max(present, key=lambda pair: _weight(pair[0]))
    text = {sign: _pressure_text(state, sign, sensor, lead.measured_at) for sign in PRESSURE}
    return Cell(
        "blood_pressure",
        "BP",
        "mmHg",
        text=f"{text[Sign.SYSTOLIC_BP]}/{text[Sign.DIASTOLIC_BP]}",
        aside=f"({text[Sign.MEAN_BP]})",
        sensor=sensor,
        measured_at=lead.measured_at,
        old_after=_old_after(lead),
        breach=lead.breach,
        word=_word(state, Sign.MEAN_BP, lead),
    )


def _pressure_text(state: State, sign: Sign, sensor: str, measured_at: datetime) -> str:
    """One pressure of a measurement; what was not measured with it is a dash, never an older value."""
    standing = state.standings.get(sign, {}).get(sensor)
    if standing is None or standing.measured_at != measured_at:
        return "–"
    return shown(sign, standing.value, standing.breach)


def _chosen(state: State, sign: Sign) -> tuple[str, Standing | None]:
    """Of several sensors the one that stands beyond a limit worst, else the one that spoke last."""
    sensors = state.standings.get(sign, {})
    name = max(sensors, key=lambda sensor: (_weight(sensors[sensor]), sensor), default="")
    return name, sensors.get(name)


def _weight(standing: Standing) -> tuple[int, datetime]:
    beyond = standing.breach.severity.rank if standing.breach and standing.holds else 0
    return beyond, standing.measured_at


def _word(state: State, sign: Sign, standing: Standing | None) -> str:
    """What a sensor says instead of a value, if it says so later than any value."""
    words = state.words.get(sign, {}).values()
    newest = max(words, key=lambda word: word.said_at, default=None)
    if newest is None or newest.status == "ok" or (standing and newest.said_at < standing.measured_at):
        return ""
    return newest.status.replace("_", " ")


def _old_after(standing: Standing) -> float:
    rhythm = standing.interval if standing.interval is not None else UNKNOWN_RHYTHM_SECONDS / 2
    return max(FRESH_SECONDS, 2 * rhythm)
