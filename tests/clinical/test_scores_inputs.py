"""Which values a score is computed from: the newest of each, young enough, artefacts outvoted."""

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.clinical.scores import news2
from monitoring.clinical.scores.inputs import MAXIMUM_AGES, Input, choose
from monitoring.clinical.scores.observations import Observations

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


def said(value, **ago) -> Input:
    return Input(value, NOW - timedelta(**ago))


def test_the_newest_of_each_input_is_taken_with_its_age():
    chosen = choose(
        {"systolic_bp": [said(90, minutes=5), said(120, minutes=40)], "consciousness": [said("A", hours=7)]}, at=NOW
    )

    assert chosen.observations == Observations(systolic_bp=90, consciousness="A")
    assert chosen.ages == {"systolic_bp": timedelta(minutes=5), "consciousness": timedelta(hours=7)}
    assert chosen.too_old == {}


@pytest.mark.parametrize(
    ("field", "value", "maximum"),
    [
        ("heart_rate", 80, timedelta(minutes=10)),
        ("respiratory_rate", 16, timedelta(minutes=10)),
        ("spo2", 97, timedelta(minutes=10)),
        ("systolic_bp", 120, timedelta(hours=1)),
        ("body_temp", 37, timedelta(hours=4)),
        ("consciousness", "A", timedelta(hours=8)),
        ("on_oxygen", False, timedelta(hours=12)),
    ],
)
def test_an_input_speaks_up_to_its_own_age_and_then_is_missing(field, value, maximum):
    on_time = choose({field: [Input(value, NOW - maximum)]}, at=NOW)
    late = choose({field: [Input(value, NOW - maximum - timedelta(seconds=1))]}, at=NOW)

    assert (getattr(on_time.observations, field), on_time.ages) == (value, {field: maximum})
    assert (late.observations, late.ages) == (Observations(), {})
    assert late.too_old == {field: maximum + timedelta(seconds=1)}
    assert field in news2.score(late.observations).missing


def test_one_artefact_in_the_last_minute_scores_nothing():
    beats = [said(80, seconds=50), said(82, seconds=30), said(81, seconds=10), said(190, seconds=0)]

    assert choose({"heart_rate": beats}, at=NOW).observations.heart_rate == 81.5


def test_the_minute_of_the_median_ends_with_the_newest_value():
    old_minute = [said(70, minutes=7), said(99, minutes=5, seconds=59), said(101, minutes=5)]

    assert choose({"heart_rate": old_minute}, at=NOW).observations.heart_rate == 100


def test_words_are_never_averaged_and_the_worse_of_one_moment_counts():
    chosen = choose({"consciousness": [said("P", hours=1), said("A", minutes=1), said("V", minutes=1)]}, at=NOW)

    assert chosen.observations.consciousness == "V"


def test_a_fast_clock_counts_as_now():
    assert choose({"spo2": [Input(97, NOW + timedelta(seconds=20))]}, at=NOW).ages == {"spo2": timedelta()}


@pytest.mark.parametrize(
    ("samples", "has_oxygen"),
    [
        ({"on_oxygen": [said(False, hours=1)], "oxygen_flow": [said(2, hours=3)]}, False),
        ({"on_oxygen": [said(False, hours=3)], "oxygen_flow": [said(2, hours=1)]}, True),
        ({"on_oxygen": [said(True, hours=3)], "oxygen_flow": [said(0, hours=1)]}, False),
        ({"on_oxygen": [said(False, hours=1)], "oxygen_flow": [said(2, hours=1)]}, True),
        ({"on_oxygen": [said(False, hours=1)], "respiratory_support": [said("cpap", hours=2)]}, False),
        ({"on_oxygen": [said(True, hours=2)], "oxygen_percent": [said(21, hours=1)]}, False),
    ],
)
def test_the_newest_word_on_oxygen_rules(samples, has_oxygen):
    assert choose(samples, at=NOW).observations.has_oxygen is has_oxygen


def test_what_is_not_measured_comes_with_the_patient():
    patient = Observations(spo2_scale=2, age_months=960)

    chosen = choose({"spo2": [said(90, minutes=1)]}, at=NOW, patient=patient)

    assert chosen.observations == Observations(spo2=90, spo2_scale=2, age_months=960)


def test_nothing_said_leaves_everything_missing():
    assert choose({"spo2": []}, at=NOW).observations == Observations()


def test_every_input_that_is_measured_has_a_maximum_age():
    standing = {"spo2_scale", "age_months", "pregnant"}

    assert set(MAXIMUM_AGES) == set(Observations.__slots__) - standing


def test_an_input_without_a_maximum_age_is_refused():
    with pytest.raises(KeyError):
        choose({"glucose": [said(5, minutes=1)]}, at=NOW)
