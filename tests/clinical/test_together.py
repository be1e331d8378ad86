"""Two signs beyond at once."""

from __future__ import annotations

from typing import Any

import pytest

from monitoring.clinical.episode import Kind
from monitoring.clinical.limits import Severity
from tests.clinical.bedside import Bedside

BOTH = "multiple_signs"
BAD: dict[str, Any] = {"spo2": 88, "heart_rate": 130}
WELL: dict[str, Any] = {"spo2": 97, "heart_rate": 70}


@pytest.fixture
def ada() -> Bedside:
    return Bedside().watched(**WELL)


def test_two_signs_that_stand_beyond_for_fifteen_seconds_are_critical_together(ada):
    ada.steadily(0, 10, **BAD)
    assert ada.told(BOTH) == []

    ada.reads(15, **BAD)
    episode = ada.episode(BOTH)
    assert (ada.told(BOTH), episode.severity, episode.kind, episode.sign) == (
        ["raised"],
        Severity.CRITICAL,
        Kind.PHYSIOLOGICAL,
        None,
    )
    assert episode.detail == "HR 130 > 120 /min · SpO₂ 88 < 90 %"


@pytest.mark.parametrize(("overlap", "expected"), [(14.5, []), (15, ["raised"])])
def test_they_stand_beyond_at_the_same_time(ada, overlap, expected):
    ada.steadily(0, 60, spo2=88, heart_rate=70)
    for share in (0, 0.25, 0.5, 0.75, 1):
        ada.reads(65 + share * overlap, spo2=88, heart_rate=200)

    assert ada.told(BOTH) == expected


def test_an_alert_on_its_way_back_is_not_beyond(ada):
    ada.steadily(0, 20, spo2=88, heart_rate=70).steadily(25, 60, spo2=97, heart_rate=130)

    assert (ada.is_open("spo2_low"), ada.is_open("heart_rate_high"), ada.told(BOTH)) == (True, True, [])


def test_two_pressures_or_two_sensors_of_one_sign_are_one(ada):
    ada.watched("art", systolic_bp=120, mean_bp=85).watched("pleth", heart_rate=70)
    for at in range(0, 60, 5):
        ada.reads(at, "art", systolic_bp=85, mean_bp=62)

    assert (ada.is_open("blood_pressure_low"), ada.told(BOTH)) == (True, [])


def test_it_goes_on_while_two_have_active_alerts_and_then_waits_to_be_taken(ada):
    ada.steadily(0, 20, **BAD).steadily(25, 320, spo2=97, heart_rate=130)
    assert ada.told(BOTH) == ["raised"]

    ada.reads(325, spo2=97, heart_rate=130)
    assert ada.told(BOTH) == ["raised", "returned"]

    ada.takes(330, BOTH)
    assert ada.told(BOTH) == ["raised", "returned", "resolved"]


def test_taken_it_ends_by_itself_when_fewer_than_two_are_left(ada):
    ada.steadily(0, 20, **BAD).takes(21, BOTH).steadily(25, 325, spo2=97, heart_rate=130)

    assert ada.told(BOTH) == ["raised", "resolved"]


def test_it_ends_with_the_alert_that_somebody_ended(ada):
    ada.steadily(0, 20, **BAD).takes(21, BOTH).dismisses(22)

    assert (ada.told(), ada.told(BOTH)) == (["raised", "resolved"], ["raised", "resolved"])
    assert ada.looks(23).told(BOTH) == ["raised", "resolved"]


def test_ended_by_hand_it_comes_back_with_the_next_value_as_the_same_alert(ada):
    ada.steadily(0, 20, **BAD).dismisses(21, BOTH)
    assert (ada.is_open(BOTH), ada.is_open("spo2_low"), ada.is_open("heart_rate_high")) == (False, True, True)

    ada.reads(25, **BAD)
    assert (ada.told(BOTH), ada.episode(BOTH).acknowledged) == (["raised", "resolved", "reopened"], False)


def test_beyond_again_while_it_waits_it_is_raised_again(ada):
    ada.steadily(0, 20, **BAD).steadily(25, 325, **WELL).steadily(330, 350, **BAD)

    assert ada.told(BOTH) == ["raised", "returned", "reraised"]


def test_silence_neither_ends_it_nor_lets_it_return(ada):
    ada.steadily(0, 20, **BAD).takes(21, BOTH).waits(21, 20 * 3600)

    assert ada.told(BOTH) == ["raised"]


def test_a_round_of_spot_values_that_are_beyond_is_one_call(ada):
    ben = Bedside().reads(0, "manual", heart_rate=130, respiratory_rate=32, spo2=97)

    assert ben.told(BOTH) == ["raised"]


def test_a_cuff_value_stands_beside_a_monitor_while_it_is_fresh(ada):
    ada.steadily(0, 60, spo2=84, heart_rate=70).reads(62, "cuff", systolic_bp=70).steadily(65, 75, spo2=84, heart_rate=70)
    assert ada.told(BOTH) == []

    ada.reads(77, spo2=84, heart_rate=70)
    assert ada.told(BOTH) == ["raised"]


def test_one_that_is_old_does_not(ada):
    ada.reads(0, "cuff", systolic_bp=70).steadily(0, 30, **WELL).steadily(31, 60, spo2=84, heart_rate=70)

    assert (ada.is_open("blood_pressure_low"), ada.is_open("spo2_low"), ada.told(BOTH)) == (True, True, [])
