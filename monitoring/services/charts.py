"""What an observation chart shows: a patient's values by columns of time, the score at the end of each, and the alerts.

A column tells the lowest and the highest value that was measured in it, so that nothing beyond is thinned away. What was not
measured in it is a gap. The score is the one that the rule gives at the column's end, from inputs of their own maximum ages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from accounts import audit
from accounts.models import Deed, User
from accounts.transactions import retried
from monitoring.clinical import columns, trend
from monitoring.clinical.columns import Column
from monitoring.clinical.scores import news2, oxygen
from monitoring.clinical.scores.inputs import MAXIMUM_AGES
from monitoring.clinical.scores.observations import ACVPU, Number
from monitoring.clinical.scores.score import NotApplicable, Score
from monitoring.clinical.signs import Sign
from monitoring.clinical.trend import PARTS, Row
from monitoring.models import Alert, Patient, Vital
from monitoring.models.alert import AlertQuerySet
from monitoring.services import cases, scores, trends
from monitoring.services.trends import Resolution, Window

LONGEST = timedelta(days=7)
MOST_ALERTS = 300  # that a chart lists; of more it says how many, and their columns have their numbers
MEMORY = max(MAXIMUM_AGES[sign] for sign in scores.SIGNS)  # how far back a value may lie that is scored

OXYGEN_AGE = max(MAXIMUM_AGES[name] for name in oxygen.NAMES)
SCALE_OF_OXYGEN = 2  # on which the points of a saturation depend on whether oxygen is given
PLACES = {sign: place for place, sign in enumerate(Sign)}

Minute = tuple[datetime, Row]
Word = tuple[datetime, int, str, bool | None, float | None]


@dataclass(slots=True)
class Stretch:
    """One column: of each sign its lowest and highest value; the worst wakefulness; whether and how much oxygen at its end.

    `saturations`: on scale 2, by whether oxygen was given when they were measured. `is_oxygen_old`: nothing was said of oxygen
    in this column, and what was said before still counts.
    """

    column: Column
    extremes: dict[Sign, tuple[float, float]] = field(default_factory=dict)
    readings: int = 0
    consciousness: str = ""
    on_oxygen: bool | None = None
    oxygen_flow: Number | None = None
    is_oxygen_old: bool = False
    saturations: dict[bool | None, tuple[float, float]] = field(default_factory=dict)
    score: Score | None = None
    alerts: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Chart:
    """`refusal`: why this patient has no score. `unlisted`: how many more alerts there are than are listed."""

    patient: Patient
    since: datetime
    until: datetime
    stretches: list[Stretch]
    alerts: list[Alert]
    unlisted: int
    refusal: str = ""

    @property
    def width(self) -> timedelta:
        return max(each.column.until - each.column.since for each in self.stretches)

    @property
    def readings(self) -> int:
        """The most values that any one sign has, added up: as many as readings, or a little less."""
        return sum(each.readings for each in self.stretches)


def read(patient: Patient, since: datetime, until: datetime, *, now: datetime) -> Chart:
    """From whole minutes to whole minutes; what lies ahead is left out."""
    since, until = trend.minute_of(since), min(trend.minute_of(until - trends.TICK), trend.minute_of(now)) + trend.MINUTE
    offset = timezone.localtime(since).utcoffset() or timedelta()
    stretches = [Stretch(column) for column in columns.cut(since, until, offset=offset)]
    minutes = _minutes(patient, since - MEMORY, until)
    words = _words(patient, since - OXYGEN_AGE, until)
    stays = dict(patient.admissions.values_list("pk", "admitted_at"))
    _draw(stretches, minutes, words)
    _tell_oxygen(stretches, minutes, words, patient, stays)
    refusal = _score(stretches, minutes, patient, stays, now=now)
    alerts = _alerts(patient, since, until)
    moments = list(alerts.values_list("raised_at", flat=True))
    for number, at in enumerate(moments, 1):
        if at >= since:
            _at(stretches, at).alerts.append(number)
    return Chart(
        patient,
        since,
        until,
        stretches,
        list(alerts.with_corrections()[:MOST_ALERTS]),
        max(0, len(moments) - MOST_ALERTS),
        refusal,
    )


@retried
def write_down(chart: Chart, *, form: str, is_named: bool, by: User, at: datetime) -> None:
    """That this leaves the house, on paper or as a file."""
    detail = {"from": chart.since, "until": chart.until, "format": form, "rows": chart.readings, "named": is_named}
    audit.record(Deed.EXPORTED, by=by, at=at, patient=chart.patient.patient_id, about="chart", detail=detail)


def _minutes(patient: Patient, since: datetime, until: datetime) -> list[Minute]:
    window = Window.before(until, since=since)
    limit = (until - since) // trend.MINUTE + 1
    return trends.thinned(patient, window, by=Resolution.MINUTE, newest_first=False, limit=limit)[0]


def _words(patient: Patient, since: datetime, until: datetime) -> list[Word]:
    """What was said of wakefulness and oxygen, in order."""
    said = ~Q(consciousness="") | Q(on_oxygen__isnull=False) | Q(oxygen_flow__isnull=False)
    found = Vital.objects.standing().filter(said, patient=patient, measured_at__gte=since, measured_at__lt=until)
    return list(found.order_by("measured_at", "sensor_id").values_list("measured_at", "admission", *scores.WORDS))


def _alerts(patient: Patient, since: datetime, until: datetime) -> AlertQuerySet:
    """Those that were raised in this time, and those that stood when it began: an alert of the day before may still be open."""
    stood = Q(raised_at__gte=since) | Q(resolved_at=None) | Q(resolved_at__gte=since)
    found = Alert.objects.filter(stood, patient=patient, raised_at__lt=until)
    return found.select_related("acknowledged_by", "resolved_by").order_by("raised_at", "pk")


def _at(stretches: Sequence[Stretch], at: datetime) -> Stretch:
    return next((each for each in reversed(stretches) if each.column.since <= at), stretches[0])


def _draw(stretches: Sequence[Stretch], minutes: Sequence[Minute], words: Sequence[Word]) -> None:
    begins = stretches[0].column.since
    for at, row in minutes:
        if at >= begins:
            _widen(_at(stretches, at), row)
    for at, _, consciousness, _, _ in words:
        if at >= begins and consciousness:
            stretch = _at(stretches, at)
            stretch.consciousness = max(stretch.consciousness or "A", consciousness, key=ACVPU.index)


def _tell_oxygen(
    stretches: Sequence[Stretch], minutes: Sequence[Minute], words: Sequence[Word], patient: Patient, stays: scores.Stays
) -> None:
    """What stands of oxygen at the end of each column, and on scale 2 of each saturation's minute."""
    said = oxygen.Said([oxygen.Word(at, stay, given, flow) for at, stay, _, given, flow in words], stays)
    for each in stretches:
        known = said.before(each.column.until)
        width = each.column.until - each.column.since
        fresh = [name for name, age in known.ages.items() if age <= width]
        each.on_oxygen, each.is_oxygen_old = known.observations.has_oxygen, not fresh
        if not fresh or "oxygen_flow" in fresh:
            each.oxygen_flow = known.observations.oxygen_flow
    if patient.spo2_scale == SCALE_OF_OXYGEN:
        for at, row in minutes:
            low, high, _, count = _parts(row, Sign.SPO2)
            if at >= stretches[0].column.since and count:
                given = said.before(at + trend.MINUTE).observations.has_oxygen
                saturations = _at(stretches, at).saturations
                lowest, highest = saturations.get(given, (low, high))
                saturations[given] = min(low, lowest), max(high, highest)


def _widen(stretch: Stretch, row: Row) -> None:
    counts = []
    for sign in Sign:
        low, high, _, count = _parts(row, sign)
        if count:
            lowest, highest = stretch.extremes.get(sign, (low, high))
            stretch.extremes[sign] = min(low, lowest), max(high, highest)
            counts.append(count)
    stretch.readings += max(counts, default=0)


def _parts(row: Row, sign: Sign) -> Row:
    """Lowest, highest, total and count of one sign."""
    place = len(PARTS) * PLACES[sign]
    return row[place : place + len(PARTS)]


def _score(
    stretches: Sequence[Stretch], minutes: Sequence[Minute], patient: Patient, stays: scores.Stays, *, now: datetime
) -> str:
    """Score every column at its end; or why this patient has no score."""
    known = cases.observations_of(patient, now=now)
    measured = {sign: [at for at, row in minutes if _parts(row, sign)[-1]] for sign in scores.SIGNS}
    ends = [each.column.until for each in stretches]
    try:
        news2.score(known)
        found = {each.at: each.score for each in scores.at(patient, known, ends, measured=measured, stays=stays)}
    except NotApplicable as reason:
        return str(reason)
    for stretch in stretches:
        stretch.score = found.get(stretch.column.until)
    return ""
