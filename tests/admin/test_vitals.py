"""A vital written down by hand is judged like every other; what was refused can go through the door again."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User, Ward
from monitoring.models import Admission, Alert, Patient, RejectedVital, Vital
from monitoring.services import admissions
from tests.admin.pages import act, address, errors, said, split
from tests.world import Monitor, item, open_alert


def test_a_vital_by_hand_raises_an_alert(office: Client, ada: Patient, now: datetime) -> None:
    answer = office.post(address(Vital, "add"), _reading(ada, now, spo2="80", consciousness="A"))

    vital = Vital.objects.get()
    assert answer.status_code == 302
    assert (vital.admission.patient, vital.spo2, vital.consciousness, vital.late) == (ada, 80, "A", False)
    assert open_alert(ada).severity == "critical"


def test_an_old_vital_by_hand_is_history(office: Client, ada: Patient, now: datetime) -> None:
    office.post(address(Vital, "add"), _reading(ada, now - timedelta(hours=1), spo2="80"))

    assert Vital.objects.get().late
    assert not Alert.objects.open().exists()
    assert Alert.objects.get().recorded


def test_a_vital_belongs_to_the_stay_it_was_measured_in(office: Client, ada: Patient, north: Ward, now: datetime) -> None:
    first = Admission.objects.get()
    admissions.discharge(first, by=None, at=now - timedelta(hours=2))
    admissions.admit(ada, bed=north.beds.get(position=3), by=None, at=now - timedelta(hours=1))

    office.post(address(Vital, "add"), _reading(ada, now - timedelta(hours=3), spo2="97"))

    assert Vital.objects.get().admission == first


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"spo2": "101"}, "spo2"),
        ({"body_temp": "98.6"}, "body_temp"),
        ({"heart_rate": "-1"}, "heart_rate"),
        ({"heart_rate": "inf"}, "heart_rate"),
        ({"oxygen_flow": "81"}, "oxygen_flow"),
        ({"systolic_bp": "80", "diastolic_bp": "120"}, "diastolic_bp"),
        ({"systolic_bp": "120", "mean_bp": "130", "diastolic_bp": "80"}, "mean_bp"),
        ({}, "__all__"),
        ({"spo2": "97", "sensor": "no spaces"}, "sensor"),
    ],
)
def test_what_cannot_be_is_named_at_the_field(
    office: Client, ada: Patient, now: datetime, values: dict[str, str], field: str
) -> None:
    answer = office.post(address(Vital, "add"), _reading(ada, now, **values))

    assert list(errors(answer)) == [field]
    assert not Vital.objects.exists()


@pytest.mark.parametrize(("ago", "field"), [(timedelta(days=2), "patient"), (timedelta(hours=-1), "measured_at")])
def test_a_time_that_cannot_be_is_named(office: Client, ada: Patient, now: datetime, ago: timedelta, field: str) -> None:
    answer = office.post(address(Vital, "add"), _reading(ada, now - ago, spo2="97"))

    assert list(errors(answer)) == [field]


def test_a_sensor_measures_once_at_a_time(office: Client, ada: Patient, now: datetime) -> None:
    office.post(address(Vital, "add"), _reading(ada, now, spo2="97"))

    answer = office.post(address(Vital, "add"), _reading(ada, now, spo2="98"))

    assert errors(answer) == {"measured_at": ["This sensor has a reading of that time already; it stays."]}


def test_what_is_written_down_stands_in_for_no_monitor(office: Client, monitor: Monitor, ada: Patient, now: datetime) -> None:
    at = now.replace(microsecond=0)
    office.post(address(Vital, "add"), _reading(ada, at, spo2="97", sensor="M7"))

    answer = monitor.post([item(ada, at, spo2=83)])

    assert answer.json()["stored"] == 1
    assert list(Vital.objects.order_by("spo2").values_list("sensor_id", "spo2")) == [("M7", 83), ("M7:@root", 97)]


def test_a_patients_vitals_are_found_by_the_whole_id(
    office: Client, gateway: Monitor, ada: Patient, ben: Patient, now: datetime
) -> None:
    for seconds, patient in enumerate([ada, ben, ada]):
        gateway.post([item(patient, now - timedelta(seconds=10 - seconds), spo2=97)])

    found = office.get(address(Vital), {"q": "P-ADA"}).context["cl"].result_list

    assert [vital.patient for vital in found] == [ada, ada]
    assert found[0].measured_at > found[1].measured_at
    assert office.get(address(Vital), {"q": "P-"}).context["cl"].result_count == 0


def test_a_refused_vital_goes_through_after_the_admission(
    office: Client, root: User, gateway: Monitor, north: Ward, now: datetime
) -> None:
    zoe = Patient.objects.create(patient_id="P-ZOE", name="Zoe Akins")
    gateway.post([item(zoe, now, spo2=80)])
    rejected = RejectedVital.objects.get()
    admissions.admit(zoe, bed=north.beds.get(position=4), by=root, at=now - timedelta(minutes=1))

    answer = act(office, RejectedVital, "replay", rejected)

    rejected.refresh_from_db()
    assert said(answer) == [f"Stored and judged: {rejected}."]
    assert (rejected.replayed_by, Vital.objects.get().spo2) == (root, 80)
    assert open_alert(zoe).severity == "critical"
    assert said(act(office, RejectedVital, "replay", rejected))[-1:] == [f"Replayed before: {rejected}."]
    assert Vital.objects.count() == 1


def test_the_administrator_is_told_why_it_is_refused_again(office: Client, gateway: Monitor, now: datetime) -> None:
    zoe = Patient.objects.create(patient_id="P-ZOE", name="Zoe Akins")
    gateway.post([item(zoe, now, spo2=80)])

    (sentence,) = said(act(office, RejectedVital, "replay", RejectedVital.objects.get()))

    assert sentence.startswith("Refused again (patient_id: The patient had no bed at that time.): ")
    assert not Vital.objects.exists()


def test_what_has_nothing_to_replay_is_said(office: Client, gateway: Monitor, ada: Patient, now: datetime) -> None:
    gateway.post([item(ada, now, spo2=97, heart_rate=999)])
    gateway.post(b"no json")

    sentences = said(act(office, RejectedVital, "replay", *RejectedVital.objects.all()))

    assert [sentence.partition(":")[0] for sentence in sentences] == [
        "The rest was stored when it came, only this value was refused",
        "Nobody can decode it",
    ]


def test_what_was_sent_is_shown_as_text(office: Client, gateway: Monitor) -> None:
    gateway.post(json.dumps([{"patient_id": "<script>alert(1)</script>"}]))

    page = office.get(address(RejectedVital, "change", RejectedVital.objects.get().pk)).content.decode()

    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_staff_who_may_only_look_replay_nothing(office: Client, root: User, gateway: Monitor, now: datetime) -> None:
    gateway.post([{"patient_id": "P-NOBODY", "spo2": 80}])
    User.objects.filter(pk=root.pk).update(is_superuser=False)

    act(office, RejectedVital, "replay", RejectedVital.objects.get())

    assert RejectedVital.objects.get().replayed_at is None


def _reading(patient: Patient, at: datetime, **values: str) -> dict[str, Any]:
    return {"patient": patient.pk, "sensor": "manual", "on_oxygen": "unknown"} | split("measured_at", at) | values
