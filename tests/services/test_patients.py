"""What decides how NEWS2 is scored, the saturation's scale and a pregnancy: by whom, why, and from the next reading on."""

from __future__ import annotations

import pytest
import time_machine

from accounts.models import Ward
from monitoring.models import Patient, PregnancyChange, ScaleChange
from monitoring.services import admissions, patients
from tests.services.continuous import SECOND, told
from tests.world import item

ON_OXYGEN = {"respiratory_rate": 21, "spo2": 90, "on_oxygen": True}  # 7 on scale 1, 4 on scale 2
WHY = "COPD, target 88–92 % prescribed by Dora"


def test_a_doctor_puts_a_patient_on_scale_two_and_it_is_kept_who_when_and_why(ada, dora, now):
    patients.set_scale(ada, scale=2, by=dora, at=now, why=WHY)

    change = ScaleChange.objects.get()
    assert (change.patient, change.was, change.becomes) == (ada, 1, 2)
    assert (change.by, change.at, change.why) == (dora, now, WHY)
    stored = Patient.objects.get(pk=ada.pk)
    assert (stored.spo2_scale, stored.version) == (2, ada.version + 1)


def test_the_next_reading_is_scored_on_it(ada, gateway, dora, now):
    with time_machine.travel(now, tick=False) as clock:
        gateway.post([item(ada, **ON_OXYGEN)])
        assert told() == [("news2", "critical")]
        patients.set_scale(ada, scale=2, by=dora, at=now, why=WHY)
        assert told() == [("news2", "critical")]

        for _ in range(3):
            clock.shift(30 * 60)
            gateway.post([item(ada, **ON_OXYGEN)])

    assert told(returned_at=None) == []  # 4 calls nobody; that it was critical waits for a hand


def test_scale_two_needs_a_reason_and_scale_one_none(ada, dora, now):
    with pytest.raises(patients.ReasonMissing):
        patients.set_scale(ada, scale=2, by=dora, at=now, why="  ")
    assert not ScaleChange.objects.exists()

    patients.set_scale(ada, scale=2, by=dora, at=now, why=WHY)
    patients.set_scale(ada, scale=1, by=dora, at=now + SECOND)

    assert [(one.was, one.becomes) for one in ScaleChange.objects.order_by("pk")] == [(1, 2), (2, 1)]


def test_what_it_is_already_changes_nothing(ada, dora, now):
    patients.set_scale(ada, scale=1, by=dora, at=now)

    assert not ScaleChange.objects.exists()


def test_there_is_no_third_scale(ada, dora, now):
    with pytest.raises(ValueError, match="not 3"):
        patients.set_scale(ada, scale=3, by=dora, at=now, why=WHY)


@pytest.mark.parametrize("login", ["noor", "vera", "eve"])
def test_nobody_but_a_doctor_of_the_ward_may(ada, login, request, now):
    with pytest.raises(patients.NotAllowed):
        patients.set_scale(ada, scale=2, by=request.getfixturevalue(login), at=now, why=WHY)

    assert Patient.objects.get(pk=ada.pk).spo2_scale == 1


def test_a_doctor_may_no_more_when_the_patient_lies_elsewhere(ada, south, dora, root, now):
    admissions.transfer(ada.admissions.get(), bed=south.beds.get(position=2), by=None, at=now)

    with pytest.raises(patients.NotAllowed):
        patients.set_scale(ada, scale=2, by=dora, at=now, why=WHY)
    patients.set_scale(ada, scale=2, by=root, at=now, why=WHY)


def test_the_board_is_told(ada, north, dora, now):
    before = north.change_number

    patients.set_scale(ada, scale=2, by=dora, at=now, why=WHY)

    assert Ward.objects.get(pk=north.pk).change_number > before


def test_a_doctor_says_that_a_patient_is_pregnant_and_it_is_kept_who_when_and_why(ada, dora, now):
    patients.set_pregnant(ada, pregnant=True, by=dora, at=now, why="week 30")
    patients.set_pregnant(ada, pregnant=True, by=dora, at=now, why="again")
    patients.set_pregnant(ada, pregnant=False, by=dora, at=now + SECOND)

    changes = PregnancyChange.objects.order_by("pk").values_list("patient", "becomes", "by", "at", "why")
    assert list(changes) == [(ada.pk, True, dora.pk, now, "week 30"), (ada.pk, False, dora.pk, now + SECOND, "")]
    stored = Patient.objects.get(pk=ada.pk)
    assert (stored.pregnant, stored.version) == (False, ada.version + 2)


def test_a_pregnancy_ends_the_score_with_the_next_reading(ada, gateway, dora, north, now):
    with time_machine.travel(now, tick=False) as clock:
        gateway.post([item(ada, **ON_OXYGEN)])
        before = Ward.objects.get(pk=north.pk).change_number
        patients.set_pregnant(ada, pregnant=True, by=dora, at=now, why="week 30")
        assert told() == [("news2", "critical")]
        assert Ward.objects.get(pk=north.pk).change_number > before

        clock.shift(60)
        gateway.post([item(ada, **ON_OXYGEN)])

    assert told(returned_at=None) == []


def test_a_pregnancy_needs_a_reason(ada, dora, now):
    with pytest.raises(patients.ReasonMissing):
        patients.set_pregnant(ada, pregnant=True, by=dora, at=now, why="  ")

    assert not Patient.objects.get(pk=ada.pk).pregnant
    assert not PregnancyChange.objects.exists()


@pytest.mark.parametrize("login", ["noor", "vera", "eve"])
def test_nobody_but_a_doctor_of_the_ward_may_say_it(ada, login, request, now):
    with pytest.raises(patients.NotAllowed):
        patients.set_pregnant(ada, pregnant=True, by=request.getfixturevalue(login), at=now, why="week 30")

    assert not Patient.objects.get(pk=ada.pk).pregnant
