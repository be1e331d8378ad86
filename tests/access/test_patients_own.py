"""A patient who signs in sees his own last values, and nothing of anybody else."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client

from accounts.models import User
from monitoring.models import Admission, Patient
from monitoring.services import admissions
from tests.admin.pages import address, patient_page
from tests.conftest import PASSWORD, signed_in
from tests.world import Monitor, item


@pytest.fixture
def herself(ada: Patient) -> User:
    user = User.objects.create_user("ada", "ada@example.org", PASSWORD, name="Ada Byron")
    Patient.objects.filter(pk=ada.pk).update(user=user)
    return user


def test_she_is_led_to_her_own_values(herself: User, ada: Patient, gateway: Monitor, now: datetime) -> None:
    gateway.post([item(ada, now, heart_rate=77, spo2=96)])

    page = signed_in(herself).get("/", follow=True)

    assert page.redirect_chain == [("/my/", 302)]
    assert "<b>77</b>" in page.content.decode() and "<b>96</b>" in page.content.decode()


def test_limits_alarms_and_other_patients_are_not_shown(
    herself: User, ada: Patient, ben: Patient, gateway: Monitor, now: datetime
) -> None:
    gateway.post([item(ada, now, spo2=70), item(ben, now, heart_rate=123)])

    page = signed_in(herself).get("/my/").content.decode()

    assert "<b>70</b>" in page
    assert [word for word in ("critical", "123", "Ben", "Acknowledge", "&lt; 85") if word in page] == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/wards/north/", 404),
        ("/wards/north/mine", 404),
        ("/api/v1/patients/P-ADA/thresholds", 403),
        ("/api/v1/thresholds", 403),
    ],
)
def test_nothing_of_the_ward_is_hers(herself: User, path: str, status: int) -> None:
    assert signed_in(herself).get(path).status_code == status


def test_values_of_a_stay_that_is_over_are_not_shown(herself: User, ada: Patient, gateway: Monitor, now: datetime) -> None:
    gateway.post([item(ada, now - timedelta(minutes=1), heart_rate=77)])
    admissions.discharge(Admission.objects.get(patient=ada), by=None, at=now)

    assert "no values of this stay" in signed_in(herself).get("/my/").content.decode()


@pytest.mark.parametrize("fate", ["a nurse", "archived", "a stranger"])
def test_who_is_no_patient_has_no_such_page(noor: User, herself: User, ada: Patient, fate: str, now: datetime) -> None:
    Patient.objects.update(archived_at=now if fate == "archived" else None)
    client = {"a nurse": signed_in(noor), "archived": signed_in(herself), "a stranger": Client()}[fate]

    assert client.get("/my/").status_code == (302 if fate == "a stranger" else 404)


def test_an_administrator_links_a_login(office: Client, ada: Patient, noor: User) -> None:
    answer = office.post(address(Patient, "change", ada.pk), patient_page(ada, user=noor.pk))

    assert answer.status_code == 302
    assert Patient.objects.get(pk=ada.pk).user == noor


def test_a_doctor_does_not(ada: Patient, dora: User, noor: User) -> None:
    dora.is_staff = True
    dora.save()

    signed_in(dora).post(address(Patient, "change", ada.pk), patient_page(ada, user=noor.pk, name="Ada Lovelace"))

    assert Patient.objects.get(pk=ada.pk).name == "Ada Lovelace"
    assert Patient.objects.get(pk=ada.pk).user is None
