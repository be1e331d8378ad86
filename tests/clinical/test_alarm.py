"""An alert's life, edge by edge."""

from __future__ import annotations

from copy import deepcopy

import pytest

from monitoring.clinical import alarm
from monitoring.clinical.episode import Reading
from monitoring.clinical.limits import Severity
from monitoring.clinical.signs import Sign
from tests.clinical.bedside import Bedside, when

CRITICAL, WARNING = Severity.CRITICAL, Severity.WARNING
PRESSURE = "blood_pressure_low"


@pytest.fixture
def ada() -> Bedside:
    return Bedside()


class TestRaised:
    @pytest.mark.parametrize(("value", "expected"), [(90, []), (89.9, ["raised"]), (85, ["raised"])])
    def test_a_value_equal_to_a_limit_is_inside(self, ada, value, expected):
        assert ada.reads(0, spo2=value).told() == expected

    def test_a_continuous_sensor_waits_for_its_delay(self, ada):
        ada.watched().steadily(0, 10, spo2=84)
        assert ada.told() == []

        ada.reads(15, spo2=84)
        assert (ada.told(), ada.episode().severity, ada.episode().count) == (["raised"], CRITICAL, 1)

    def test_while_open_worst_last_and_count_move(self, ada):
        ada.reads(0, spo2=84).reads(60, spo2=82).reads(120, spo2=83)

        episode = ada.episode()
        assert (episode.value, episode.worst_value, episode.last_value, episode.count) == (84, 82, 83, 3)
        assert ada.told() == ["raised"]

    def test_the_value_that_came_back_is_the_last_one(self, ada):
        ada.reads(0, spo2=84).reads(60, spo2=97)

        assert (ada.episode().worst_value, ada.episode().last_value) == (84, 97)

    def test_low_and_high_are_two_conditions(self, ada):
        ada.reads(0, heart_rate=45).reads(60, heart_rate=125)

        assert (ada.is_open("heart_rate_low"), ada.is_open("heart_rate_high")) == (False, True)

    def test_info_is_never_raised_for_a_sign(self, ada):
        assert ada.reads(0, spo2=91).told() == []


class TestRisenAndEased:
    def test_worse_calls_again_and_needs_a_new_hand(self, ada):
        ada.reads(0, spo2=88).takes(10).reads(60, spo2=84)

        episode = ada.episode()
        assert ada.told() == ["raised", "risen"]
        assert (episode.severity, episode.acknowledged, episode.limit) == (CRITICAL, False, 85)

    def test_what_somebody_took_eases_and_keeps_his_hand(self, ada):
        ada.reads(0, spo2=84).takes(10).reads(60, spo2=88)

        assert ada.told() == ["raised", "eased"]
        assert (ada.episode().severity, ada.episode().acknowledged) == (WARNING, True)

    def test_what_nobody_took_does_not_ease_and_what_is_active_is_said_apart(self, ada):
        ada.reads(0, spo2=84).reads(60, spo2=88)

        assert (ada.told(), ada.episode().severity, ada.active()) == (["raised"], CRITICAL, WARNING)

    def test_it_eases_when_it_is_taken(self, ada):
        ada.reads(0, spo2=84).reads(60, spo2=88).takes(70)

        assert (ada.told(), ada.episode().severity, ada.episode().acknowledged) == (["raised", "eased"], WARNING, True)


class TestEnd:
    def test_a_warning_resolves_by_itself(self, ada):
        ada.reads(0, spo2=88).reads(60, spo2=97)

        assert (ada.told(), ada.is_open()) == (["raised", "resolved"], False)

    def test_what_was_critical_waits_to_be_taken(self, ada):
        ada.reads(0, spo2=84).reads(60, spo2=97)

        assert (ada.told(), ada.is_open(), ada.episode().is_active, ada.active()) == (["raised", "returned"], True, False, None)
        assert ada.episode().returned_at == when(60)

    def test_taking_it_ends_it(self, ada):
        ada.reads(0, spo2=84).reads(60, spo2=97).takes(70)

        assert ada.told() == ["raised", "returned", "resolved"]
        assert (ada.episode().acknowledged, ada.episode().by_hand, ada.episode().resolved_at) == (True, False, when(70))

    def test_what_was_taken_before_resolves_by_itself(self, ada):
        ada.reads(0, spo2=84).takes(10).reads(60, spo2=97)

        assert ada.told() == ["raised", "resolved"]

    def test_while_it_waits_the_last_value_goes_on(self, ada):
        ada.reads(0, spo2=84).reads(60, spo2=97).reads(120, spo2=98)

        assert (ada.told(), ada.episode().last_value) == (["raised", "returned"], 98)


class TestReraised:
    def test_beyond_again_it_calls_again(self, ada):
        ada.reads(0, spo2=84).reads(60, spo2=97).reads(3600, spo2=84)

        assert ada.told() == ["raised", "returned", "reraised"]
        assert (ada.episode().returned_at, ada.episode().acknowledged) == (None, False)

    def test_beyond_again_by_less_it_is_still_critical_until_somebody_takes_it(self, ada):
        ada.reads(0, spo2=84).reads(60, spo2=97).reads(120, spo2=88)
        assert (ada.told()[-1], ada.episode().severity, ada.active()) == ("reraised", CRITICAL, WARNING)

        ada.reads(600, spo2=97)
        assert ada.told() == ["raised", "returned", "reraised", "returned"]

    def test_another_sensor_that_goes_beyond_after_the_first_fell_silent_needs_a_hand_of_its_own(self, ada):
        ada.reads(0, "art", mean_bp=55).takes(1, PRESSURE)
        ada.reads(600, "cuff", mean_bp=90).reads(660, "cuff", mean_bp=30)

        episode = ada.episode(PRESSURE)
        assert ada.told(PRESSURE) == ["raised", "reraised"]
        assert (episode.acknowledged, episode.value, episode.worst_value) == (False, 30, 30)

    def test_and_so_does_one_that_was_beyond_and_gets_as_bad(self):
        ada = Bedside().watched("art", mean_bp=80).steadily(0, 60, "art", mean_bp=55).takes(61, "blood_pressure_low")
        ada.reads(600, "cuff", mean_bp=63).takes(620, "blood_pressure_low").reads(1500, "cuff", mean_bp=45)

        assert ada.told("blood_pressure_low") == ["raised", "reraised", "reraised"]
        assert not ada.episode("blood_pressure_low").acknowledged

    def test_while_the_first_goes_on_a_second_one_calls_nobody(self, ada):
        ada.reads(0, "art", mean_bp=55).takes(1, PRESSURE).reads(10, "art", mean_bp=54).reads(20, "cuff", mean_bp=50)

        assert (ada.told(PRESSURE), ada.episode(PRESSURE).acknowledged) == (["raised"], True)

    def test_taken_over_by_a_lesser_sensor_it_stays_critical_until_somebody_takes_it(self, ada):
        ada.reads(0, "cuff", systolic_bp=75).reads(1, "cuff", systolic_bp=85).reads(63, "art", systolic_bp=85)

        assert (ada.told(PRESSURE), ada.episode(PRESSURE).severity) == (["raised", "reraised"], CRITICAL)


class TestReopened:
    @pytest.mark.parametrize(("after", "expected"), [(299.9, "reopened"), (300, "raised")])
    def test_the_cooldown_is_five_minutes(self, ada, after, expected):
        ada.reads(0, spo2=88).reads(60, spo2=97)
        first = ada.episode().id
        ada.reads(60 + after, spo2=88)

        assert ada.told() == ["raised", "resolved", expected]
        assert (ada.episode().id == first) is (expected == "reopened")

    def test_worse_than_before_is_a_new_alert(self, ada):
        ada.reads(0, spo2=88).reads(60, spo2=97).reads(120, spo2=84)

        assert ada.told() == ["raised", "resolved", "raised"]

    @pytest.mark.parametrize(("value", "kept"), [(88, True), (84, False)])
    def test_a_warning_keeps_its_hand_and_a_critical_one_does_not(self, ada, value, kept):
        ada.reads(0, spo2=value).takes(10).reads(60, spo2=97).reads(120, spo2=value)

        assert (ada.told(), ada.episode().acknowledged) == (["raised", "resolved", "reopened"], kept)


class TestDismissed:
    @pytest.mark.parametrize("after", [60, 3600])
    def test_still_beyond_it_is_the_same_alert_untaken(self, ada, after):
        ada.reads(0, spo2=84).takes(5)
        first = ada.episode().id
        ada.dismisses(10)
        assert (ada.is_open(), ada.episode().by_hand, ada.active()) == (False, True, None)

        ada.reads(after, spo2=84)
        assert (ada.told(), ada.episode().id) == (["raised", "resolved", "reopened"], first)
        assert (ada.episode().acknowledged, ada.episode().by_hand) == (False, False)

    def test_the_next_value_inside_leaves_it_ended(self, ada):
        ada.watched().steadily(0, 20, spo2=84).dismisses(21).reads(25, spo2=97).reads(30, spo2=84)

        assert (ada.told(), ada.active()) == (["raised", "resolved"], None)

    def test_silence_does_not_bring_it_back(self, ada):
        ada.watched().steadily(0, 20, spo2=84).dismisses(21).waits(21, 3600)

        assert ada.told() == ["raised", "resolved"]

    def test_older_values_that_arrive_do_not_bring_it_back(self, ada):
        ada.watched().steadily(0, 20, spo2=84).dismisses(21).reads(7, arrives=22, spo2=84)

        assert (ada.told(), ada.is_open()) == (["raised", "resolved"], False)

    def test_one_that_waited_to_be_taken_can_be_ended_so_too(self, ada):
        ada.reads(0, spo2=84).reads(60, spo2=97).dismisses(70)

        assert (ada.told(), ada.episode().returned_at) == (["raised", "returned", "resolved"], None)


class TestHandsOnNothing:
    @pytest.mark.parametrize("deed", ["takes", "dismisses"])
    def test_of_a_condition_that_never_was(self, ada, deed):
        assert getattr(ada, deed)(0).events == []

    @pytest.mark.parametrize("deed", ["takes", "dismisses"])
    def test_of_an_alert_that_has_ended(self, ada, deed):
        ada.reads(0, spo2=88).reads(60, spo2=97)
        ended = ada.episode()
        getattr(ada, deed)(70)

        assert (ada.episode(), ada.told()) == (ended, ["raised", "resolved"])

    def test_taking_twice_tells_nothing_more(self, ada):
        ada.reads(0, spo2=88).takes(10)
        told = len(ada.events)

        assert len(ada.takes(20).events) == told


class TestSensors:
    def test_one_does_not_end_what_another_stands_at(self, ada):
        ada.reads(0, "art", mean_bp=62).reads(1, "cuff", mean_bp=80)
        assert ada.is_open(PRESSURE)

        ada.reads(60, "art", mean_bp=80)
        assert not ada.is_open(PRESSURE)

    def test_the_worst_of_them_is_what_is_active(self, ada):
        ada.reads(0, "art", mean_bp=55).reads(1, "cuff", mean_bp=63)
        assert ada.active(PRESSURE) is CRITICAL

        ada.reads(60, "art", mean_bp=80)
        assert ada.active(PRESSURE) is WARNING

    def test_the_pressures_are_one_alert_led_by_the_worst(self, ada):
        ada.reads(0, systolic_bp=85, mean_bp=70).reads(60, systolic_bp=85, mean_bp=55)

        episode = ada.episode(PRESSURE)
        assert ada.told(PRESSURE) == ["raised", "risen"]
        assert (episode.sign, episode.value, episode.severity) == (Sign.MEAN_BP, 55, CRITICAL)

    def test_it_goes_on_until_every_pressure_is_back(self, ada):
        ada.reads(0, systolic_bp=85, mean_bp=62).reads(60, systolic_bp=120, mean_bp=62)
        assert ada.is_open(PRESSURE)

        ada.reads(120, systolic_bp=120, mean_bp=85)
        assert ada.told(PRESSURE) == ["raised", "resolved"]


class TestZeros:
    @pytest.mark.parametrize(("sign", "status"), [("heart_rate", "asystole"), ("respiratory_rate", "apnoea")])
    def test_a_word_for_a_stopped_rate_is_a_zero_also_where_zeros_are_absent(self, ada, sign, status):
        """Such a device's zero is struck before the rule sees it; its word stays."""
        ada.watched(**{sign: 20 if sign == "respiratory_rate" else 70}).reads(0, said={sign: status})

        assert ada.told(f"{sign}_low") == ["raised"]
        assert (ada.episode(f"{sign}_low").severity, ada.episode(f"{sign}_low").value) == (CRITICAL, 0)

    def test_a_true_zero_calls_at_once(self, ada):
        assert ada.watched(heart_rate=70).reads(0, heart_rate=0).told("heart_rate_low") == ["raised"]

    def test_an_absent_value_is_a_gap_and_ends_nothing(self, ada):
        ada.reads(0, spo2=88).reads(60, said={"spo2": "probe_off"}, heart_rate=70)

        assert (ada.told(), ada.active()) == (["raised"], WARNING)


class TestLimitsChanged:
    def test_new_limits_judge_the_next_value(self, ada):
        ada.reads(0, spo2=88).limited(Sign.SPO2, 80, 86)
        assert ada.is_open()

        assert ada.reads(60, spo2=88).told() == ["raised", "resolved"]

    def test_tighter_limits_raise_it(self, ada):
        ada.reads(0, spo2=88).limited(Sign.SPO2, 89, 95).reads(60, spo2=88)

        assert ada.told() == ["raised", "risen"]

    def test_of_a_continuous_sensor_it_still_takes_the_clear_time(self, ada):
        ada.watched().steadily(0, 20, spo2=88).limited(Sign.SPO2, 80, 86).steadily(25, 324, spo2=88)
        assert ada.is_open()

        assert ada.reads(325, spo2=88).told() == ["raised", "resolved"]

    @pytest.mark.parametrize(("value", "expected"), [(88, "resolved"), (84, "returned")])
    def test_without_limits_the_next_value_ends_it(self, ada, value, expected):
        ada.watched().steadily(0, 20, spo2=value).limited(Sign.SPO2)
        ada.looks(21)
        assert ada.is_open()

        assert ada.reads(25, spo2=value).told() == ["raised", expected]

    def test_taking_an_alert_whose_limits_are_gone_is_no_error(self, ada):
        ada.reads(0, spo2=84).limited(Sign.SPO2).takes(10)

        assert (ada.told(), ada.episode().acknowledged) == (["raised"], True)


class TestStateGiven:
    def test_is_left_as_it_was(self, ada):
        ada.watched("art", mean_bp=85).watched().steadily(0, 20, spo2=84).reads(20, "art", mean_bp=55)
        given, kept = ada.state, deepcopy(ada.state)

        alarm.follow(given, [Reading("M7", when(25), {Sign.SPO2: 97})], ada.limits, now=when(25))
        alarm.follow(given, [Reading("M7", when(3), {Sign.SPO2: 70})], ada.limits, now=when(25))
        alarm.look(given, ada.limits, now=when(900))
        alarm.look(given, ada.limits, now=when(-3600))
        alarm.take(given, "spo2_low", ada.limits, now=when(25))
        alarm.dismiss(given, "spo2_low", ada.limits, now=when(25))
        alarm.release(given, ["M7"], ada.limits, now=when(25))

        assert given == kept
