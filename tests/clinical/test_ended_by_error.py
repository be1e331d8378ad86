"""An alert that ended only by a reading that was never so stands again; what a correction makes of old values calls nobody."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.clinical import alarm
from monitoring.clinical.limits import Severity
from monitoring.clinical.signs import Sign
from tests.clinical.bedside import START, Bedside, when
from tests.clinical.correcting import HOUR, MINUTE, NURSE, corrected

AGES = pytest.mark.parametrize("age", [5 * MINUTE, 15 * MINUTE, HOUR])
HANDS = pytest.mark.parametrize("taken", [False, True], ids=["untaken", "taken"])


def of_another(bed, sensor, since, became=None, *, age):
    """Each value of the sensor since then was another patient's; somebody finds out when the last one has this age."""
    wrong = [(at - START).total_seconds() for at in bed.stored[Sign.SPO2, sensor] if at >= when(since)]
    for second in wrong:
        corrected(bed, second, max(wrong) + age, sensor=sensor, was={"spo2": 97}, became=became)


@AGES
@HANDS
@pytest.mark.parametrize("became", [None, {"spo2": 79}], ids=["in error", "beyond"])
def test_of_a_spot_sensor_it_stands_again_untaken(age, taken, became):
    bed = Bedside().reads(0, NURSE, spo2=84)
    raised = bed.takes(5).episode() if taken else bed.episode()
    bed.reads(60, NURSE, spo2=97)

    of_another(bed, NURSE, 60, became, age=age)

    assert bed.told() == ["raised", *(["resolved", "reopened"] if taken else ["returned", "reraised"])]
    assert (bed.episode().id, bed.episode().acknowledged, bed.episode().is_active) == (raised.id, False, True)
    assert bed.active() is Severity.CRITICAL


@AGES
@HANDS
def test_of_a_steady_sensor_it_does_too(age, taken):
    bed = Bedside().watched().steadily(0, 30, spo2=84)
    raised = bed.takes(31).episode() if taken else bed.episode()
    bed.steadily(60, 60 + 6 * MINUTE, every=60, spo2=97)
    assert bed.told()[-1] == ("resolved" if taken else "returned")

    of_another(bed, "M7", 60, age=age)

    assert bed.told()[-1] == ("reopened" if taken else "reraised")
    assert (bed.episode().id, bed.episode().acknowledged, bed.active()) == (raised.id, False, Severity.CRITICAL)


@AGES
@HANDS
def test_a_warning_is_in_no_hand_either(age, taken):
    bed = Bedside().reads(0, NURSE, spo2=88)
    bed = (bed.takes(5) if taken else bed).reads(60, NURSE, spo2=97)

    of_another(bed, NURSE, 60, age=age)

    assert bed.told() == ["raised", "resolved", "reopened"]
    assert (bed.episode().severity, bed.episode().acknowledged) == (Severity.WARNING, False)


@AGES
def test_what_it_had_eased_is_as_bad_as_it_was(age):
    bed = Bedside().reads(0, NURSE, spo2=84).takes(5).reads(60, NURSE, spo2=88)
    assert bed.told()[-1] == "eased"

    corrected(bed, 60, 60 + age, sensor=NURSE, was={"spo2": 88})

    assert bed.told()[-1] == "risen"
    assert not bed.episode().acknowledged


@AGES
def test_two_wrong_rounds_may_be_marked_in_either_order(age):
    for rounds in ([HOUR, 2 * HOUR], [2 * HOUR, HOUR]):
        bed = Bedside().reads(0, NURSE, spo2=84).takes(5).reads(HOUR, NURSE, spo2=97).reads(2 * HOUR, NURSE, spo2=97)

        for second in rounds:
            corrected(bed, second, 2 * HOUR + age, sensor=NURSE, was={"spo2": 97})

        assert bed.told() == ["raised", "resolved", "reopened"]
        assert bed.standing(sensor=NURSE).value == 84


@AGES
def test_what_silence_had_confirmed_does_too(age):
    bed = Bedside().watched().reads(0, spo2=84).waits(0, 100).takes(101)
    assert bed.told() == ["raised"]
    bed.reads(110, spo2=97).reads(110 + 5 * MINUTE, spo2=97)
    assert bed.told() == ["raised", "resolved"]

    of_another(bed, "M7", 110, age=age)

    assert bed.told() == ["raised", "resolved", "reopened"]


@AGES
def test_nothing_stands_again_that_a_person_had_ended_before_it(age):
    bed = Bedside().reads(0, NURSE, spo2=84).dismisses(30).reads(60, NURSE, spo2=97)

    of_another(bed, NURSE, 60, age=age)
    assert bed.told() == ["raised", "resolved"]

    bed.reads(60 + age + 5, NURSE, spo2=84)
    assert bed.told() == ["raised", "resolved", "reopened"]


@AGES
def test_what_a_person_ended_because_of_it_does(age):
    bed = Bedside().reads(0, NURSE, spo2=84).reads(60, NURSE, spo2=97).dismisses(70)

    of_another(bed, NURSE, 60, age=age)

    assert bed.told() == ["raised", "returned", "resolved", "reopened"]


@AGES
def test_nothing_stands_again_that_another_value_has_ended_since(age):
    bed = Bedside().reads(0, NURSE, spo2=84).takes(5).reads(60, NURSE, spo2=97).reads(70, NURSE, spo2=96)

    corrected(bed, 60, 70 + age, sensor=NURSE, was={"spo2": 97})

    assert bed.told() == ["raised", "resolved"]


@AGES
def test_it_joins_what_another_sensor_has_raised_since(age):
    bed = Bedside().reads(0, NURSE, spo2=84).takes(5).reads(60, NURSE, spo2=97).reads(500, "cuff", spo2=83)
    second = bed.takes(510).episode()

    of_another(bed, NURSE, 60, age=500 + age)
    bed.reads(500 + 560 + age, "cuff", spo2=97)

    assert bed.episode().id == second.id
    assert bed.active() is Severity.CRITICAL


def test_nothing_stands_again_that_nobody_was_told_of():
    """A value that was corrected when it was long past called nobody; that it stands anew is no reason to call."""
    bed = Bedside().reads(0, NURSE, spo2=98)
    corrected(bed, 0, 15 * MINUTE, sensor=NURSE, was={"spo2": 98}, became={"spo2": 78})
    bed.reads(16 * MINUTE, NURSE, spo2=97)

    of_another(bed, NURSE, 16 * MINUTE, age=15 * MINUTE)

    assert bed.told() == ["recorded"]
    assert bed.standing(sensor=NURSE).value == 78


@AGES
def test_nothing_stands_again_of_a_device_that_was_taken_off(age):
    bed = Bedside().reads(0, NURSE, spo2=84).takes(5).reads(60, NURSE, spo2=97)
    bed.state, _ = alarm.release(bed.state, [NURSE], bed.limits, now=when(70))

    of_another(bed, NURSE, 60, age=age)

    assert bed.told() == ["raised", "resolved"]


def test_what_is_as_bad_as_it_was_known_to_be_is_not_recorded_besides():
    bed = Bedside().reads(0, NURSE, spo2=84).takes(5).reads(60, NURSE, spo2=97)

    of_another(bed, NURSE, 60, {"spo2": 79}, age=15 * MINUTE)

    assert bed.told() == ["raised", "resolved", "reopened"]
    assert (bed.episode().value, bed.episode().worst_value, bed.episode().count) == (79, 79, 2)


def test_a_warning_that_turns_out_worse_long_after_is_a_warning_again():
    bed = Bedside().reads(0, NURSE, spo2=88).reads(60, NURSE, spo2=97)

    of_another(bed, NURSE, 60, {"spo2": 79}, age=15 * MINUTE)

    assert bed.told() == ["raised", "resolved", "reopened", "recorded"]
    assert bed.active() is Severity.WARNING


VALUES = st.sampled_from([97, 91, 88, 84, 78])
RUNS = st.lists(st.tuples(VALUES, st.booleans(), st.integers(1, 7)), min_size=1, max_size=6)


@given(runs=RUNS, every=st.sampled_from([60, 400, HOUR]), taken=st.booleans(), chance=st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_wrong_normals_marked_in_any_order_leave_no_alert_ended(runs, every, taken, chance):
    """What was told and would stand, had the wrong ones never come, stands in nobody's hand; and nothing that was not told."""
    told, honest = (Bedside().watched(every=60) if every == 60 else Bedside() for _ in range(2))
    active, wrong, second = [], [], 0
    for value, is_wrong, length in runs:
        for _ in range(length):
            second += every
            told.reads(second, spo2=value)
            active += told.standing().excursions
            if taken and told.is_open():
                told.takes(second)
            if is_wrong and value == 97:
                wrong.append(second)
            else:
                honest.reads(second, spo2=value)
    active += told.waits(second, second + 15 * MINUTE).standing().excursions
    chance.shuffle(wrong)
    calls, before = told.told(), told.active()

    for place in wrong:
        corrected(told, place, second + 15 * MINUTE, was={"spo2": 97})

    known = honest.state.standings.get(Sign.SPO2, {}).get("M7")
    stands = [
        each.severity
        for each in (known.excursions if known else ())
        if any(one.is_active and one.severity is each.severity and one.since >= each.since for one in active)
    ]
    assert told.active() == max(stands, key=lambda severity: severity.rank, default=None)
    assert told.active() is None or told.episode().is_active
    if told.told()[len(calls) :] and told.active() and before is None:
        assert not told.episode().acknowledged
