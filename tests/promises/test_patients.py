"""What was promised of patients, their stays and their calls, as the systems before MedQL had it or should have had it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client

from accounts.models import User, Ward
from monitoring.models import Alert, Dossier, Patient, Shift
from monitoring.services import admissions
from tests.access.actors import patient_herself
from tests.admin.pages import act, address, lines
from tests.conftest import PASSWORD, signed_in
from tests.doors.staff import ADA, GRACE, PATIENTS, ids, send
from tests.world import Monitor, item

HERS = f"{PATIENTS}/P-GRACE"
SIX = ("heart_rate", "spo2", "systolic_bp", "diastolic_bp", "body_temp", "respiratory_rate")


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a1_04_a_reading_of_nobody_admitted_is_refused_clearly(
    ada: Patient, gateway: Monitor, noor: User, now: datetime
) -> None:
    admissions.discharge(ada.admissions.get(), by=noor, at=now - timedelta(minutes=1))

    answer = gateway.post(item(ada, now, spo2=97))

    assert code(answer) == (400, "not_admitted")
    assert answer.json()["detail"]


def test_a1_05_a_reading_of_an_unknown_patient_is_404(north: Ward, gateway: Monitor) -> None:
    assert code(gateway.post({"patient_id": "P-NOBODY", "spo2": 97})) == (404, "unknown_patient")


def test_a1_06_a_patient_is_created_read_updated_and_deleted(dora: User, office: Client) -> None:
    doctor = signed_in(dora)

    assert send(doctor, PATIENTS, GRACE).status_code == 201
    assert doctor.get(HERS).json()["name"] == "Grace Hopper"
    assert send(doctor, HERS, {"name": "Grace Murray Hopper", "version": 1}, "put").json()["name"] == "Grace Murray Hopper"
    assert office.delete(HERS).status_code == 204
    assert ids(doctor.get(PATIENTS)) == []
    assert Patient.objects.get().archived_at  # out of the way, and kept


def test_a1_06_an_update_is_for_administrators_and_doctors(ada: Patient, noor: User, dora: User, root: User) -> None:
    found = [
        send(signed_in(who), ADA, {"name": "Ada", "version": version}, "put").status_code
        for version, who in enumerate((noor, dora, root))
    ]

    assert found == [403, 200, 200]


def test_a1_08_one_call_is_the_whole_summary(ada: Patient, gateway: Monitor, noor: User, now: datetime) -> None:
    six = {"heart_rate": 70, "systolic_bp": 120, "diastolic_bp": 80, "body_temp": 36.6, "respiratory_rate": 16}
    gateway.post([item(ada, now - timedelta(minutes=1), **six), item(ada, now, spo2=79)])

    told = signed_in(noor).get(f"{ADA}/summary").json()

    assert (told["patient"]["patient_id"], told["patient"]["name"], told["patient"]["gender"]) == (
        "P-ADA",
        "Ada Byron",
        "unknown",
    )
    assert (told["room"], told["reading_count"], told["admission_status"]) == ("North N1", 2, "admitted")
    assert told["last_reading_at"] == now.isoformat().replace("+00:00", "Z")
    assert {sign: told["latest"][sign]["value"] for sign in SIX} == six | {"spo2": 79}
    assert (told["alerts_24h"], told["unresolved"]) == (1, 1)


def test_a1_09_a_day_has_least_mean_and_greatest_of_every_sign(
    ada: Patient, gateway: Monitor, noor: User, now: datetime
) -> None:
    noon = now.replace(hour=12)
    ada.admissions.update(admitted_at=noon - timedelta(hours=1))
    ada.admissions.get().placements.update(started_at=noon - timedelta(hours=1))
    with time_machine.travel(noon, tick=False):
        gateway.post([item(ada, noon - timedelta(seconds=second), heart_rate=60 + second) for second in range(3)])
        client = signed_in(noor)

        today = client.get(f"{ADA}/daily-stats").json()
        other = client.get(f"{ADA}/daily-stats?date=2020-01-01").json()

    assert today["signs"]["heart_rate"] == {"min": 60, "mean": 61, "max": 62, "count": 3}
    assert other["date"] == "2020-01-01"
    assert all(stats == {"min": None, "mean": None, "max": None, "count": 0} for stats in other["signs"].values())


def test_a1_12_a_patient_is_admitted_moved_and_discharged(noor: User, north: Ward) -> None:
    nurse = signed_in(noor)
    send(nurse, PATIENTS, GRACE)

    assert send(nurse, f"{HERS}/admit", {"ward": "north", "bed": "N3"}).json()["status"] == "admitted"
    assert send(nurse, f"{HERS}/transfer", {"ward": "north", "bed": "N4"}).json()["bed"] == "N4"
    assert send(nurse, f"{HERS}/discharge", {}).json()["status"] == "discharged"
    assert nurse.get(f"{HERS}/summary").json()["admission_status"] == "discharged"
    assert code(send(nurse, f"{HERS}/discharge", {})) == (409, "not_admitted")


def test_a1_13_the_history_is_sealed_in_the_database_and_read_back(dora: User, vera: User) -> None:
    send(signed_in(dora), PATIENTS, GRACE | {"medical_history": "allergic to penicillin"})

    assert signed_in(dora).get(HERS).json()["medical_history"] == "allergic to penicillin"
    assert "medical_history" not in signed_in(vera).get(HERS).json()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT history FROM {Dossier._meta.db_table}")
        assert "penicillin" not in str(cursor.fetchall())


def test_a1_20_help_that_a_patient_calls_is_on_the_wards_screen_with_name_and_bed(ada: Patient, noor: User, vera: User) -> None:
    answer = signed_in(patient_herself(ada)).post(f"{ADA}/emergency")

    assert (answer.status_code, answer.json()["kind"], answer.json()["severity"]) == (201, "help", "critical")
    for staff in (noor, vera):
        board = signed_in(staff).get("/wards/north/").content.decode()
        tile = board.partition('aria-label="Bed N1"')[2].partition("</article>")[0]
        assert [word for word in ("Emergency Help Request", "Ada Byron", "N1") if word not in tile] == []
    assert Alert.objects.open().count() == 1


def test_a1_24_staff_find_their_own_patients_and_themselves(
    ada: Patient, ben: Patient, cid: Patient, noor: User, north: Ward, now: datetime
) -> None:
    nurse = signed_in(noor)
    shift = Shift.objects.create(user=noor, ward=north, starts_at=now, ends_at=now + timedelta(hours=8))
    shift.beds.add(north.beds.get(name="N2"))

    assert ids(nurse.get(PATIENTS)) == ["P-ADA", "P-BEN"]
    assert ids(nurse.get(f"{PATIENTS}?mine=true")) == ["P-BEN"]
    assert nurse.get("/api/v1/staff/me").json()["wards"] == [{"ward": "north", "role": "nurse"}]


def test_a1_24_an_administrator_takes_on_staff_and_lets_them_go(office: Client, noor: User, north: Ward) -> None:
    nina = {"login": "nina", "email": "nina@example.org", "name": "Nina", "usable_password": "true"}
    first = {"password1": "a long first password", "password2": "a long first password"}
    office.post(address(User, "add"), nina | first | lines("memberships", {"ward": north.pk, "role": "nurse"}))
    hers = signed_in(User.objects.get(login="nina"))
    assert hers.get("/api/v1/staff/me").json()["wards"] == [{"ward": "north", "role": "nurse"}]

    act(office, User, "deactivate", noor)

    assert not Client().login(username="noor", password=PASSWORD)


def test_b1_03_a_patient_is_registered_with_version_1_and_once(dora: User) -> None:
    answer = send(signed_in(dora), PATIENTS, GRACE)

    assert (answer.status_code, answer.json()["version"]) == (201, 1)
    assert code(send(signed_in(dora), PATIENTS, GRACE)) == (409, "duplicate")


def test_b1_04_of_two_updates_of_one_version_the_second_is_409(ada: Patient, dora: User) -> None:
    said = {"name": "Ada Lovelace", "gender": "F", "birth_date": "1985-12-10", "version": 1}

    first, second = (send(signed_in(dora), ADA, said, "put") for _ in range(2))

    assert (first.status_code, first.json()["version"], first.json()["gender"]) == (200, 2, "female")
    assert (second.status_code, second.json()["current_version"]) == (409, 2)


@pytest.mark.parametrize("gender", ["M", "F", "male", "female", "other", "unknown"])
def test_b1_03_both_ways_of_writing_a_gender_are_taken(dora: User, gender: str) -> None:
    told = send(signed_in(dora), PATIENTS, GRACE | {"gender": gender}).json()

    assert told["gender"] == {"M": "male", "F": "female"}.get(gender, gender)
