"""The scale of a patient's saturation, on the patient's page."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import User
from monitoring.models import Patient, ScaleChange
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
        person.user_permissions.set(Permission.objects.filter(codename__in=["view_patient", "change_patient"]))
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
    assert "scale" in errors(answer) or answer.status_code == 302
    assert Patient.objects.get(pk=ada.pk).spo2_scale == 1
    assert not ScaleChange.objects.exists()


def test_saving_the_page_changes_no_scale_that_was_left_as_it_is(office, ada):
    office.post(of(ada), page(ada, scale=1, name="Ada Lovelace"))

    assert Patient.objects.get(pk=ada.pk).name == "Ada Lovelace"
    assert not ScaleChange.objects.exists()


def test_a_pregnancy_is_set_on_the_page(office, ada):
    office.post(of(ada), page(ada, pregnant="on"))

    assert Patient.objects.get(pk=ada.pk).pregnant
