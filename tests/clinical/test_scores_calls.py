"""When a NEWS2 calls somebody, how badly, and in which words."""

import pytest

from monitoring.clinical.limits import Severity
from monitoring.clinical.scores import mews, news2
from monitoring.clinical.scores.calls import Note, call, message, note
from monitoring.clinical.signs import Sign
from tests.clinical.score_rows import observed

SEVEN = {"respiratory_rate": 25, "spo2": 93, "on_oxygen": True}


def of(**changes):
    return news2.score(observed(**changes))


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({}, None),
        ({"respiratory_rate": 21, "spo2": 94, "systolic_bp": 110}, None),  # 4
        ({"respiratory_rate": 25}, Severity.WARNING),  # a single 3
        ({"consciousness": "V"}, Severity.WARNING),
        ({"respiratory_rate": 21, "spo2": 92, "systolic_bp": 110}, Severity.WARNING),  # 5
        ({"respiratory_rate": 21, "spo2": 92, "systolic_bp": 95}, Severity.WARNING),  # 6
        (SEVEN, Severity.CRITICAL),
    ],
)
def test_crossing_5_7_or_a_single_3_calls(changes, severity):
    found = call(of(**changes), alarmed=())

    assert (found and found.severity) == severity


def test_a_call_says_what_a_nurse_must_know():
    found = call(of(**SEVEN, body_temp=37.95), alarmed=())

    assert found.message == "NEWS2 7: RR 25 (3), SpO₂ 93 (2), oxygen (2)"
    assert found.parts == {"respiratory_rate": 3, "spo2": 2, "on_oxygen": 2}


def test_the_words_show_the_value_that_was_scored():
    assert message(of(heart_rate=130.5, body_temp=38.05)) == "NEWS2 4: HR 131 (3), Temp 38.1 (1)"
    assert message(of(consciousness="C")) == "NEWS2 3: consciousness C (3)"
    assert message(of()) == "NEWS2 0"


def test_an_incomplete_score_calls_by_what_it_is_at_least():
    found = call(of(respiratory_rate=25, spo2=93, body_temp=None), alarmed=())

    assert found.severity is Severity.WARNING
    assert found.message == "NEWS2 at least 5: RR 25 (3), SpO₂ 93 (2), missing temperature"


def test_what_is_missing_never_calls_of_itself():
    assert call(of(respiratory_rate=None, on_oxygen=None), alarmed=()) is None


def test_a_single_3_of_an_alarmed_sign_is_noted_there_and_calls_nobody():
    score = of(respiratory_rate=25)

    assert call(score, alarmed={Sign.RESPIRATORY_RATE}) is None
    assert note(score, alarmed={Sign.RESPIRATORY_RATE}) == Note(Sign.RESPIRATORY_RATE, "NEWS2 3: RR 25 (3)")


def test_an_alert_of_another_sign_does_not_cover_it():
    score = of(respiratory_rate=25)

    assert call(score, alarmed={Sign.SPO2}).severity is Severity.WARNING
    assert note(score, alarmed={Sign.SPO2}) is None


def test_any_pressure_covers_the_systolic_as_they_are_one_condition():
    assert call(of(systolic_bp=85), alarmed={Sign.MEAN_BP}) is None
    assert note(of(systolic_bp=85), alarmed={Sign.MEAN_BP}).sign is Sign.SYSTOLIC_BP


def test_no_alert_covers_consciousness():
    assert call(of(consciousness="U"), alarmed=set(Sign)).severity is Severity.WARNING


@pytest.mark.parametrize("changes", [SEVEN, {"respiratory_rate": 25, "spo2": 93}])
def test_from_5_on_a_score_calls_whatever_is_alarmed(changes):
    assert call(of(**changes), alarmed=set(Sign)) is not None
    assert note(of(**changes), alarmed=set(Sign)) is None


def test_other_scores_have_other_thresholds():
    with pytest.raises(ValueError, match="mews"):
        call(mews.score(observed()), alarmed=())
