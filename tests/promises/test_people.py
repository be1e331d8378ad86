"""What was promised of people, their keys and their trail, as the systems before MedQL had it or should have had it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts import audit, registration
from accounts.models import AuditEntry, Membership, RefreshToken, User, Ward
from accounts.models.audit_entry import AppendOnly
from medql.schema import document
from monitoring.models import Patient
from tests.access.bearers import get, login, me, post, refresh, refused
from tests.conftest import PASSWORD, signed_in
from tests.doors.addresses import every_address
from tests.doors.staff import ADA, ids, send
from tests.services.alerting import raised
from tests.world import Monitor

OPEN_TO_ALL = ("/api/schema", "/api/docs")
GOOD = "a long new password"


def test_a1_23_staff_sign_in_by_e_mail_and_a_patient_by_his_id(ada: Patient, noor: User) -> None:
    """A patient's login is made for him, by his id."""
    hers = User.objects.create_user("p-ada", "ada@example.org", PASSWORD, name="Ada Byron")
    Patient.objects.filter(pk=ada.pk).update(user=hers)

    nurse, patient = (login(word).json()["access_token"] for word in ("noor@example.org", "P-ADA"))

    assert [ward["role"] for ward in me(nurse).json()["wards"]] == ["nurse"]
    assert get(ADA, bearer=patient).json()["name"] == "Ada Byron"
    assert ids(get("/api/v1/patients", bearer=patient)) == ["P-ADA"]
    assert refused(login("P-ADA", "wrong")) == (401, "wrong_login")


@pytest.mark.parametrize(
    ("role", "statuses"),
    [("viewer", [200, 403, 403]), ("nurse", [200, 201, 403]), ("doctor", [200, 201, 403]), ("administrator", [200, 201, 204])],
)
def test_a1_23_each_role_may_what_it_is_for(ada: Patient, north: Ward, root: User, role: str, statuses: list[int]) -> None:
    person = root
    if role != "administrator":
        person = User.objects.create_user(role, f"{role}@example.org", PASSWORD, name=role)
        Membership.objects.create(user=person, ward=north, role=role)
    client = signed_in(person)

    found = [
        client.get(ADA).status_code,
        send(client, "/api/v1/patients", {"patient_id": "P-NEW", "name": "New"}).status_code,
        send(client, "/api/v1/patients/P-NEW" if role != "viewer" else ADA, {}, "delete").status_code,
    ]

    assert found == statuses


def test_a1_25_who_saw_and_did_what_is_kept_for_good(ada: Patient, noor: User, now: datetime) -> None:
    client = signed_in(noor)
    alert = raised(ada, now)

    client.get(ADA)
    send(client, f"/api/v1/alerts/{alert.pk}/acknowledge", {})
    audit.flush()

    kept = set(AuditEntry.objects.filter(who="noor", patient="P-ADA").values_list("what", "door"))
    assert kept >= {("saw", "api"), ("acknowledged", "api")}
    with pytest.raises(AppendOnly):
        AuditEntry.objects.earliest("pk").delete()


def test_b1_01_who_registers_waits_signs_in_and_refreshes(north: Ward, root: User, now: datetime) -> None:
    doctor = {"id": "nina", "password": GOOD, "name": "Nina Simone"}

    with time_machine.travel(now, tick=False) as clock:
        assert post("register", doctor).status_code == 201
        assert refused(post("register", doctor)) == (409, "duplicate")
        assert refused(login("nina", GOOD)) == (403, "not_approved")
        registration.approve(User.objects.get(login="nina"), by=root, at=now)
        assert refused(login("nobody", GOOD))[0] == refused(login("nina", "wrong"))[0] == 401

        first = login("nina", GOOD).json()
        clock.shift(timedelta(minutes=4))
        assert me(first["access_token"]).status_code == 401  # three minutes are over
        within = refresh(first["refresh_token"]).json()
        clock.shift(timedelta(hours=1))
        after = refresh(within["refresh_token"]).json()

    assert within["expires_at"] == first["expires_at"] < after["expires_at"]


def test_b1_02_passwords_are_argon2_and_tokens_sealed(root: User, settings: Any, now: datetime) -> None:
    settings.PASSWORD_HASHERS = ["accounts.hashing.Argon2"]
    post("register", {"id": "nina", "password": GOOD, "name": "Nina Simone"})
    registration.approve(User.objects.get(login="nina"), by=root, at=now)

    token = login("nina", GOOD).json()["refresh_token"]

    assert User.objects.get(login="nina").password.startswith("argon2$argon2id$")
    row = RefreshToken.objects.get()
    assert token not in f"{row.digest} {row.sealed}" and row.sealed


@pytest.mark.parametrize("address", [address for address in every_address() if address.startswith("/api/")])
def test_b1_09_nothing_of_the_api_is_open_to_a_stranger(ada: Patient, monitor: Monitor, address: str) -> None:
    if address.startswith(OPEN_TO_ALL):
        return
    stranger = Client(headers={"Authorization": "Bearer nonsense"})

    for client in (Client(), stranger):
        found = {
            client.generic(method, address, "{}", content_type="application/json").status_code for method in ("GET", "POST")
        }
        assert found <= {401, 405}


def test_b1_09_every_operation_says_which_key_it_needs() -> None:
    needed = [one for path in document()["paths"].values() for one in path.values() if one["security"] != [{}]]

    assert all("401" in one["responses"] for one in needed)
