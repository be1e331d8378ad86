"""What was promised of devices and of what they send, as the systems before MedQL had it or should have had it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import User
from monitoring import realtime
from monitoring.models import Alert, Patient, Vital
from tests.conftest import signed_in
from tests.doors.staff import send
from tests.services.alerting import MINUTE
from tests.services.continuous import steady, watch
from tests.world import Monitor, item

VITALS = "/api/v1/vitals"


def test_a1_01_a_list_is_stored_and_comes_back_with_ids(ada: Patient, ben: Patient, gateway: Monitor, now: datetime) -> None:
    """All or none was promised, and is not kept on purpose: one bad value hides no ward."""
    batch = [item(ada, now, spo2=97), item(ben, now, spo2=170, heart_rate=70)]

    answer = gateway.post(batch, Prefer="return=representation")

    assert answer.status_code == 202
    assert [(vital["patient_id"], bool(vital["id"])) for vital in answer.json()["vitals"]] == [("P-ADA", True), ("P-BEN", True)]
    assert [(one["index"], one["code"], one["stored"]) for one in answer.json()["rejected"]] == [(1, "out_of_range", True)]


def test_a1_02_one_reading_with_the_devices_key_and_none_without(ada: Patient, gateway: Monitor, now: datetime) -> None:
    answer = gateway.post(item(ada, now, spo2=97))

    assert answer.status_code == 201 and answer.json()["spo2"] == 97 and answer.json()["id"]
    for headers in ({}, {"X-API-Key": "0123456789ab." + "x" * 43}):
        assert send(Client(), VITALS, item(ada, now, spo2=97), **headers).status_code == 401


def test_a1_03_saved_and_judged_together_and_told_after_the_commit(
    ada: Patient, gateway: Monitor, now: datetime, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(realtime, "_publish", lambda beds, *_: told.append(set(beds)))
    with django_capture_on_commit_callbacks(execute=True):
        gateway.post([item(ada, now, spo2=84)])

        alert = Alert.objects.open().get(condition="spo2_low")
        assert Vital.objects.count() == 1 and told == []
    assert told == [{alert.ward_id}]


def test_a1_11_a_device_is_on_one_patient_and_its_history_is_kept(
    ada: Patient, ben: Patient, monitor: Monitor, noor: User
) -> None:
    address = f"/api/v1/devices/{monitor.device.pk}"

    answer = send(signed_in(noor), f"{address}/assign", {"patient_id": "P-BEN", "notes": "from the store"})

    assert answer.status_code == 201
    last, former = signed_in(noor).get(f"{address}/assignments").json()["results"]
    assert (last["patient_id"], last["assigned_by"], last["notes"]) == ("P-BEN", "Noor", "from the store")
    assert (former["patient_id"], former["ended_at"]) == ("P-ADA", last["started_at"])


def test_a1_22_a_device_that_falls_silent_is_told(ada: Patient, monitor: Monitor, noor: User, now: datetime) -> None:
    with time_machine.travel(now, tick=False):
        monitor.post(steady(ada, now, spo2=97))

    watch(now + 3 * MINUTE)

    (alert,) = signed_in(noor).get("/api/v1/alerts").json()["results"]
    assert (alert["kind"], alert["condition"], alert["patient_id"]) == ("technical", "no_data", "P-ADA")
    assert alert["message"] == "cannot measure: SpO₂ (M7, no data)"
