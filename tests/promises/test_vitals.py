"""What was promised of single vitals: written down, read, corrected, and judged again."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from accounts.models import User
from monitoring.models import Alert, Patient, Vital
from tests.conftest import PASSWORD, signed_in
from tests.world import unscored

VITALS = "/api/v1/vitals"
Write = Callable[[str, str, dict[str, Any]], Any]


@pytest.fixture
def doctor(dora: User) -> Write:
    """Dora as a program has her: signed in by token."""
    answer = Client().post("/auth/login", {"id": "dora", "password": PASSWORD}, content_type="application/json")
    browser = Client(headers={"Authorization": f"Bearer {answer.json()['access_token']}"})

    def write(method: str, address: str, body: dict[str, Any]) -> Any:
        return browser.generic(method, address, json.dumps(body), content_type="application/json")

    return write


def typed(patient_id: str, at: datetime, vital_type: str = "HR", value: float = 72) -> dict[str, Any]:
    return {"patient_id": patient_id, "recorded_at": at.isoformat(), "vital_type": vital_type, "value": value}


def test_b1_05_a_single_typed_vital_is_recorded_and_still_there(doctor: Write, ada: Patient, now: datetime) -> None:
    answer = doctor("POST", VITALS, typed("P-ADA", now))

    assert answer.status_code == 201
    assert answer.json().items() >= {"patient_id": "P-ADA", "vital_type": "HR", "value": 72.0, "version": 1}.items()
    assert Vital.objects.get(pk=answer.json()["id"]).heart_rate == 72


def test_b1_05_an_unknown_patient_is_404_and_an_unknown_type_422(doctor: Write, ada: Patient, now: datetime) -> None:
    assert doctor("POST", VITALS, typed("P-NOBODY", now)).status_code == 404
    assert doctor("POST", VITALS, typed("P-ADA", now, "PULSE")).status_code == 422


def test_b1_07_a_correction_moves_the_version_and_a_stale_one_is_409(doctor: Write, ada: Patient, now: datetime) -> None:
    vital = doctor("POST", VITALS, typed("P-ADA", now)).json()["id"]

    first = doctor("PUT", f"{VITALS}/{vital}", {"value": 75, "version": 1})
    second = doctor("PUT", f"{VITALS}/{vital}", {"value": 78, "version": 1})

    assert (first.status_code, first.json()["version"], first.json()["value"]) == (200, 2, 75)
    assert (second.status_code, second.json()["current_version"], second.json()["current"]["value"]) == (409, 2, 75)
    assert Vital.objects.get().heart_rate == 75


def test_b1_07_the_type_may_change(doctor: Write, ada: Patient, now: datetime) -> None:
    vital = doctor("POST", VITALS, typed("P-ADA", now, "HR", 18)).json()["id"]

    answer = doctor("PUT", f"{VITALS}/{vital}", {"vital_type": "RR", "value": 18, "version": 1})

    assert (answer.json()["vital_type"], answer.json()["value"]) == ("RR", 18)


def test_b1_07_an_unknown_vital_is_404(doctor: Write, ada: Patient) -> None:
    assert doctor("PUT", f"{VITALS}/4711", {"value": 75, "version": 1}).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_b1_07_of_two_racers_with_one_version_one_wins(ada: Patient, dora: User, now: datetime) -> None:
    browsers = [signed_in(dora), signed_in(dora)]
    created = browsers[0].post(VITALS, json.dumps(typed("P-ADA", now)), content_type="application/json")
    address = f"{VITALS}/{created.json()['id']}"

    def correct(racer: int) -> int:
        try:
            body = json.dumps({"value": 80 + racer, "version": 1})
            return browsers[racer].generic("PUT", address, body, content_type="application/json").status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(correct, range(2)))

    assert answers == [200, 409]
    assert Vital.objects.get().version == 2


def test_b1_07_what_was_there_is_kept_and_the_patient_is_judged_again(doctor: Write, ada: Patient, now: datetime) -> None:
    unscored(ada)
    vital = doctor("POST", VITALS, typed("P-ADA", now, "SpO2", 88)).json()["id"]

    told = doctor("PUT", f"{VITALS}/{vital}", {"value": 98, "version": 1, "reason": "misread"}).json()

    (change,) = told["corrections"]
    assert (change["was"], change["became"], change["by"], change["reason"]) == ({"spo2": 88}, {"spo2": 98}, "Dora", "misread")
    alert = Alert.objects.get()
    assert alert.state == "resolved"
    assert [event.what for event in alert.events.order_by("pk")] == ["raised", "resolved", "corrected"]


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("token", ["", "Bearer wrong"])
def test_b1_09_without_a_right_token_it_is_401_with_the_way_back(db: None, method: str, token: str) -> None:
    answer = Client(headers={"Authorization": token} if token else {}).generic(method, f"{VITALS}/1")

    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_b1_09_also_where_a_device_may_write(db: None) -> None:
    answer = Client().post(VITALS, "{}", content_type="application/json")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "X-API-Key, Bearer"
