"""What a ward board shows: reads only. Page and socket draw the same tiles from here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.template.loader import render_to_string

from accounts.models import Ward
from monitoring.board.cells import Cell, cells
from monitoring.board.news import News, news
from monitoring.board.notices import LATEST_DEEDS, Notice, notices_of, with_state
from monitoring.board.stacks import MOST, Entry, Stack, rail, stack
from monitoring.board.tiles import Tile, tile
from monitoring.clinical.episode import State
from monitoring.clinical.limits import Severity
from monitoring.models import AlarmState, Alert, AlertEvent, Patient, Placement, WardRules
from monitoring.services import marks
from monitoring.services.cases import observations_of
from monitoring.services.marks import Marks

SILENCES = (2, 5, 10)  # minutes that the board offers, as far as the ward allows


class Face(StrEnum):
    """What a board says of people: their names, with what one may do, or on a wall their initials and nothing to press."""

    NAMED = "named"
    KIOSK = "kiosk"


@dataclass(slots=True)
class Board:
    """A ward as drawn at one change number: tiles in the order of the beds, the rail with the worst first."""

    ward: Ward
    number: int
    tiles: list[Tile]
    notices: list[Notice]
    face: Face = Face.NAMED

    @property
    def is_named(self) -> bool:
        return self.face is Face.NAMED

    @property
    def rail(self) -> list[Entry]:
        return rail(self.notices)

    @property
    def lost_links(self) -> list[Notice]:
        return [notice for notice in self.notices if notice.is_link_lost]

    @property
    def ward_alerts(self) -> Stack:
        """What is no bed's: of a device or the whole ward."""
        others = [notice for notice in self.notices if notice.bed is None and not notice.is_link_lost]
        return stack(sorted(others, key=lambda notice: notice.order), MOST)

    @property
    def counts(self) -> dict[str, int]:
        return {severity.value: sum(each.alert.severity == severity for each in self.notices) for severity in Severity}

    @property
    def silences(self) -> list[int]:
        """For how many minutes the sound of an alert may be switched off here."""
        longest = rules_of(self.ward).longest_silence
        return [minutes for minutes in SILENCES if minutes <= longest] or [longest]


def rules_of(ward: Ward) -> WardRules:
    rules: WardRules | None = getattr(ward, "rules", None)
    return rules or WardRules(ward=ward)


def read(ward_id: int, beds: Collection[int] | None = None, *, now: datetime, face: Face = Face.NAMED) -> Board:
    """The ward as it is now, or these beds of it and the whole rail; eight queries however many beds."""
    ward = Ward.objects.select_related("rules").get(pk=ward_id)  # its number first: what comes later is drawn again
    lying = Placement.objects.filter(bed__ward=ward, is_open=True).select_related("admission__patient", "bed")
    placements = {placement.bed_id: placement for placement in lying}
    alerts = Alert.objects.open().filter(ward=ward).select_related("acknowledged_by", "device")
    bed_of = {placement.admission_id: placement.bed for placement in placements.values()}
    longest_silence = timedelta(minutes=rules_of(ward).longest_silence)
    notices = notices_of(alerts, bed_of, _deeds(ward), longest_silence=longest_silence, now=now)
    chosen = [bed for bed in ward.beds.order_by("position") if beds is None or bed.pk in beds]
    drawn = [placements[bed.pk] for bed in chosen if bed.pk in placements]
    alarmed = {notice.bed.pk for notice in notices if notice.bed}
    needed = {each.bed_id: each for each in [*drawn, *(placements[pk] for pk in alarmed)]}
    states = _states(needed.values())
    scores = {pk: _score(each, states.get(pk) or State(), now=now) for pk, each in needed.items()}
    notices = [_told(notice, states, scores) for notice in notices]
    tiles = {each.bed.pk: each for each in _tiles(drawn, notices, states, scores, now=now)}
    return Board(ward, ward.change_number, [tiles.get(bed.pk, Tile(bed)) for bed in chosen], notices, face)


def _states(placements: Iterable[Placement]) -> dict[int, State]:
    """By bed: of those that are drawn, and of those whose alerts stand in the rail."""
    beds = {each.admission_id: each.bed_id for each in placements}
    return {beds[row.pk]: row.state or State() for row in AlarmState.objects.filter(admission__in=list(beds))}


def _score(placement: Placement, state: State, *, now: datetime) -> News:
    return news(state, observations_of(placement.admission.patient, now=now), now=now)


def _told(notice: Notice, states: Mapping[int, State], scores: Mapping[int, News]) -> Notice:
    """The alert with what the patient's sensors, and the score, say of it now."""
    if notice.bed is None or notice.bed.pk not in states:
        return notice
    return with_state(notice, states[notice.bed.pk], scores[notice.bed.pk])


def _tiles(
    placements: list[Placement],
    notices: list[Notice],
    states: Mapping[int, State],
    scores: Mapping[int, News],
    *,
    now: datetime,
) -> list[Tile]:
    said = marks.of({(each.admission.patient_id, each.bed.ward_id) for each in placements}, now=now)
    return [
        tile(
            each,
            states.get(each.bed_id) or State(),
            [notice for notice in notices if notice.bed == each.bed],
            scores[each.bed_id],
            said[each.admission.patient_id, each.bed.ward_id],
            now=now,
        )
        for each in placements
    ]


def _deeds(ward: Ward) -> dict[UUID, AlertEvent]:
    """Of each open alert the newest that a person, or the time in a person's hand, did to it."""
    deeds = AlertEvent.objects.filter(alert__ward=ward, alert__is_open=True, what__in=LATEST_DEEDS)
    return {deed.alert_id: deed for deed in deeds.select_related("by").order_by("pk")}


def own_cells(patient: Patient, *, now: datetime) -> list[Cell]:
    """The newest value of each sign of the present stay, for the patient himself: without limits and alarms."""
    row = AlarmState.objects.filter(admission__patient=patient, admission__is_open=True).first()
    return cells((row.state if row else None) or State(), Marks({}, (), {}, False, False), now=now)


def draw(
    ward_id: int, beds: Collection[int] | None = None, *, now: datetime, face: Face = Face.NAMED
) -> tuple[int, dict[str, str]]:
    """The change number and the HTML of each fragment, by the id of its element."""
    board = read(ward_id, beds, now=now, face=face)
    fragments: dict[str, str] = {
        each.fragment: render_to_string("_tile.html", {"tile": each, "board": board}) for each in board.tiles
    }
    for name in ("rail", "counts", "ward-alerts"):
        fragments[name] = render_to_string(f"_{name.replace('-', '_')}.html", {"board": board})
    return board.number, fragments


def partials(fragments: Mapping[str, str]) -> str:
    """Each fragment morphs into the element of its id: focus, open panels and the rhythm of a flash stay."""
    return "".join(
        f'<hx-partial hx-target="#{name}" hx-swap="outerMorph">{html}</hx-partial>' for name, html in fragments.items()
    )
