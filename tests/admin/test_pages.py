"""Every page answers the administrator, and nobody else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.db import models
from django.test import Client

from accounts.models import AuditEntry, Device, EmergencyAccess, FailedSignIn, Membership, ServiceToken, User, Ward
from monitoring.models import (
    Admission,
    Alert,
    AlertEvent,
    Delivery,
    DeviceAssignment,
    Fault,
    Patient,
    RejectedVital,
    Shift,
    Threshold,
    ThresholdChange,
    Vital,
    WebhookEndpoint,
)
from tests.admin.pages import address
from tests.conftest import signed_in

NOUNS = [
    Admission,
    Alert,
    AlertEvent,
    AuditEntry,
    Delivery,
    Device,
    DeviceAssignment,
    EmergencyAccess,
    FailedSignIn,
    Fault,
    Membership,
    Patient,
    RejectedVital,
    ServiceToken,
    Shift,
    Threshold,
    ThresholdChange,
    User,
    Vital,
    Ward,
    WebhookEndpoint,
]
OF_NO_WARD = [AuditEntry, FailedSignIn, Fault, ServiceToken]  # an administrator's alone
ONLY_READ = [Alert, AlertEvent, AuditEntry, Delivery, EmergencyAccess, FailedSignIn, Fault, RejectedVital, ThresholdChange]


@pytest.mark.parametrize("noun", NOUNS)
def test_every_list_answers(office: Client, busy_ward: None, noun: type[models.Model]) -> None:
    answer = office.get(address(noun))

    assert answer.status_code == 200
    assert answer.context["cl"].result_count >= 1
    assert "MedQL is not a medical device" in answer.content.decode()
    assert "MedQL administration" in answer.content.decode()


@pytest.mark.parametrize("noun", NOUNS)
def test_every_row_answers(office: Client, busy_ward: None, noun: type[models.Model]) -> None:
    for row in noun._default_manager.all():
        assert office.get(address(noun, "change", row.pk)).status_code == 200
        assert office.get(address(noun, "history", row.pk)).status_code == 200


@pytest.mark.parametrize("noun", NOUNS)
def test_every_new_row_has_its_page_save_what_only_medql_writes(
    office: Client, busy_ward: None, noun: type[models.Model]
) -> None:
    answer = office.get(address(noun, "add"))

    assert answer.status_code == (403 if noun in ONLY_READ else 200)


@pytest.mark.parametrize("noun", NOUNS)
def test_nothing_clinical_is_deleted(office: Client, busy_ward: None, noun: type[models.Model]) -> None:
    row = noun._default_manager.first()
    assert row is not None

    answer = office.post(address(noun, "delete", row.pk), {"post": "yes"})

    kept = noun not in (Membership, Shift, Threshold)  # where somebody works and what was set may end; the history tells it
    assert answer.status_code == (403 if kept else 302)
    assert noun._default_manager.filter(pk=row.pk).exists() == kept


@pytest.mark.parametrize("noun", NOUNS)
def test_a_nurse_is_sent_to_the_login(noor: User, noun: type[models.Model]) -> None:
    answer = signed_in(noor).get(address(noun))

    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


def test_every_noun_that_has_pages_is_tested_here() -> None:
    ours = {noun for noun in admin.site._registry if noun._meta.app_label in ("accounts", "monitoring")}

    assert ours == set(NOUNS)


@pytest.mark.parametrize("role", Membership.Role.values)
@pytest.mark.parametrize("noun", [noun for noun in NOUNS if noun not in OF_NO_WARD])
def test_staff_of_one_ward_see_what_is_theirs(busy_ward: None, noor: User, noun: type[models.Model], role: str) -> None:
    Membership.objects.filter(user=noor).update(role=role)
    browser = signed_in(_staff(noor))

    answer = browser.get(address(noun))

    assert answer.status_code == 200
    assert answer.context["cl"].result_count >= 1
    for row in answer.context["cl"].result_list:
        assert browser.get(address(noun, "change", row.pk)).status_code == 200


@pytest.mark.parametrize("noun", [noun for noun in NOUNS if noun not in (Threshold, *OF_NO_WARD)])
def test_staff_of_another_ward_see_nothing_of_it(busy_ward: None, eve: User, north: Ward, noun: type[models.Model]) -> None:
    browser = signed_in(_staff(eve))
    foreign: Any = noun._default_manager.exclude(pk__in=_own(noun, eve))

    answer = browser.get(address(noun))

    assert foreign.exists()
    assert not set(answer.context["cl"].result_list) & set(foreign)
    assert browser.get(address(noun, "change", foreign.first().pk)).status_code == 302  # "does not exist", and to the index


@pytest.mark.parametrize("noun", OF_NO_WARD)
def test_what_is_of_no_ward_is_an_administrators(busy_ward: None, dora: User, noun: type[models.Model]) -> None:
    browser = signed_in(_staff(dora))

    assert browser.get(address(noun)).status_code == 403
    assert browser.get(address(noun, "change", noun._default_manager.first().pk)).status_code == 403


def test_staff_cannot_make_themselves_administrators(noor: User) -> None:
    browser = signed_in(_staff(noor))
    person = {"login": "noor", "email": "noor@example.org", "name": "Noor", "is_active": "on", "is_superuser": "on"}

    browser.post(address(User, "change", noor.pk), person | {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0})

    noor.refresh_from_db()
    assert not noor.is_superuser


def test_staff_cannot_change_an_administrators_password(noor: User, root: User, north: Ward) -> None:
    Membership.objects.create(user=root, ward=north, role=Membership.Role.DOCTOR)
    browser = signed_in(_staff(noor))

    answer = browser.get(f"/admin/accounts/user/{root.pk}/password/")

    assert answer.status_code == 403


def test_hospital_limits_are_not_the_wards_to_change(noor: User, root: User) -> None:
    threshold = Threshold.objects.create(sign="spo2", critical_low=80, warning_low=88, set_by=root)
    browser = signed_in(_staff(noor))

    answer = browser.post(address(Threshold, "change", threshold.pk), {"critical_low": 1, "warning_low": 2})

    assert answer.status_code == 403


def _staff(person: User) -> User:
    """One who may open the administration, for his own wards."""
    person.is_staff = True
    person.save()
    return person


def _own(noun: type[models.Model], person: User) -> list[Any]:
    if noun is User:
        return [person.pk]
    if noun is Membership:
        return list(person.memberships.values_list("pk", flat=True))
    if noun is ThresholdChange:
        return list(ThresholdChange.objects.filter(patient=None).values_list("pk", flat=True))  # the hospital's are everybody's
    return list(Ward.objects.visible_to(person).values_list("pk", flat=True)) if noun is Ward else []


def test_an_alert_of_long_ago_is_found_by_patient_id(office: Client, busy_ward: None, ada: Patient, now: datetime) -> None:
    Alert.objects.update(raised_at=now - timedelta(days=400))

    assert office.get(address(Alert), {"q": "P-ADA"}).context["cl"].result_count == 1
    assert office.get(address(Alert), {"q": "P-AD"}).context["cl"].result_count == 0
