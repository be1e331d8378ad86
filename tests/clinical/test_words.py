"""What a device says beside a number, or instead of one."""

from __future__ import annotations

import json

import pytest

from monitoring.clinical import alarm
from monitoring.clinical.limits import Severity
from monitoring.clinical.signs import Sign
from monitoring.services import items
from tests.clinical.bedside import Bedside


@pytest.fixture
def ada() -> Bedside:
    return Bedside().watched(spo2=97, heart_rate=70)


@pytest.mark.parametrize("word", ["probe_off", "no_signal", "artifact", "calibrating"])
class TestNoMeasurement:
    """Its own device says that the number is not the patient's."""

    def test_it_is_not_judged(self, ada, word):
        for at in range(0, 60, 5):
            ada.reads(at, spo2=60, heart_rate=70, said={"spo2": word})

        assert ada.told() == []
        assert ada.standing().value == 97

    def test_it_ends_nothing(self, ada, word):
        ada.steadily(0, 20, spo2=84)
        for at in range(25, 600, 5):
            ada.reads(at, spo2=97, said={"spo2": word})

        assert (ada.told(), ada.active()) == (["raised"], Severity.CRITICAL)

    def test_while_it_lasts_the_sign_is_told_as_lost(self, ada, word):
        for at in range(0, 130, 5):
            ada.reads(at, spo2=60, heart_rate=70, said={"spo2": word}).looks(at)

        assert ada.episode("no_data").detail == f"cannot measure: SpO₂ (M7, {word.replace('_', ' ')})"


class TestAsystole:
    @pytest.mark.parametrize(
        ("word", "sign", "before"), [("asystole", "heart_rate", 70), ("apnoea", "respiratory_rate", 15)], ids=["HR", "RR"]
    )
    def test_as_a_second_item_of_the_same_moment_it_counts(self, word, sign, before):
        ada = Bedside().watched(**{sign: before})
        ada.reads(0, **{sign: before}).reads(0, arrives=1, said={sign: word})

        assert ada.active(f"{sign}_low") is Severity.CRITICAL
        assert ada.standing(Sign(sign)).interval == 5

    def test_the_same_word_twice_counts_once(self, ada):
        ada.reads(0, heart_rate=70)
        for arrives in (1, 2, 3):
            ada.reads(0, arrives=arrives, said={"heart_rate": "asystole"})

        assert ada.told("heart_rate_low") == ["raised"]
        assert ada.episode("heart_rate_low").count == 1


def test_after_our_clock_was_set_back_a_taken_warning_is_not_reopened_as_taken(ada):
    ada.steadily(0, 20, spo2=88).takes(21).steadily(25, 330, spo2=97)
    assert ada.told() == ["raised", "resolved"]

    back = -3600.0
    for at in range(0, 25, 5):
        ada.reads(back + at, spo2=88)

    assert ada.told() == ["raised", "resolved", "raised"]
    assert alarm.active(ada.state, "spo2_low") is Severity.WARNING
    assert not ada.episode().acknowledged


@pytest.mark.parametrize(("of", "word"), [("spo2", "asystole"), ("heart_rate", "apnoea"), ("respiratory_rate", "asystole")])
def test_a_word_for_a_standstill_of_another_sign_is_refused_by_name(of, word):
    item = items.read(0, json.dumps({"patient_id": "P-ADA", "spo2": 97, "status": {of: word}}).encode(), zero_is_absent=False)

    assert [(refusal.code, refusal.field) for refusal in item.refused] == [("invalid", f"status.{of}")]
    assert item.values == {"spo2": 97}
