"""The alarm and time: gaps, looks, late readings, readings out of order, duplicates, and clocks that were set back."""

from __future__ import annotations

import pytest

from monitoring.clinical import alarm
from monitoring.clinical.alarm import LIVE_WINDOW, MEMORY, unordered
from monitoring.clinical.episode import Reading
from monitoring.clinical.limits import Severity
from monitoring.clinical.sensor import Sample
from monitoring.clinical.signs import Sign
from tests.clinical.bedside import Bedside, when

CRITICAL, WARNING = Severity.CRITICAL, Severity.WARNING
HOUR = 3600


@pytest.fixture
def ada() -> Bedside:
    return Bedside()


class TestSilence:
    def test_confirms_what_waited_and_says_so(self, ada):
        ada.watched().reads(0, spo2=84).looks(14.9)
        assert ada.told() == []

        ada.looks(15)
        assert (ada.told(), ada.episode().unconfirmed, ada.active()) == (["raised"], True, CRITICAL)

    def test_a_value_beyond_confirms_it_for_good(self, ada):
        ada.watched().reads(0, spo2=84).looks(15).reads(20, spo2=84)

        assert (ada.told(), ada.episode().unconfirmed) == (["raised"], False)

    def test_confirms_a_worsening_too(self, ada):
        ada.watched().steadily(0, 20, spo2=88).reads(25, spo2=84).looks(40)

        assert (ada.told(), ada.episode().severity) == (["raised", "risen"], CRITICAL)

    def test_the_rule_says_when_it_wants_to_look(self, ada):
        ada.watched().reads(0, spo2=84)

        assert alarm.next_look(ada.state, ada.limits, when(0)) == when(15)

    def test_it_counts_from_our_clock(self, ada):
        ada.watched().reads(0, arrives=300, spo2=84)

        assert alarm.next_look(ada.state, ada.limits, when(300)) == when(315)

    @pytest.mark.parametrize("value", [88, 84])
    def test_ends_nothing_however_long(self, ada, value):
        ada.watched().steadily(0, 20, spo2=value).waits(20, 30 * HOUR)

        assert (ada.told(), ada.is_open(), ada.active() is not None) == (["raised"], True, True)

    def test_older_values_do_not_take_its_word_back(self, ada):
        ada.watched().reads(0, spo2=84).looks(15).reads(-2, arrives=16, spo2=84)

        assert (ada.told(), ada.active()) == (["raised"], CRITICAL)

    def test_a_silent_sensor_is_forgotten_after_a_day_unless_it_holds_an_alert(self, ada):
        ada.reads(0, "quiet", heart_rate=70).reads(0, "beyond", heart_rate=150)
        ada.reads(MEMORY.total_seconds() + 1, spo2=97)

        assert list(ada.state.standings[Sign.HEART_RATE]) == ["beyond"]


class TestLate:
    @pytest.mark.parametrize(("more", "what"), [(0, "raised"), (0.001, "recorded")])
    def test_ten_minutes_are_live_and_more_is_history(self, ada, more, what):
        assert ada.reads(0, arrives=LIVE_WINDOW.total_seconds() + more, spo2=84).told() == [what]

    def test_a_stretch_of_late_readings_is_one_record_in_any_order(self, ada):
        for minute in (30, 29, 28, 27, 26, 25, 24, 23, 33):
            ada.reads(60 * minute, arrives=3 * HOUR, spo2=80 + minute / 10)

        record = ada.state.records["spo2_low"]
        assert ada.told() == ["recorded"]
        assert (record.count, record.worst_value, record.measured_at, record.last_measured_at) == (
            9,
            82.3,
            when(1380),
            when(1980),
        )
        assert not record.is_open

    def test_more_than_five_minutes_apart_they_are_two(self, ada):
        ada.reads(0, arrives=HOUR, spo2=84).reads(301, arrives=HOUR, spo2=84)

        assert ada.told() == ["recorded", "recorded"]

    def test_they_hold_no_alert_open(self, ada):
        ada.reads(0, "cuff", arrives=HOUR, mean_bp=50).reads(HOUR, "art", mean_bp=63).reads(HOUR + 60, "art", mean_bp=80)

        assert ada.told("blood_pressure_low") == ["recorded", "raised", "resolved"]

    def test_what_was_open_they_go_on_holding(self, ada):
        ada.reads(0, spo2=88).reads(60, arrives=HOUR, spo2=87)

        assert (ada.told(), ada.episode().count) == (["raised"], 2)

    def test_a_late_return_inside_ends_it(self, ada):
        ada.reads(0, spo2=88).reads(60, arrives=HOUR, spo2=97)

        assert ada.told() == ["raised", "resolved"]

    def test_of_a_stay_that_is_over_everything_is_history(self, ada):
        ada.reads(0, spo2=84, respiratory_rate=40, heart_rate=160, closed=True)

        assert {event.what.value for event in ada.events} == {"recorded"}
        assert ada.state.standings == {}


class TestOutOfOrder:
    def test_a_value_in_between_that_is_inside_takes_back_what_is_active_but_not_what_was_told(self, ada):
        ada.watched().reads(0, spo2=84).reads(15, spo2=84).reads(7, arrives=16, spo2=97)

        assert (ada.told(), ada.active()) == (["raised", "returned"], None)

    def test_a_value_that_completes_the_delay_confirms(self, ada):
        ada.watched().reads(20, spo2=84).reads(3, arrives=21, spo2=84)

        assert (ada.told(), ada.active()) == (["raised"], CRITICAL)

    def test_what_was_critical_for_a_time_is_told_though_it_is_over(self, ada):
        ada.watched().reads(20, spo2=97).hears(
            [Reading("M7", when(at), {Sign.SPO2: 79}) for at in (3, 8)] + [Reading("M7", when(10), {Sign.SPO2: 97})], arrives=21
        )

        assert (ada.told(), ada.active()) == (["raised"], CRITICAL)  # on its way back: the clear time is not over

    def test_of_single_values_it_is_told_and_waits_to_be_taken(self, ada):
        ada.reads(60, spo2=97).reads(0, arrives=61, spo2=84)

        assert (ada.told(), ada.active()) == (["raised", "returned"], None)

    def test_of_an_alert_that_was_taken_and_ended_it_is_the_same_one_and_untaken(self, ada):
        ada.reads(0, spo2=84).takes(5).reads(60, spo2=97).reads(120, spo2=97).reads(90, arrives=130, spo2=83)

        assert ada.told() == ["raised", "resolved", "reopened", "returned"]
        assert (ada.episode().acknowledged, ada.episode().count, ada.episode().worst_value) == (False, 2, 83)

    def test_what_was_known_to_be_critical_then_is_counted_only(self, ada):
        ada.reads(0, spo2=84).takes(5).reads(60, spo2=97).reads(30, arrives=61, spo2=83)

        assert (ada.told(), ada.episode().count) == (["raised", "resolved"], 2)

    def test_an_alert_that_ended_long_ago_is_not_counted_up(self, ada):
        ada.reads(0, spo2=88).reads(60, spo2=97).watched(spo2=97)
        for at in range(65, 500, 5):
            ada.reads(at, spo2=97)
        ada.reads(487, arrives=500, spo2=88)

        assert (ada.told(), ada.episode().count) == (["raised", "resolved"], 1)

    def test_a_history_that_lacks_the_newest_value_moves_nothing_back(self, ada):
        ada.watched().reads(0, spo2=84)
        ada.stored.clear()
        ada.reads(-3, arrives=1, spo2=97)

        assert (ada.standing().measured_at, ada.standing().value) == (when(0), 84)

    def test_history_is_asked_for_from_the_oldest_of_several(self, ada):
        ada.watched(every=30).steadily(0, 1500, every=30, spo2=97)
        readings = [Reading("M7", when(at), {Sign.SPO2: 97}) for at in (1490, 905, 1485)]

        (since,) = unordered(ada.state, readings, ada.limits).values()
        assert since < when(905)
        assert unordered(ada.state, readings[:1], ada.limits).keys() == {(Sign.SPO2, "M7")}

    def test_none_is_asked_for_what_is_in_order_history_or_of_a_stay_that_is_over(self, ada):
        ada.steadily(0, 1500, every=30, spo2=97)
        readings = [Reading("M7", when(1501), {Sign.SPO2: 97}), Reading("M7", when(800), {Sign.SPO2: 97})]
        readings += [Reading("M7", when(1400), {Sign.SPO2: 97}, closed=True), Reading("new", when(1), {Sign.SPO2: 97})]

        assert unordered(ada.state, readings, ada.limits) == {}


class TestDuplicates:
    def test_of_the_newest_value_count_once(self, ada):
        ada.reads(0, spo2=84).reads(0, arrives=5, spo2=84)

        assert (ada.told(), ada.episode().count) == (["raised"], 1)

    def test_of_older_values_tell_nothing(self, ada):
        ada.watched().steadily(0, 15, spo2=84).takes(16).steadily(20, 330, spo2=97)
        events, standing = len(ada.events), ada.standing()
        ada.reads(15, arrives=332, spo2=84)

        assert (len(ada.events), ada.standing()) == (events, standing)


class TestClockSetBack:
    """An hour, once on the devices with our own clock, once on ours alone; nothing that is open may end by it."""

    def beyond(self, ada):
        return ada.watched().steadily(0, 30, spo2=84).reads(0, "art", mean_bp=55)

    def test_values_still_beyond_keep_the_alert_active(self, ada):
        self.beyond(ada).reads(-HOUR + 35, arrives=-HOUR + 35, spo2=83)

        assert (ada.told(), ada.active(), ada.episode().last_value) == (["raised"], CRITICAL, 83)
        assert ada.active("blood_pressure_low") is CRITICAL

    def test_what_begins_then_is_raised_in_time(self, ada):
        ada.watched().reads(0, spo2=97).steadily(-HOUR + 5, -HOUR + 10, spo2=84)
        assert ada.told() == []

        ada.reads(-HOUR + 20, spo2=84)
        assert (ada.told(), ada.active()) == (["raised"], CRITICAL)

    def test_a_delay_that_runs_goes_on(self, ada):
        ada.watched().steadily(0, 10, spo2=84).steadily(-HOUR + 15, -HOUR + 25, spo2=84)

        assert (ada.told(), ada.active()) == (["raised"], CRITICAL)

    def test_a_return_still_takes_the_clear_time(self, ada):
        self.beyond(ada).takes(31).steadily(-HOUR + 35, -HOUR + 330, spo2=97)
        assert ada.active() is CRITICAL

        ada.reads(-HOUR + 335, spo2=97)
        assert ada.told() == ["raised", "resolved"]

    def test_readings_out_of_order_go_on_to_be_folded(self, ada):
        ada.watched().reads(0, spo2=97).reads(-HOUR + 5, spo2=97).reads(-HOUR + 25, spo2=84)
        ada.reads(-HOUR + 8, arrives=-HOUR + 26, spo2=84)

        assert (ada.told(), ada.active()) == (["raised"], CRITICAL)

    def test_a_state_without_older_standings_goes_on_too(self, ada):
        self.beyond(ada).state.anchors.clear()
        ada.reads(-HOUR + 35, spo2=84)

        assert (ada.told(), ada.active()) == (["raised"], CRITICAL)

    def test_looks_end_nothing(self, ada):
        self.beyond(ada).looks(-HOUR).waits(-HOUR, HOUR)

        assert (ada.told(), ada.is_open(), ada.active()) == (["raised"], True, CRITICAL)

    def test_silence_still_confirms_within_its_time(self, ada):
        ada.watched().reads(0, spo2=84).looks(-HOUR).looks(-HOUR + 15)

        assert ada.told() == ["raised"]

    def test_a_sensor_that_was_silent_stays_silent(self, ada):
        ada.watched().watched("ecg", heart_rate=70).steadily(0, 300, "ecg", heart_rate=70)
        assert ada.is_open("no_data")

        ada.looks(-HOUR).steadily(-HOUR, -HOUR + 60, "ecg", heart_rate=70)
        assert ada.told("no_data") == ["raised"]

    def test_a_sensor_that_falls_silent_then_is_missed_in_time(self, ada):
        ada.watched().watched("ecg", heart_rate=70).looks(-HOUR).steadily(-HOUR, -HOUR + 130, "ecg", heart_rate=70)

        assert ada.told("no_data") == ["raised"]

    def test_our_clock_alone_ends_nothing_either(self, ada):
        self.beyond(ada).reads(35, arrives=-HOUR + 35, spo2=84)

        assert (ada.told(), ada.active()) == (["raised"], CRITICAL)


def test_the_history_may_be_unsorted(ada):
    ada.watched().reads(20, spo2=84)
    history = {(Sign.SPO2, "M7"): [Sample(when(20), 84), *(Sample(when(at), 97) for at in range(-5, -186, -5))]}

    state, _ = alarm.follow(ada.state, [Reading("M7", when(3), {Sign.SPO2: 84})], ada.limits, now=when(21), history=history)

    assert alarm.active(state, "spo2_low") is CRITICAL
