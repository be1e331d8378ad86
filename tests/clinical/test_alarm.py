"""The alarm rule, edge by edge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.clinical.alarm import COOLDOWN, LIVE_WINDOW, MEMORY, Episode, Reading, State, What, follow
from monitoring.clinical.limits import ADULT, Limits, Severity
from monitoring.clinical.signs import Sign

START = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


class Ward:
    """One patient's course, told step by step; seconds count from START."""

    def __init__(self) -> None:
        self.state = State()
        self.happened: list[str] = []
        self.limits = dict(ADULT)

    def reads(self, at: float, sensor: str = "M7", *, arrives: float | None = None, closed: bool = False, **values: float):
        reading = Reading(sensor, self.when(at), {Sign(name): value for name, value in values.items()}, closed=closed)
        now = self.when(at if arrives is None else arrives)
        self.state, events = follow(self.state, reading, self.limits, now=now)
        self.happened += [event.what.value for event in events if event.what is not What.COUNTED]
        return self

    def episode(self, condition: str = "spo2_low") -> Episode:
        return self.state.episodes[condition]

    def is_open(self, condition: str = "spo2_low") -> bool:
        return condition in self.state.episodes and self.episode(condition).resolved_at is None

    def taken(self, condition: str = "spo2_low") -> Ward:
        episode = self.episode(condition)
        self.state.episodes[condition] = Episode(
            **{name: getattr(episode, name) for name in episode.__slots__ if name != "acknowledged"}, acknowledged=True
        )
        return self

    @staticmethod
    def when(seconds: float) -> datetime:
        return START + timedelta(seconds=seconds)


@pytest.fixture
def ward() -> Ward:
    return Ward()


def test_a_breach_raises_and_its_return_resolves(ward):
    ward.reads(0, spo2=84).reads(1, spo2=95)

    assert ward.happened == ["raised", "resolved"]
    assert not ward.is_open()


def test_while_open_worst_last_and_count_move(ward):
    ward.reads(0, spo2=84).reads(1, spo2=80).reads(2, spo2=82)

    episode = ward.episode()
    assert (episode.worst_value, episode.last_value, episode.count, ward.happened) == (80, 82, 3, ["raised"])


def test_the_value_that_came_back_is_the_last_one(ward):
    ward.reads(0, spo2=84).reads(1, spo2=97)

    assert (ward.episode().worst_value, ward.episode().last_value) == (84, 97)


def test_severity_follows_the_present_and_a_rise_needs_a_new_hand(ward):
    ward.reads(0, spo2=88).taken().reads(1, spo2=84)

    assert ward.happened == ["raised", "risen"]
    assert (ward.episode().severity, ward.episode().acknowledged, ward.episode().limit) == (Severity.CRITICAL, False, 85)


def test_easing_keeps_the_hand_that_took_it(ward):
    ward.reads(0, spo2=84).taken().reads(1, spo2=88)

    assert ward.happened == ["raised", "eased"]
    assert (ward.episode().severity, ward.episode().acknowledged) == (Severity.WARNING, True)


def test_within_the_cooldown_the_same_alert_is_reopened(ward):
    ward.reads(0, spo2=84).reads(1, spo2=95)
    first = ward.episode().id
    ward.reads(COOLDOWN.total_seconds(), spo2=84)

    assert ward.happened == ["raised", "resolved", "reopened"]
    assert ward.episode().id == first


def test_after_the_cooldown_it_is_a_new_alert(ward):
    ward.reads(0, spo2=84).reads(1, spo2=95)
    first = ward.episode().id
    ward.reads(1 + COOLDOWN.total_seconds(), spo2=84)

    assert ward.happened == ["raised", "resolved", "raised"]
    assert ward.episode().id != first


def test_a_worse_return_within_the_cooldown_is_a_new_alert(ward):
    ward.reads(0, spo2=88).reads(1, spo2=95).reads(2, spo2=84)

    assert ward.happened == ["raised", "resolved", "raised"]


def test_a_reopened_warning_keeps_its_hand_and_a_reopened_critical_does_not(ward):
    ward.reads(0, spo2=88).taken().reads(1, spo2=95).reads(2, spo2=88)
    assert ward.episode().acknowledged

    other = Ward()
    other.reads(0, spo2=84).taken().reads(1, spo2=95).reads(2, spo2=84)
    assert not other.episode().acknowledged


def test_one_sensor_does_not_end_what_another_stands_at(ward):
    ward.reads(0, "art", mean_bp=55).reads(1, "cuff", mean_bp=80)
    assert ward.is_open("blood_pressure_low")

    ward.reads(2, "art", mean_bp=80)
    assert not ward.is_open("blood_pressure_low")


def test_the_pressures_are_one_alert_led_by_the_one_that_stands_beyond(ward):
    ward.reads(0, systolic_bp=85, mean_bp=70).reads(1, systolic_bp=78, mean_bp=55).reads(2, systolic_bp=95, mean_bp=60)

    episode = ward.episode("blood_pressure_low")
    assert ward.happened == ["raised", "risen"]
    assert (episode.sign, episode.value, episode.last_value) == (Sign.MEAN_BP, 55, 60)


def test_low_and_high_are_two_conditions(ward):
    ward.reads(0, heart_rate=30).reads(1, heart_rate=150)

    assert ward.happened == ["raised", "raised", "resolved"]
    assert ward.is_open("heart_rate_high")
    assert not ward.is_open("heart_rate_low")


def test_an_older_reading_ends_nothing(ward):
    ward.reads(10, spo2=84).reads(5, arrives=11, spo2=97)

    assert ward.is_open()
    assert ward.episode().last_value == 84


def test_an_older_breach_that_is_over_already_is_raised_and_ends_at_once(ward):
    ward.reads(10, spo2=97).reads(5, arrives=11, spo2=84)

    assert ward.happened == ["raised", "resolved"]


def test_an_older_breach_of_an_alert_that_just_ended_is_counted_into_it(ward):
    ward.reads(0, spo2=84).reads(2, spo2=97).reads(1, arrives=3, spo2=80)

    assert ward.happened == ["raised", "resolved"]
    assert (ward.episode().count, ward.episode().worst_value) == (2, 80)


def test_an_older_critical_reading_is_shown_though_a_warning_stands(ward):
    ward.reads(10, spo2=88).reads(9, arrives=11, spo2=80)

    assert ward.happened == ["raised", "risen", "eased"]
    assert (ward.episode().severity, ward.episode().worst_value) == (Severity.WARNING, 80)


@pytest.mark.parametrize(("more", "what"), [(0, "raised"), (0.001, "recorded")])
def test_ten_minutes_are_live_and_more_is_history(ward, more, what):
    ward.reads(0, arrives=LIVE_WINDOW.total_seconds() + more, spo2=84)

    assert ward.happened == [what]


def test_late_readings_of_one_excursion_are_one_record(ward):
    for minute in range(5):
        ward.reads(60 * minute, arrives=3600, spo2=84 - minute)

    record = ward.state.records["spo2_low"]
    assert ward.happened == ["recorded"]
    assert (record.count, record.worst_value, record.resolved_at) == (5, 80, Ward.when(3600))


def test_late_readings_neither_open_nor_hold_a_live_alert(ward):
    ward.reads(0, "cuff", arrives=3600, mean_bp=50)
    ward.reads(3601, "art", mean_bp=50).reads(3602, "art", mean_bp=80)

    assert ward.happened == ["recorded", "raised", "resolved"]


def test_a_late_reading_that_is_still_beyond_keeps_the_alert_it_had(ward):
    ward.reads(0, spo2=84).reads(60, arrives=3600, spo2=83)

    assert ward.happened == ["raised"]
    assert (ward.is_open(), ward.episode().count) == (True, 2)


def test_of_a_stay_that_is_over_everything_is_history(ward):
    ward.reads(0, spo2=84, closed=True)

    assert ward.happened == ["recorded"]


def test_a_straggler_of_a_stay_that_is_over_is_history_though_its_sensor_held_an_alert(ward):
    ward.reads(0, spo2=84).reads(1, spo2=84, closed=True)

    assert ward.happened == ["raised", "recorded", "resolved"]
    assert not ward.is_open()


def test_another_sensor_that_goes_beyond_after_the_first_fell_silent_needs_a_hand_of_its_own(ward):
    ward.reads(0, "art", mean_bp=55).taken("blood_pressure_low")
    ward.reads(600, "cuff", mean_bp=90).reads(610, "cuff", mean_bp=30)

    episode = ward.episode("blood_pressure_low")
    assert ward.happened == ["raised", "reraised"]
    assert (episode.acknowledged, episode.value, episode.worst_value) == (False, 30, 30)


def test_while_the_first_sensor_goes_on_a_second_one_calls_nobody(ward):
    ward.reads(0, "art", mean_bp=55).taken("blood_pressure_low")
    ward.reads(1, "art", mean_bp=54).reads(2, "cuff", mean_bp=50)

    assert ward.happened == ["raised"]
    assert ward.episode("blood_pressure_low").acknowledged


def test_new_limits_judge_the_next_reading_of_the_condition(ward):
    ward.reads(0, spo2=88)
    ward.limits[Sign.SPO2] = Limits(80, 86, None, None)
    ward.reads(1, spo2=88)

    assert ward.happened == ["raised", "resolved"]


def test_new_limits_free_a_sensor_that_will_not_speak_again(ward):
    ward.reads(0, "cuff", mean_bp=60).reads(1, "art", mean_bp=80)
    ward.limits[Sign.MEAN_BP] = Limits(50, 55, None, None)
    ward.reads(2, "art", mean_bp=80)

    assert not ward.is_open("blood_pressure_low")


def test_a_clock_set_back_takes_nothing_back(ward):
    ward.reads(3600, spo2=84).reads(3601, arrives=1, spo2=83)

    assert ward.is_open()


def test_a_silent_sensor_is_forgotten_unless_it_holds_an_alert(ward):
    ward.reads(0, "quiet", heart_rate=70).reads(0, "beyond", heart_rate=150)
    ward.reads(MEMORY.total_seconds() + 1, "M7", spo2=97)

    assert list(ward.state.standings[Sign.HEART_RATE]) == ["beyond"]


def test_the_state_that_was_given_is_left_as_it_was(ward):
    ward.reads(0, spo2=84)
    before = ward.state
    kept = before.copy()

    follow(before, Reading("M7", Ward.when(1), {Sign.SPO2: 97}), ADULT, now=Ward.when(1))

    assert before == kept


def test_a_sensors_rhythm_is_known_and_a_gap_lengthens_it_at_most_twice(ward):
    ward.reads(0, spo2=97).reads(1, spo2=97).reads(601, spo2=97)

    assert ward.state.standings[Sign.SPO2]["M7"].interval == 2
