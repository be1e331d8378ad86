"""The scale of a patient's saturation, and a pregnancy, on the patient's page."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from monitoring.models import Patient, PregnancyChange, ScaleChange
from tests.admin.pages import address, errors
from tests.admin.pages import patient_page as page
from tests.conftest import signed_in


def of(patient: Patient) -> str:
    return address(Patient, "change", patient.pk)


@pytest.fixture
def staff_of_north() -> Any:
    def of_north(person: User) -> Client:
        person.is_staff = True
        person.save()
        return signed_in(person)

    return of_north


def test_a_doctor_changes_it_with_a_reason_and_reads_who_did(ada, dora, staff_of_north):
    desk = staff_of_north(dora)

    answer = desk.post(of(ada), page(ada, scale=2, scale_why="COPD"))

    assert answer.status_code == 302
    assert Patient.objects.get(pk=ada.pk).spo2_scale == 2
    assert ScaleChange.objects.get().by == dora
    assert "scale 1 → 2 by Dora. COPD" in desk.get(of(ada)).content.decode()


def test_scale_two_without_a_reason_is_refused_at_its_field(office, ada):
    answer = office.post(of(ada), page(ada, scale=2))

    assert "scale_why" in errors(answer)
    assert Patient.objects.get(pk=ada.pk).spo2_scale == 1


def test_a_nurse_sees_it_and_cannot_change_it(ada, noor, staff_of_north):
    desk = staff_of_north(noor)

    seen = desk.get(of(ada)).content.decode()
    answer = desk.post(of(ada), page(ada, scale=2, scale_why="COPD"))

    assert "1, the usual one" in seen and 'name="scale"' not in seen
    assert answer.status_code == 403
    assert Patient.objects.get(pk=ada.pk).spo2_scale == 1
    assert not ScaleChange.objects.exists()


def test_saving_the_page_changes_no_scale_that_was_left_as_it_is(office, ada):
    office.post(of(ada), page(ada, scale=1, name="Ada Lovelace"))

    assert Patient.objects.get(pk=ada.pk).name == "Ada Lovelace"
    assert not ScaleChange.objects.exists()


def test_a_doctor_says_with_a_reason_that_a_patient_is_pregnant_and_no_more(ada, dora, staff_of_north):
    desk = staff_of_north(dora)

    desk.post(of(ada), page(ada, expecting=1, expecting_why="week 30"))
    assert Patient.objects.get(pk=ada.pk).pregnant
    ada.refresh_from_db()
    desk.post(of(ada), page(ada, expecting=0))

    assert not Patient.objects.get(pk=ada.pk).pregnant
    assert list(PregnancyChange.objects.order_by("pk").values_list("becomes", "by", "why")) == [
        (True, dora.pk, "week 30"),
        (False, dora.pk, ""),
    ]
    said = desk.get(of(ada)).content.decode()
    assert "pregnant, says Dora. week 30" in said and "not pregnant, says Dora." in said


def test_a_pregnancy_without_a_reason_is_refused_at_its_field(office, ada):
    answer = office.post(of(ada), page(ada, expecting=1))

    assert list(errors(answer)) == ["expecting_why"]
    assert not Patient.objects.get(pk=ada.pk).pregnant


@pytest.mark.parametrize("fields", [{"expecting": 1, "expecting_why": "week 30"}, {"pregnant": "on"}])
def test_a_nurse_sees_the_pregnancy_and_cannot_change_it(ada, noor, staff_of_north, fields):
    desk = staff_of_north(noor)

    seen = desk.get(of(ada)).content.decode()
    desk.post(of(ada), page(ada, **fields))

    assert "field-pregnant" in seen and 'name="expecting"' not in seen and 'name="pregnant"' not in seen
    assert not Patient.objects.get(pk=ada.pk).pregnant
    assert not PregnancyChange.objects.exists()


def test_saving_the_page_ends_no_pregnancy(office, ada):
    Patient.objects.update(pregnant=True)

    office.post(of(ada), page(ada, scale=1, name="Ada Lovelace"))

    assert Patient.objects.get(pk=ada.pk).pregnant
    assert not PregnancyChange.objects.exists()


def test_a_new_patients_page_asks_for_neither(office):
    page = office.get(address(Patient, "add")).content.decode()

    assert 'name="scale"' not in page and 'name="expecting"' not in page and 'name="pregnant"' not in page
