"""Corrections: what a sensor's values have come to, had it always measured the new one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitoring.clinical import alarm, corrections
from monitoring.clinical.corrections import Change
from monitoring.clinical.episode import Reading
from monitoring.clinical.limits import Severity
from monitoring.clinical.signs import Sign
from tests.clinical.bedside import Bedside, when
from tests.clinical.correcting import HOUR, MINUTE, NURSE, corrected


class TestAYoungReading:
    def test_that_was_never_beyond_ends_its_warning(self):
        bed = Bedside().reads(0, NURSE, spo2=88)

        corrected(bed, 0, 60, sensor=NURSE, was={"spo2": 88}, became={"spo2": 98})

        assert bed.told() == ["raised", "resolved"]
        assert bed.standing(sensor=NURSE).value == 98

    def test_that_was_never_critical_leaves_the_alert_until_somebody_takes_it(self):
        bed = Bedside().watched().reads(0, spo2=48).reads(5, spo2=97)

        corrected(bed, 0, 60, was={"spo2": 48}, became={"spo2": 98})

        assert bed.told() == ["raised", "returned"]
        assert bed.is_open()

    def test_that_was_worse_than_it_seemed_calls_somebody(self):
        bed = Bedside().reads(0, NURSE, spo2=98)

        corrected(bed, 0, 60, sensor=NURSE, was={"spo2": 98}, became={"spo2": 78})

        assert bed.told() == ["raised"]
        assert bed.active() is Severity.CRITICAL
        assert (bed.episode().value, bed.episode().count) == (78, 1)

    def test_of_a_steady_sensor_waits_for_its_delay_as_any_other(self):
        bed = Bedside().watched().steadily(0, 60, spo2=97)

        corrected(bed, 30, 61, was={"spo2": 97}, became={"spo2": 84})

        assert bed.told() == []

    def test_makes_a_stretch_long_enough(self):
        bed = Bedside().watched().steadily(0, 5, spo2=84).reads(10, spo2=97).steadily(15, 20, spo2=84).steadily(25, 60, spo2=97)
        assert bed.told() == []

        corrected(bed, 10, 61, was={"spo2": 97}, became={"spo2": 84})

        assert bed.told() == ["raised"]

    def test_breaks_a_stretch_that_alarmed(self):
        bed = Bedside().watched().steadily(0, 15, spo2=88)
        assert bed.told() == ["raised"]

        for at in (0, 5, 10, 15):
            corrected(bed, at, 16, was={"spo2": 88}, became={"spo2": 97})

        assert bed.told() == ["raised", "resolved"]

    def test_another_beyond_is_no_second_reading(self):
        bed = Bedside().reads(0, NURSE, spo2=88)

        corrected(bed, 0, 60, sensor=NURSE, was={"spo2": 88}, became={"spo2": 89})

        assert bed.told() == ["raised"]
        assert bed.episode().count == 1


class TestInError:
    def test_the_only_value_of_its_sensor_is_gone(self):
        bed = Bedside().reads(0, NURSE, spo2=88)

        corrected(bed, 0, HOUR, sensor=NURSE, was={"spo2": 88})

        assert bed.told() == ["raised", "resolved"]
        assert NURSE not in bed.state.standings[Sign.SPO2]

    def test_the_value_before_stands_again(self):
        bed = Bedside().reads(0, NURSE, spo2=88).reads(5 * MINUTE, NURSE, spo2=97)
        assert bed.told() == ["raised", "resolved"]

        corrected(bed, 5 * MINUTE, 6 * MINUTE, sensor=NURSE, was={"spo2": 97})

        assert bed.standing(sensor=NURSE).value == 88
        assert bed.told()[-1] in {"reopened", "raised"}

    def test_what_it_called_for_by_the_score_is_over_at_once(self):
        bed = Bedside().reads(0, "N1", spo2=97, heart_rate=70, systolic_bp=120, body_temp=37, respiratory_rate=26)
        bed.reads(0, "N1", seen={"consciousness": "A", "on_oxygen": True})
        bed.takes(30, "news2")
        assert bed.told("news2")[0] == "raised"

        corrected(bed, 0, 60, sensor="N1", was={"respiratory_rate": 26}, became={"respiratory_rate": 16})

        assert bed.told("news2")[-1] == "resolved"


class TestAnInputThatTheScoreHolds:
    """Of half an hour ago, when it called: by now it is missing, and counts as it did."""

    CALM = {"spo2": 97, "heart_rate": 70, "systolic_bp": 120, "body_temp": 37, "respiratory_rate": 26}

    def bed(self, before=22, **other):
        bed = Bedside().reads(0, "N1", respiratory_rate=before)
        bed.reads(HOUR, "N1", seen={"consciousness": "A", "on_oxygen": True}, **self.CALM | other)
        bed.looks(HOUR + 30 * MINUTE)
        assert bed.told("news2") == ["raised"]
        return bed

    def test_goes_on_when_an_older_one_is_corrected(self):
        bed = self.bed()

        corrected(bed, 0, HOUR + 30 * MINUTE, sensor="N1", was={"respiratory_rate": 22}, became={"respiratory_rate": 16})

        assert bed.told("news2") == ["raised"]

    def test_goes_on_with_as_many_points_as_it_had(self):
        bed = self.bed()

        corrected(bed, HOUR, HOUR + 30 * MINUTE, sensor="N1", was=self.CALM, became=self.CALM | {"respiratory_rate": 27})

        assert bed.told("news2") == ["raised"]

    def test_is_over_when_it_never_had_the_points(self):
        bed = self.bed()

        corrected(bed, HOUR, HOUR + 30 * MINUTE, sensor="N1", was=self.CALM, became=self.CALM | {"respiratory_rate": 16})

        assert bed.told("news2") == ["raised", "resolved"]

    def test_eases_to_what_it_would_have_called_for(self):
        fever = self.CALM | {"body_temp": 39.2}
        bed = self.bed(body_temp=39.2)
        assert bed.episode("news2").severity is Severity.CRITICAL
        bed.takes(HOUR + 29 * MINUTE, "news2")

        corrected(bed, HOUR, HOUR + 30 * MINUTE, sensor="N1", was=fever, became=fever | {"respiratory_rate": 22})

        assert bed.told("news2")[-1] == "eased"
        assert bed.episode("news2").severity is Severity.WARNING

    def test_entered_in_error_falls_back_to_the_one_before(self):
        alike, better = self.bed(before=26), self.bed(before=16)

        for bed in (alike, better):
            corrected(bed, HOUR, HOUR + 30 * MINUTE, sensor="N1", was=self.CALM)

        assert alike.told("news2") == ["raised"]
        assert better.told("news2") == ["raised", "resolved"]

    def test_of_a_device_that_was_taken_off_goes_on_when_something_else_is_corrected(self):
        others = {name: value for name, value in self.CALM.items() if name != "respiratory_rate"}
        bed = Bedside().reads(0, "N1", seen={"consciousness": "A", "on_oxygen": False}, **others)
        bed.reads(10, "M7", respiratory_rate=26).reads(20, "N1", heart_rate=95).releases(60).reads(70, "N1", spo2=97)
        assert bed.told("news2") == ["raised"]

        corrected(bed, 20, 90, sensor="N1", was={"heart_rate": 95}, became={"heart_rate": 72})

        assert bed.told("news2") == ["raised"]

    @pytest.mark.parametrize(("right", "told"), [(16, ["raised", "resolved"]), (30, ["raised"])])
    def test_of_a_device_that_was_taken_off_goes_by_what_is_right(self, right, told):
        others = {name: value for name, value in self.CALM.items() if name != "respiratory_rate"}
        bed = Bedside().reads(0, "N1", seen={"consciousness": "A", "on_oxygen": False}, **others)
        bed.reads(10, "M7", respiratory_rate=26).releases(60).takes(70, "news2")

        corrected(bed, 10, 30 * MINUTE, was={"respiratory_rate": 26}, became={"respiratory_rate": right})
        bed.reads(31 * MINUTE, "N1", spo2=97).reads(50 * MINUTE, "N1", spo2=97)

        assert bed.told("news2") == told


def test_a_wrong_value_takes_its_call_along_and_no_earlier_one():
    calm = {"spo2": 97, "heart_rate": 70, "systolic_bp": 120, "body_temp": 37, "respiratory_rate": 16}
    bed = Bedside().reads(0, "N1", seen={"consciousness": "A", "on_oxygen": False}, **calm)
    bed.reads(1 * MINUTE, "N1", respiratory_rate=26).reads(10 * MINUTE, "N1", respiratory_rate=22)
    bed.reads(20 * MINUTE, "N1", respiratory_rate=27)

    corrected(bed, 20 * MINUTE, 21 * MINUTE, sensor="N1", was={"respiratory_rate": 27})

    assert bed.told("news2") == ["raised"]
    bed.reads(90 * MINUTE, "N1", respiratory_rate=18)
    assert bed.told("news2") == ["raised", "resolved"]


class TestAWrongValueThatLetTheScoreGo:
    """RR 26 called at 1 h; at 1:10 somebody wrote 16, which was of another patient."""

    CALM = {"spo2": 97, "heart_rate": 70, "systolic_bp": 120, "body_temp": 37, "respiratory_rate": 16}

    def bed(self):
        bed = Bedside().reads(0, "N1", seen={"consciousness": "A", "on_oxygen": False}, **self.CALM)
        return bed.reads(HOUR, "N1", respiratory_rate=26)

    def in_error(self, bed, at):
        return corrected(bed, HOUR + 10 * MINUTE, at, sensor="N1", was={"respiratory_rate": 16})

    @pytest.mark.parametrize("minutes", [15, 35, 100])
    def test_brings_back_the_alert_that_it_ended(self, minutes):
        bed = self.bed().takes(HOUR + 60, "news2").reads(HOUR + 10 * MINUTE, "N1", respiratory_rate=16)
        bed.reads(HOUR + 30 * MINUTE, "N1", spo2=97).reads(HOUR + 100 * MINUTE, "N1", spo2=97)
        first = bed.episode("news2")
        assert not first.is_open

        self.in_error(bed, HOUR + (100 + minutes) * MINUTE)

        back = bed.episode("news2")
        assert (back.id, back.is_open, back.acknowledged, back.detail) == (first.id, True, False, first.detail)
        assert bed.told("news2") == ["raised", "resolved", "reopened"]
        bed.reads(HOUR + 300 * MINUTE, "N1", spo2=97)
        assert bed.is_open("news2")

    def test_ends_nothing_any_more(self):
        bed = self.bed().reads(HOUR + 10 * MINUTE, "N1", respiratory_rate=16)
        self.in_error(bed, HOUR + 35 * MINUTE)

        bed.reads(HOUR + 100 * MINUTE, "N1", spo2=97).reads(HOUR + 200 * MINUTE, "N1", spo2=97)

        assert bed.told("news2") == ["raised"]

    def test_stays_ended_by_a_right_value_since(self):
        bed = self.bed().takes(HOUR + 60, "news2").reads(HOUR + 10 * MINUTE, "N1", respiratory_rate=16)
        bed.reads(HOUR + 80 * MINUTE, "N1", respiratory_rate=15)

        self.in_error(bed, HOUR + 85 * MINUTE)

        assert bed.told("news2") == ["raised", "resolved"]

    def test_stays_ended_where_it_had_ended_before(self):
        bed = self.bed().takes(HOUR + 60, "news2").reads(HOUR + 5 * MINUTE, "N1", respiratory_rate=15)
        bed.reads(HOUR + 30 * MINUTE, "N1", respiratory_rate=15)
        assert not bed.is_open("news2")
        bed.reads(2 * HOUR, "N1", respiratory_rate=23).reads(2 * HOUR + 60, "N1", respiratory_rate=16)

        corrected(bed, 2 * HOUR + 60, 3 * HOUR, sensor="N1", was={"respiratory_rate": 16}, became={"respiratory_rate": 26})

        assert bed.told("news2") == ["raised", "resolved"]


class TestAnOldReading:
    def test_calls_nobody_and_is_recorded(self):
        bed = Bedside().reads(0, NURSE, spo2=98)

        corrected(bed, 0, 20 * MINUTE, sensor=NURSE, was={"spo2": 98}, became={"spo2": 78})

        assert bed.told() == ["recorded"]
        assert bed.standing(sensor=NURSE).value == 78
        assert bed.active() is None

    def test_that_still_holds_an_alert_lets_it_go(self):
        bed = Bedside().reads(0, NURSE, body_temp=39.4)

        corrected(bed, 0, 2 * HOUR, sensor=NURSE, was={"body_temp": 39.4}, became={"body_temp": 36.9})

        assert bed.told("body_temp_high") == ["raised", "resolved"]

    def test_that_is_as_bad_as_it_was_holds_its_alert(self):
        bed = Bedside().reads(0, NURSE, body_temp=39.4)

        corrected(bed, 0, 2 * HOUR, sensor=NURSE, was={"body_temp": 39.4}, became={"body_temp": 39.1})

        assert bed.told("body_temp_high") == ["raised"]
        assert bed.active("body_temp_high") is Severity.WARNING

    def test_the_next_value_beyond_calls_all_the_same(self):
        bed = Bedside().reads(0, NURSE, spo2=98)
        corrected(bed, 0, 20 * MINUTE, sensor=NURSE, was={"spo2": 98}, became={"spo2": 78})

        bed.reads(21 * MINUTE, NURSE, spo2=79)

        assert bed.told()[-1] == "raised"

    def test_of_a_stay_that_is_over_is_only_recorded(self):
        bed = Bedside().reads(0, NURSE, spo2=98)

        corrected(bed, 0, MINUTE, sensor=NURSE, was={"spo2": 98}, became={"spo2": 78}, closed=True)

        assert bed.told() == ["recorded"]
        assert bed.standing(sensor=NURSE).value == 98


def test_what_was_made_of_a_steady_sensor_long_after_is_confirmed_by_no_silence():
    bed = Bedside().watched().reads(0, spo2=97)

    corrected(bed, 0, 15 * MINUTE, was={"spo2": 97}, became={"spo2": 84}).waits(15 * MINUTE, 20 * MINUTE)

    assert bed.told() == ["recorded"]


def test_what_has_too_much_behind_it_to_be_folded_again_is_recorded_however_young():
    bed = Bedside().watched().reads(0, spo2=97)
    change = Change(*(Reading("M7", when(0), {Sign.SPO2: value}) for value in (97, 48)))

    _, events = corrections.correct(bed.state, change, bed.limits, now=when(60), history={})

    assert [event.what.value for event in events] == ["recorded"]


def test_a_value_may_turn_out_to_be_of_another_sign():
    bed = Bedside().reads(0, NURSE, heart_rate=88)

    corrected(bed, 0, MINUTE, sensor=NURSE, was={"heart_rate": 88}, became={"spo2": 88})

    assert NURSE not in bed.state.standings[Sign.HEART_RATE]
    assert bed.standing(sensor=NURSE).value == 88
    assert bed.told() == ["raised"]


def test_a_sensor_that_was_taken_off_is_not_missed_because_a_reading_was_corrected():
    bed = Bedside().watched().steadily(0, 240, spo2=96)
    bed.state, _ = alarm.release(bed.state, ["M7"], bed.limits, now=when(250))

    corrected(bed, 240, 260, was={"spo2": 96}, became={"spo2": 95})

    assert bed.standing().value == 95
    bed.looks(HOUR)
    assert bed.told("no_data") == []


def test_what_comes_after_a_correction_goes_on_from_it():
    """As if the sensor had always said so: the same alerts from the same further values."""
    corrected_bed = Bedside().watched().steadily(0, 10, spo2=97)
    for at in (0, 5, 10):
        corrected(corrected_bed, at, 11, was={"spo2": 97}, became={"spo2": 84})
    honest = Bedside().watched().steadily(0, 10, spo2=84)

    for bed in (corrected_bed, honest):
        bed.steadily(15, 30, spo2=84)

    assert corrected_bed.told() == honest.told() == ["raised"]
    assert corrected_bed.standing().excursions == honest.standing().excursions


def test_the_given_state_stays_as_it_is():
    bed = Bedside().reads(0, NURSE, spo2=88)
    before, kept = bed.state, bed.state.copy()

    corrected(bed, 0, 60, sensor=NURSE, was={"spo2": 88}, became={"spo2": 98})

    assert before == kept


def test_an_observation_falls_back_to_the_one_before():
    bed = Bedside().reads(0, "N1", seen={"consciousness": "A"}).reads(60, "N1", seen={"consciousness": "P"})
    was = Reading("N1", when(60), {}, observed={"consciousness": "P"})
    before = Reading("N1", when(0), {}, observed={"consciousness": "A"})

    state, _ = corrections.correct(bed.state, Change(was, None, [before]), bed.limits, now=when(90), history={})

    assert state.observed["consciousness"].value == "A"
    assert state.observed["consciousness"].at == when(0) - timedelta()


VALUES = st.sampled_from([97, 91, 88, 84, 78])


@given(
    values=st.lists(VALUES, min_size=1, max_size=80),
    place=st.integers(0, 79),
    new=st.one_of(st.none(), VALUES),
    every=st.sampled_from([5, 20, 60]),
)
@example(values=[97, 97, 84, 84, 97], place=4, new=None, every=20)  # critical by two values, a warning waits for a fourth
@settings(max_examples=150, deadline=None)
def test_a_young_correction_leaves_the_sensor_as_if_it_had_always_said_so(values, place, new, every):
    """Whatever was measured before and after; `seen_at` is our clock, and was when it was.

    That a sensor sends steadily stays known, also where one of the readings by which it was found out counts no more.
    """
    place %= len(values)
    told, honest = (Bedside() if new else Bedside().watched() for _ in range(2))
    for number, value in enumerate(values):
        told.reads(number * every, spo2=value)
        if number != place:
            honest.reads(number * every, spo2=value)
        elif new is not None:
            honest.reads(number * every, spo2=new)
    end = (len(values) - 1) * every
    if end - place * every > 10 * MINUTE:
        return

    corrected(told, place * every, end, was={"spo2": values[place]}, became={"spo2": new} if new is not None else None)

    mine, theirs = (bed.state.standings.get(Sign.SPO2, {}).get("M7") for bed in (told, honest))
    assert (mine and replace(mine, seen_at=None)) == (theirs and replace(theirs, seen_at=None))
    assert told.active() == honest.active()


ROUNDS = st.tuples(st.sampled_from([2, 5, 12, 25, 40, 70]), st.sampled_from([16, 22, 26]), st.sampled_from([70, 115, 135]))


@given(
    rounds=st.lists(ROUNDS, min_size=2, max_size=6),
    place=st.integers(0, 5),
    taken=st.sampled_from([None, 0, 1, 2]),
    wait=st.sampled_from([1, 5, 20, 50]),
)
@settings(max_examples=150, deadline=None)
def test_a_round_in_error_leaves_no_call_of_the_score_ended_that_still_calls(rounds, place, taken, wait):
    """Had it never been written down, the score would call now: so it does."""
    place %= len(rounds)
    times = [MINUTE * sum(minutes for minutes, _, _ in rounds[: number + 1]) for number in range(len(rounds))]
    values = [{"respiratory_rate": rate, "heart_rate": pulse} for _, rate, pulse in rounds]
    end = times[-1] + wait * MINUTE

    def bed(*, wrong):
        bed = Bedside().reads(0, "N1", seen={"consciousness": "A", "on_oxygen": False}, spo2=97, systolic_bp=120, body_temp=37)
        for number, (at, said) in enumerate(zip(times, values, strict=True)):
            if wrong or number != place:
                bed.reads(at, "N1", **said)
            if number == taken:
                bed.takes(at + 30, "news2")
        return bed

    told, honest = bed(wrong=True), bed(wrong=False)
    corrected(told, times[place], end, sensor="N1", was=values[place])

    for each in (told, honest):
        each.reads(end + 10, "N1", spo2=97)
    calls = honest.state.scored is not None and honest.state.scored.rank > 0 and honest.is_open("news2")
    assert told.is_open("news2") or not calls
