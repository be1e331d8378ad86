"""The alarm load of a week that was made by hand, counted by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User, Ward
from monitoring.clinical.overrides import Override
from monitoring.clinical.signs import Sign
from monitoring.models import Admission, Alert, AlertEvent, Patient, Placement
from monitoring.models.threshold import Part
from monitoring.services import alerts, load, thresholds
from monitoring.services.layers import Scope
from monitoring.services.load import Bar, BedRow, ConditionRow, KindRow, NoiseRow, Span, WaitRow, percentile
from tests.world import Monitor, events_of, item, open_alert, series, unscored

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
WEEK = Span(MONDAY, MONDAY + timedelta(days=7))
DAY, HOUR, MINUTE, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
History = list[tuple[str, timedelta]]


@pytest.fixture
def week(north: Ward, south: Ward, noor: User) -> Callable[..., Alert]:
    """Two patients in North: Ida in N1 all week, Jan in N2 from Tuesday noon, moved to N3 on Thursday noon; Kai in South."""
    people = {
        "ida": [(north, 1, MONDAY - 3 * DAY, None)],
        "jan": [(north, 2, MONDAY + 1.5 * DAY, MONDAY + 3.5 * DAY), (north, 3, MONDAY + 3.5 * DAY, None)],
        "kai": [(south, 1, MONDAY - DAY, MONDAY + 1 * DAY)],
    }
    stays: dict[str, Admission] = {}
    for name, places in people.items():
        patient = Patient.objects.create(patient_id=name, name=name.title())
        stays[name] = Admission.objects.create(patient=patient, admitted_at=places[0][2])
        for ward, position, start, end in places:
            Placement.objects.create(
                admission=stays[name],
                bed=ward.beds.get(position=position),
                started_at=start,
                ended_at=end,
                is_open=None if end else True,  # type: ignore[misc]  # the stubs know no nullable marker
            )

    def alert(who: str, condition: str, severity: str, *history: tuple[Any, ...], ward: Ward = north, **facts: Any) -> Alert:
        """`history`: what, when since Monday, and True for a person's hand, or until when it was beyond."""
        stay = stays.get(who)
        first = MONDAY + history[0][1]
        made = Alert.objects.create(
            subject=f"{who}:{condition}:{first.isoformat()}"[:40],
            condition=condition,
            severity=severity,
            ward=ward,
            patient=stay.patient if stay else None,
            admission=stay,
            measured_at=first,
            last_measured_at=first,
            raised_at=first,
            is_open=None,  # type: ignore[misc]
            resolved_at=MONDAY + history[-1][1],
            **facts,
        )
        for number, (what, after, *told) in enumerate(history):
            AlertEvent.objects.create(
                alert=made,
                what=what,
                at=MONDAY + after,
                by=noor if True in told else None,
                beyond_until=next((MONDAY + until for until in told if until is not True), None),
                severity=severity,
                ward=ward,
                number=number,
            )
        return made

    def inside_since(until: timedelta) -> tuple[timedelta, timedelta]:
        """When a monitor's alert ends: it was beyond until then, and its next value 5 minutes later tells."""
        return until + 5 * MINUTE, until

    two_days = 2 * DAY + 8 * MINUTE
    alert("ida", "spo2_low", "critical", ("raised", HOUR), ("acknowledged", HOUR + 30 * SECOND, True), ("resolved", 2 * HOUR))
    alert(
        "ida",
        "spo2_low",
        "critical",
        ("raised", DAY),
        ("returned", *inside_since(DAY + 20 * SECOND)),
        ("acknowledged", DAY + HOUR, True),
        ("resolved", DAY + HOUR, True),
    )
    alert("ida", "spo2_low", "warning", ("raised", DAY + 2 * HOUR), ("resolved", *inside_since(DAY + 2 * HOUR + 21 * SECOND)))
    alert(
        "ida",
        "heart_rate_high",
        "warning",
        ("raised", 2 * DAY),
        ("resolved", *inside_since(2 * DAY + 10 * SECOND)),
        ("reopened", two_days),
        ("acknowledged", two_days + 5 * SECOND, True),
        ("resolved", *inside_since(two_days + 10 * SECOND)),
    )
    alert(
        "jan",
        "spo2_low",
        "critical",
        ("raised", 3 * DAY),
        ("returned", *inside_since(3 * DAY + MINUTE)),
        ("reraised", 4 * DAY),
        ("acknowledged", 4 * DAY + HOUR, True),
        ("resolved", *inside_since(4 * DAY + HOUR)),
    )
    alert("", "no_data", "warning", ("raised", 5 * DAY), ("resolved", 5 * DAY + HOUR), kind="technical")
    alert("ida", "heart_rate_high", "info", ("raised", 5 * DAY), ("resolved", *inside_since(5 * DAY + SECOND)))
    alert("ida", "spo2_low", "critical", ("recorded", 6 * DAY), recorded=True)
    alert("kai", "spo2_low", "warning", ("raised", HOUR), ("resolved", *inside_since(HOUR + SECOND)), ward=south)
    alert("ida", "spo2_low", "warning", ("raised", -SECOND), ("resolved", *inside_since(HOUR)))  # the week before
    alert("ida", "spo2_low", "warning", ("raised", 7 * DAY), ("resolved", *inside_since(7 * DAY + SECOND)))  # the week after
    return alert


def test_alerts_are_counted_by_severity_and_kind(week, north):
    measured = load.measure([north.pk], WEEK)

    assert measured.kinds == [
        KindRow("physiological", "critical", raised=3, reraised=1, reopened=0, risen=0, recorded=1),
        KindRow("physiological", "warning", raised=2, reraised=0, reopened=1, risen=0, recorded=0),
        KindRow("technical", "warning", raised=1, reraised=0, reopened=0, risen=0, recorded=0),
        KindRow("physiological", "info", raised=1, reraised=0, reopened=0, risen=0, recorded=0),
    ]
    assert (measured.calls, measured.recorded) == (8, 1)


def test_the_rate_is_over_the_days_that_beds_were_occupied(week, north):
    measured = load.measure([north.pk], WEEK)

    assert measured.bed_days == 7 + 2 + 3.5
    assert measured.rate == 8 / 12.5


def test_a_call_belongs_to_the_bed_where_the_patient_lay_then(week, north):
    measured = load.measure([north.pk], WEEK)

    assert measured.beds == [
        BedRow("North", "N1", 5, 7.0),
        BedRow("North", "N2", 1, 2.0),
        BedRow("North", "N3", 1, 3.5),
    ]
    assert measured.without_bed == 1  # the device
    assert measured.top == [BedRow("North", "N1", 5, 7.0)]


def test_cleared_by_itself_is_within_20_seconds_and_before_any_hand(week, north):
    measured = load.measure([north.pk], WEEK)

    assert measured.conditions == [
        ConditionRow("spo2_low", calls=5, cleared=1),  # beyond for exactly 20 s; 21 s is too long
        ConditionRow("heart_rate_high", calls=2, cleared=1),  # the second time a hand was first
        ConditionRow("no_data", calls=1, cleared=0),
    ]
    assert measured.cleared == 2


def test_the_wait_is_from_the_last_call_to_the_hand(week, north):
    assert load.measure([north.pk], WEEK).waits == [
        WaitRow("critical", taken=3, p50=3600.0, p90=3600.0),
        WaitRow("warning", taken=1, p50=5.0, p90=5.0),
    ]


def test_several_wards_are_added_up(week, north, south):
    measured = load.measure([north.pk, south.pk], WEEK)

    assert (measured.calls, measured.bed_days, measured.cleared) == (9, 13.5, 3)


def test_the_bars_have_every_day_also_the_quiet_ones(week, north):
    assert load.bars([north.pk], WEEK) == [
        Bar(MONDAY + day * DAY, critical, other)
        for day, (critical, other) in enumerate([(1, 0), (1, 1), (0, 2), (1, 0), (1, 0), (0, 1), (0, 0)])
    ]


def test_two_days_and_less_have_bars_by_the_hour(week, north):
    bars = load.bars([north.pk], Span(MONDAY, MONDAY + DAY))

    assert len(bars) == 24
    assert [bar for bar in bars if bar.critical or bar.other] == [Bar(MONDAY + HOUR, 1, 0)]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_days_are_the_hospitals_own_also_when_its_clock_changes(week, north, settings, zone):
    settings.TIME_ZONE = zone

    bars = load.bars([north.pk], Span(MONDAY - 14 * DAY, MONDAY + 7 * DAY))  # summer time ends in between

    assert len({bar.at.date() for bar in bars}) == len(bars) == 22
    assert sum(bar.critical + bar.other for bar in bars) == 9


def test_noise_marks_are_counted_with_their_reasons(week, north, noor):
    for why in ("moving", "moving", ""):
        week("ida", "spo2_low", "warning", ("raised", HOUR), ("noise", 2 * HOUR, True), noise_why=why)

    assert load.noise([north.pk], WEEK) == [NoiseRow("spo2_low", "moving", 2), NoiseRow("spo2_low", "", 1)]


def test_changes_of_the_hospitals_and_the_wards_limits_are_told_the_newest_first(week, north, south, root):
    ida = Patient.objects.get(patient_id="ida")
    key, override = (Sign.SPO2, Part.ALWAYS), Override(critical_low=84, warning_low=89)
    for day, scope in enumerate([Scope(), Scope(ward=north), Scope(ward=south), Scope(patient=ida)], start=1):
        thresholds.put(scope, key, override, by=root, at=MONDAY + day * DAY)

    assert [(change.ward, change.at) for change in load.changes_of_limits([north.pk], WEEK)] == [
        (north, MONDAY + 2 * DAY),
        (None, MONDAY + DAY),
    ]
    assert load.changes_of_limits([north.pk], Span(WEEK.end, WEEK.end + DAY)) == []


def test_before_and_after_are_spans_of_one_length(week, north):
    before, after = load.compare([north.pk], change=MONDAY + 2 * DAY, longest=7 * DAY, now=MONDAY + 4 * DAY)

    assert (before.span.start, before.span.end, after.span.end) == (MONDAY, MONDAY + 2 * DAY, MONDAY + 4 * DAY)
    assert (before.calls, after.calls) == (3, 3)
    assert (before.bed_days, after.bed_days) == (2.5, 4.0)


def test_where_nothing_was_there_is_no_rate(north):
    measured = load.measure([north.pk], WEEK)

    assert (measured.calls, measured.rate, measured.cleared) == (0, None, 0)
    assert (list(measured.top), list(measured.waits)) == ([], [])


@pytest.mark.parametrize(
    ("values", "share", "found"),
    [([7], 0.5, 7), ([1, 2], 0.5, 1), ([1, 2, 3], 0.5, 2), (range(1, 11), 0.9, 9), (range(1, 12), 0.9, 10), ([1, 2], 0.0, 1)],
)
def test_percentiles_are_by_nearest_rank(values, share, found):
    assert percentile(list(values), share) == found


def test_it_costs_five_queries_however_many_alerts(week, north, django_assert_num_queries):
    for number in range(50):
        week("ida", "spo2_low", "warning", ("raised", number * HOUR), ("resolved", number * HOUR + SECOND))

    with django_assert_num_queries(5):
        load.measure([north.pk], WEEK)
    with django_assert_num_queries(1):
        load.bars([north.pk], WEEK)


class TestWhatAlertsReallyDo:
    """Through the device door, by the engine's own events."""

    @pytest.fixture
    def send(self, ada: Patient, gateway: Monitor, clock: Any) -> Callable[..., None]:
        unscored(ada)

        def send(spo2: float, seconds: int, every: int = 5, sensor: str = "ox") -> None:
            """Values for so long, told in one batch at their end."""
            start = timezone.now()
            clock.shift(seconds)
            if values := [{"spo2": spo2, "sensor_id": sensor}] * (seconds // every):
                gateway.post(series(ada, start + timedelta(seconds=every), values, every))

        return send

    def cleared(self, ward: Ward) -> list[tuple[int, int]]:
        measured = load.measure([ward.pk], Span(timezone.now() - HOUR, timezone.now() + SECOND))
        return [(row.calls, row.cleared) for row in measured.conditions]

    @pytest.mark.parametrize(("spo2", "ends"), [(84, "returned"), (88, "resolved")])
    @pytest.mark.parametrize(("after_the_call", "cleared"), [(0, 1), (20, 1), (25, 0)])
    def test_a_monitors_call_whose_last_value_beyond_came_within_20_seconds(
        self, send, ada, north, spo2, ends, after_the_call, cleared
    ):
        send(97, 240)
        send(spo2, 20)  # the delay is over
        send(spo2, after_the_call)
        send(97, 310)

        assert events_of(ada) == ["raised", ends]
        assert self.cleared(north) == [(1, cleared)]

    def test_each_call_of_one_alert_is_asked_for_itself(self, send, ada, north):
        send(97, 240)
        for beyond in (20, 20, 60):
            send(84, 20)
            send(84, beyond - 20)
            send(97, 310)

        assert events_of(ada) == ["raised", "returned", "reraised", "returned", "reraised", "returned"]
        assert self.cleared(north) == [(3, 2)]

    def test_a_hand_before_its_end_counts_as_a_hand(self, send, ada, noor, north):
        send(97, 240)
        send(84, 20)
        send(97, 60)
        alerts.acknowledge(open_alert(ada), by=noor, at=timezone.now())
        send(97, 250)

        assert events_of(ada) == ["raised", "acknowledged", "resolved"]
        assert self.cleared(north) == [(1, 0)]

    @pytest.mark.parametrize("minutes", [2, 5, 15])
    def test_of_a_spot_value_nobody_knows_how_long_it_was_beyond(self, send, ada, north, minutes):
        send(88, 1, every=1, sensor="spot")
        send(97, 60 * minutes, every=60 * minutes, sensor="spot")

        assert events_of(ada) == ["raised", "resolved"]
        assert self.cleared(north) == [(1, 0)]


def test_what_got_worse_while_it_was_there_is_counted_apart(ada, gateway, north, now):
    unscored(ada)
    for minutes, pressure in ((3, 85), (2, 70)):
        gateway.post([item(ada, now - timedelta(minutes=minutes), sensor_id="cuff", systolic_bp=pressure)])

    measured = load.measure([north.pk], Span(now - DAY, now + DAY))

    assert measured.kinds == [
        KindRow("physiological", "critical", raised=0, reraised=0, reopened=0, risen=1, recorded=0),
        KindRow("physiological", "warning", raised=1, reraised=0, reopened=0, risen=0, recorded=0),
    ]
    assert measured.calls == 1
