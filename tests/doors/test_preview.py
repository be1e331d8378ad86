"""The door to the dry run: who may ask, what is refused by name, what is answered."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import User, Ward
from monitoring.models import Patient, Threshold, WardNight
from monitoring.services import admissions, preview
from tests.conftest import signed_in
from tests.world import series

ADDRESS = "/api/v1/thresholds/preview"
SPO2 = {"sign": "spo2", "critical_low": 80, "warning_low": 86}


def ask(person: User, **body: Any) -> Any:
    return signed_in(person).post(ADDRESS, body, content_type="application/json")


def errors(answer: Any) -> dict[str, str]:
    assert answer.status_code == 422, answer.content
    return {error["field"]: error["code"] for error in answer.json()["errors"]}


@pytest.fixture
def desaturation(ada: Patient, gateway, now) -> None:
    """Ada at 97, for forty seconds at 83, and back; half an hour ago."""
    values = [97] * 200 + [83] * 40 + [97] * 320
    start = now - timedelta(minutes=30)
    with time_machine.travel(start + timedelta(seconds=len(values)), tick=False):
        gateway.post(series(ada, start, [{"spo2": value} for value in values]))


@pytest.mark.usefixtures("desaturation")
class TestAnswer:
    def test_of_a_patient(self, noor: User) -> None:
        answer = ask(noor, patient_id="P-ADA", limits=[SPO2], hours=1)

        assert answer.status_code == 200, answer.content
        told = answer.json()
        assert {name: told[name] for name in ("hours", "hours_asked", "patients", "patients_asked")} == {
            "hours": 1,
            "hours_asked": 1,
            "patients": 1,
            "patients_asked": 1,
        }
        assert told["readings"] == 560
        assert (told["present"]["calls"], told["present"]["critical"], told["proposed"]["critical"]) == (2, 1, 0)
        assert told["present"]["kinds"] == [
            {"kind": "physiological", "severity": "critical", "raised": 1},
            {"kind": "technical", "severity": "warning", "raised": 1},  # nothing came any more
        ]
        assert (told["saved"], told["lost"]) == (0, {"critical": 0, "warning": 0})
        (lost,) = told["lost_critical"]
        assert {name: lost[name] for name in ("patient_id", "bed", "condition", "worst_value", "limit", "becomes")} == {
            "patient_id": "P-ADA",
            "bed": "N1",
            "condition": "spo2_low",
            "worst_value": 83,
            "limit": 85,
            "becomes": "warning",
        }
        assert told["notes"] == [
            "Set against the limits in force now, as if they had held all the time; nobody takes an alert."
        ]

    def test_of_a_ward_for_the_last_day_unless_told(self, noor: User, north: Ward) -> None:
        answer = ask(noor, ward="north", limits=[{"sign": "spo2", "critical_low": 78, "warning_low": 82}])

        told = answer.json()
        assert (told["hours"], told["patients"]) == (24, 1)
        assert (told["saved"], told["lost"], told["lost_critical_count"]) == (1, {"critical": 1, "warning": 0}, 1)

    def test_an_override_is_taken_out(self, ada: Patient, noor: User) -> None:
        Threshold.objects.create(scope_key=f"patient:{ada.pk}", patient=ada, sign="spo2", critical_low=70, warning_low=75)

        answer = ask(noor, patient_id="P-ADA", without=[{"sign": "spo2"}])

        assert [answer.json()[run]["critical"] for run in ("present", "proposed")] == [0, 1]
        assert answer.json()["gained"] == {"critical": 1, "warning": 0}

    def test_too_many_readings_are_said(self, noor: User, monkeypatch) -> None:
        monkeypatch.setattr(preview, "BUDGET", 600)

        told = ask(noor, patient_id="P-ADA", limits=[SPO2], hours=24).json()

        assert told["hours"] == 24  # 560 fit

        monkeypatch.setattr(preview, "BUDGET", 500)
        told = ask(noor, patient_id="P-ADA", limits=[SPO2], hours=24).json()
        assert told["notes"][1] == "Too many readings: only the last 1 h of 1 of 1 patients were looked at."

    def test_a_second_one_at_once_is_asked_to_wait(self, noor: User) -> None:
        with preview._turn:
            answer = ask(noor, patient_id="P-ADA", limits=[SPO2])

        assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, "busy", "2")


class TestWhoMayAsk:
    def test_a_stranger_is_401(self, ada: Patient) -> None:
        assert Client().post(ADDRESS, {}, content_type="application/json").status_code == 401

    @pytest.mark.parametrize("subject", [{"patient_id": "P-ADA"}, {"ward": "north"}, {"patient_id": "P-404"}])
    def test_eve_of_another_ward_gets_404_whatever_else_is_wrong(self, ada: Patient, eve: User, subject: dict) -> None:
        answer = ask(eve, **subject, limits="none", unheard=1)

        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    @pytest.mark.parametrize("subject", [{"patient_id": "P-ADA"}, {"ward": "north"}])
    def test_who_only_looks_on_may_not(self, ada: Patient, vera: User, subject: dict) -> None:
        assert ask(vera, **subject, limits=[SPO2]).status_code == 403

    @pytest.mark.parametrize("subject", [{"patient_id": "P-ADA"}, {"ward": "north", "level": "hospital"}])
    def test_nurses_doctors_and_administrators_may(
        self, ada: Patient, noor: User, dora: User, root: User, subject: dict
    ) -> None:
        assert [ask(person, **subject, limits=[SPO2]).status_code for person in (noor, dora, root)] == [200] * 3

    def test_the_csrf_token_is_asked_for(self, ada: Patient, noor: User) -> None:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(noor)

        def post(**headers: str) -> int:
            body = {"patient_id": "P-ADA", "limits": []}
            return browser.post(ADDRESS, body, content_type="application/json", headers=headers).status_code

        browser.cookies["csrftoken"] = "t" * 32
        assert (post(), post(**{"X-CSRFToken": "t" * 32})) == (403, 200)

    @pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
    def test_other_methods_are_405(self, ada: Patient, noor: User, method: str) -> None:
        assert getattr(signed_in(noor), method)(ADDRESS).status_code == 405


class TestRefusals:
    @pytest.mark.parametrize(
        ("body", "found"),
        [
            ({"unheard": 1, "also": 2}, {"unheard": "unknown_field", "also": "unknown_field"}),
            ({"hours": 73}, {"hours": "invalid"}),
            ({"hours": 0}, {"hours": "invalid"}),
            ({"hours": 1.5}, {"hours": "invalid"}),
            ({"hours": True}, {"hours": "invalid"}),
            ({"hours": None}, {"hours": "invalid"}),
            ({"level": "planet"}, {"level": "invalid"}),
            ({"level": ["ward"]}, {"level": "invalid"}),
            ({"limits": {}}, {"limits": "invalid"}),
            ({"limits": [{"sign": "mood"}]}, {"sign": "invalid"}),
            ({"limits": [{"sign": "spo2", "warning": 3}]}, {"warning": "unknown_field"}),
            ({"limits": [{"sign": "spo2", "warning_low": "low"}]}, {"warning_low": "invalid"}),
            ({"limits": [{"sign": "spo2", "critical_low": 90, "warning_low": 80}]}, {"warning_low": "invalid"}),
            ({"limits": [{"sign": "spo2", "critical_low": 60, "warning_low": 80}]}, {"critical_low": "invalid"}),
            ({"limits": [SPO2 | {"delay_s": 31}]}, {"delay_s": "invalid"}),
            ({"limits": [SPO2 | {"part": "night"}]}, {"part": "invalid"}),
            ({"without": [{"sign": "mood"}]}, {"without.sign": "invalid"}),
            ({"without": "spo2"}, {"without.limits": "invalid"}),
            ({"ward": "north"}, {"patient_id": "invalid"}),
        ],
    )
    def test_what_is_wrong_is_named(self, ada: Patient, noor: User, body: dict, found: dict) -> None:
        assert errors(ask(noor, **{"patient_id": "P-ADA", "limits": [SPO2]} | body)) == found

    def test_of_nobody(self, noor: User) -> None:
        assert errors(ask(noor, limits=[])) == {"patient_id": "invalid"}
        assert errors(ask(noor, ward=7, limits=[])) == {"ward": "invalid"}
        assert errors(ask(noor, ward="north", level="patient", limits=[])) == {"level": "invalid"}

    def test_a_patient_without_a_bed(self, ada: Patient, noor: User, now) -> None:
        admissions.discharge(ada.admissions.get(), by=noor, at=now)

        assert errors(ask(noor, patient_id="P-ADA", limits=[])) == {"patient_id": "invalid"}

    def test_a_limit_switched_off_needs_no_reason_as_long_as_it_is_a_question(self, ada: Patient, noor: User) -> None:
        assert ask(noor, patient_id="P-ADA", limits=[{"sign": "spo2"}]).status_code == 200

    def test_a_night_is_asked_of_a_ward_that_has_one(self, ada: Patient, north: Ward, noor: User) -> None:
        WardNight.objects.create(ward=north, begins="22:00", ends="06:00")

        assert ask(noor, ward="north", limits=[SPO2 | {"part": "night"}]).status_code == 200

    @pytest.mark.parametrize("body", ["[]", "", "{", '"x"'])
    def test_what_is_no_object_is_400(self, noor: User, body: str) -> None:
        assert signed_in(noor).post(ADDRESS, body, content_type="application/json").status_code == 400

    def test_a_form_with_files_is_400(self, ada: Patient, noor: User) -> None:
        assert Client().post(ADDRESS, {"patient_id": "P-ADA"}).status_code == 401
        assert signed_in(noor).post(ADDRESS, {"patient_id": "P-ADA"}).status_code == 400
