"""Reading one vital, correcting it with the version that was read, marking it as entered in error."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEntry
from monitoring import board
from monitoring.board import Face
from monitoring.models import Alert, UnreadSpan, Vital, VitalChange
from tests.conftest import signed_in
from tests.world import events_of, item, unscored


def address(vital):
    return f"/api/v1/vitals/{vital.pk}"


def send(browser, method, vital, body=None, **headers) -> Any:
    text = "" if body is None else json.dumps(body)
    return browser.generic(method, address(vital), text, content_type="application/json", headers=headers)


@pytest.fixture
def doctor(dora):
    return signed_in(dora)


@pytest.fixture
def vital(gateway, ada, now):
    """A saturation of 48 that was read off the wrong line, a minute ago."""
    unscored(ada)
    gateway.post([item(ada, now - timedelta(minutes=1), spo2=48)])
    return Vital.objects.get()


@pytest.fixture
def full(gateway, ada, now):
    gateway.post([item(ada, now, spo2=97, heart_rate=72, systolic_bp=120, diastolic_bp=80)])
    return Vital.objects.get(measured_at=now)


class TestReading:
    def test_all_of_it_with_its_version(self, doctor, vital):
        answer = doctor.get(address(vital))

        told = answer.json()
        assert (answer.status_code, answer.headers["ETag"]) == (200, '"1"')
        assert (told["spo2"], told["vital_type"], told["value"]) == (48, "SpO2", 48)
        assert (told["corrections"], told["entered_in_error"]) == ([], False)

    def test_with_what_was_changed(self, doctor, vital):
        send(doctor, "PUT", vital, {"value": 84, "version": 1, "reason": "the wrong line"})

        told = doctor.get(address(vital)).json()

        (change,) = told["corrections"]
        assert (change["version"], change["by"], change["reason"]) == (2, "Dora", "the wrong line")
        assert (change["was"], change["became"]) == ({"spo2": 48}, {"spo2": 84})
        assert told["updated_at"] == change["at"] > told["created_at"]

    def test_for_few_queries(self, doctor, vital, django_assert_max_num_queries):
        for version in range(1, 5):
            send(doctor, "PUT", vital, {"value": 80 + version, "version": version})

        with django_assert_max_num_queries(6):
            assert len(doctor.get(address(vital)).json()["corrections"]) == 4

    def test_the_patient_reads_his_own_and_changes_nothing(self, vital, ada, django_user_model):
        own = django_user_model.objects.create_user("ada", "ada@example.org", "correct horse", name="Ada")
        type(ada).objects.filter(pk=ada.pk).update(user=own)

        assert signed_in(own).get(address(vital)).status_code == 200
        assert send(signed_in(own), "PUT", vital, {"value": 99, "version": 1}).status_code == 403

    @pytest.mark.parametrize("key", ["0", "999999999", "9" * 40, "-1", "P-ADA", "1e3", "٣"])
    def test_one_that_is_not_there(self, doctor, vital, key):
        assert doctor.get(f"/api/v1/vitals/{key}").status_code == 404

    def test_another_method(self, doctor, vital):
        assert send(doctor, "POST", vital, {}).status_code == 405


class TestCorrecting:
    @pytest.mark.parametrize("method", ["PUT", "PATCH"])
    def test_the_value_alone(self, doctor, vital, method):
        answer = send(doctor, method, vital, {"value": 84, "version": 1, "reason": "the wrong line"})

        assert answer.status_code == 200, answer.json()
        assert (answer.json()["value"], answer.json()["version"], answer.headers["ETag"]) == (84, 2, '"2"')
        vital.refresh_from_db()
        assert (vital.spo2, vital.version) == (84, 2)

    def test_the_version_as_if_match(self, doctor, vital):
        assert send(doctor, "PUT", vital, {"value": 84}, **{"If-Match": '"1"'}).json()["version"] == 2

    def test_a_type_may_change(self, doctor, vital):
        answer = send(doctor, "PUT", vital, {"vital_type": "HR", "value": 48, "version": 1})

        told = answer.json()
        assert (told["heart_rate"], told["spo2"], told["vital_type"]) == (48, None, "HR")
        assert told["corrections"][0]["was"] == {"spo2": 48, "heart_rate": None}

    def test_one_value_of_many_by_its_type(self, doctor, full):
        answer = send(doctor, "PUT", full, {"vital_type": "HR", "value": 75, "version": 1})

        assert (answer.json()["heart_rate"], answer.json()["spo2"]) == (75, 97)

    def test_fields_by_name(self, doctor, full):
        answer = send(doctor, "PATCH", full, {"heart_rate": 75, "spo2": None, "consciousness": "A", "version": 1})

        told = answer.json()
        assert (told["heart_rate"], told["spo2"], told["consciousness"], told["systolic_bp"]) == (75, None, "A", 120)

    def test_what_was_answered_may_be_sent_back_changed(self, doctor, full):
        record = doctor.get(address(full)).json()

        answer = send(doctor, "PUT", full, record | {"heart_rate": 75})

        assert (answer.status_code, answer.json()["version"]) == (200, 2)
        assert list(answer.json()["corrections"][0]["was"]) == ["heart_rate"]

    def test_the_same_again_changes_nothing(self, doctor, vital):
        answer = send(doctor, "PUT", vital, {"value": 48, "version": 1})

        assert (answer.status_code, answer.json()["version"]) == (200, 1)
        assert not VitalChange.objects.exists()

    def test_who_did_it_is_in_the_trail(self, doctor, vital):
        send(doctor, "PUT", vital, {"value": 84, "version": 1})

        entry = AuditEntry.objects.get(what="corrected")
        assert (entry.who, entry.patient, entry.about) == ("dora", "P-ADA", f"vital:{vital.pk}")
        assert entry.detail == {"version": 2, "was": {"spo2": 48}, "became": {"spo2": 84}}

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"value": 84}, "version"),
            ({"value": 84, "version": "1"}, "version"),
            ({"value": 84, "version": -1}, "version"),
            ({"version": 1}, "value"),
            ({"value": None, "version": 1}, "value"),
            ({"vital_type": "HR", "value": None, "version": 1}, "value"),
            ({"value": 101, "version": 1}, "value"),
            ({"value": "84", "version": 1}, "value"),
            ({"value": 10**400, "version": 1}, "value"),
            ({"vital_type": "PULSE", "value": 84, "version": 1}, "vital_type"),
            ({"vital_type": "HR", "value": 84, "spo2": 84, "version": 1}, "vital_type"),
            ({"spo2": None, "version": 1}, "spo2"),
            ({"patient_id": "P-BEN", "value": 84, "version": 1}, "patient_id"),
            ({"timestamp": "2026-01-01T00:00:00Z", "value": 84, "version": 1}, "timestamp"),
            ({"pulse": 84, "version": 1}, "pulse"),
            ({"value": 84, "version": 1, "reason": "x" * 201}, "reason"),
            ({"value": 84, "version": 1, "reason": "a\0b"}, "reason"),
        ],
    )
    def test_what_is_wrong_is_named(self, doctor, vital, body, field):
        answer = send(doctor, "PUT", vital, body)

        assert answer.status_code == 422, answer.json()
        assert field in [error["field"] for error in answer.json()["errors"]]
        vital.refresh_from_db()
        assert (vital.spo2, vital.version) == (48, 1)

    def test_a_reason_is_refused_in_words(self, doctor, vital):
        answer = send(doctor, "PUT", vital, {"value": 84, "version": 1, "reason": "a\0b"})

        assert answer.json()["detail"] == "reason: Text on one line, without control characters."

    def test_of_many_values_somebody_has_to_say_which(self, doctor, full):
        answer = send(doctor, "PUT", full, {"value": 75, "version": 1})

        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "vital_type")

    def test_pressures_stay_in_order(self, doctor, full):
        answer = send(doctor, "PUT", full, {"systolic_bp": 70, "version": 1})

        assert (answer.status_code, answer.json()["code"]) == (422, "pressure_order")

    def test_fahrenheit_has_its_hint(self, doctor, vital):
        answer = send(doctor, "PUT", vital, {"vital_type": "BT", "value": 98.6, "version": 1})

        assert "send 37.0 °C" in answer.json()["detail"]


class TestConflict:
    def test_a_stale_version_is_409_with_the_vital_as_it_is(self, doctor, vital):
        send(doctor, "PUT", vital, {"value": 84, "version": 1})

        answer = send(doctor, "PUT", vital, {"value": 90, "version": 1})

        told = answer.json()
        assert (answer.status_code, told["code"]) == (409, "version_conflict")
        assert (told["expected_version"], told["current_version"], told["current"]["value"]) == (1, 2, 84)

    def test_a_device_that_adds_a_value_moves_the_version(self, doctor, gateway, vital, ada):
        gateway.post([item(ada, vital.measured_at, heart_rate=70)])

        answer = send(doctor, "PUT", vital, {"spo2": 84, "version": 1})

        assert (answer.status_code, answer.json()["current"]["heart_rate"]) == (409, 70)


class TestInError:
    @pytest.mark.parametrize("way", ["body", "query", "header"])
    def test_it_is_kept_and_marked(self, doctor, vital, way):
        body = {"version": 1, "reason": "the wrong patient"} if way == "body" else None
        headers = {"If-Match": '"1"'} if way == "header" else {}
        query = "?version=1" if way == "query" else ""
        text = "" if body is None else json.dumps(body)

        answer = doctor.generic("DELETE", address(vital) + query, text, content_type="application/json", headers=headers)

        assert answer.status_code == 200, answer.json()
        told = answer.json()
        assert (told["entered_in_error"], told["spo2"], told["version"]) == (True, 48, 2)
        assert (told["corrections"][0]["what"], told["corrections"][0]["by"]) == ("entered_in_error", "Dora")
        assert not Vital.objects.standing().exists()

    def test_once_more_is_no_error(self, doctor, vital):
        for _ in range(2):
            answer = send(doctor, "DELETE", vital, {"version": 1})

        assert (answer.status_code, answer.json()["version"]) == (200, 2)
        assert VitalChange.objects.count() == 1

    def test_with_a_stale_version(self, doctor, vital):
        send(doctor, "PUT", vital, {"value": 84, "version": 1})

        answer = send(doctor, "DELETE", vital, {"version": 1})

        assert (answer.status_code, answer.json()["current"]["value"]) == (409, 84)
        assert Vital.objects.standing().exists()

    def test_without_a_version(self, doctor, vital):
        assert send(doctor, "DELETE", vital).status_code == 422

    def test_two_versions_that_differ(self, doctor, vital):
        answer = doctor.generic("DELETE", address(vital) + "?version=2", json.dumps({"version": 1}), "application/json")

        assert answer.status_code == 422

    def test_it_is_not_corrected_any_more(self, doctor, vital):
        send(doctor, "DELETE", vital, {"version": 1})

        answer = send(doctor, "PUT", vital, {"value": 84, "version": 2})

        assert (answer.status_code, answer.json()["code"]) == (409, "entered_in_error")

    def test_the_right_value_may_take_its_place(self, doctor, noor, ada, now):
        body = {"patient_id": "P-ADA", "vital_type": "HR", "value": 27, "recorded_at": now.isoformat()}
        nurse = signed_in(noor)
        first = nurse.post("/api/v1/vitals", json.dumps(body), content_type="application/json").json()
        send(doctor, "DELETE", Vital.objects.get(pk=first["id"]), {"version": 1})

        answer = nurse.post("/api/v1/vitals", json.dumps(body | {"value": 72}), content_type="application/json")

        assert answer.status_code == 201
        assert [vital.heart_rate for vital in Vital.objects.standing()] == [72]


class TestWho:
    BODIES = [("PUT", {"value": 84, "version": 1}), ("PATCH", {"value": 84, "version": 1}), ("DELETE", {"version": 1})]

    @pytest.mark.parametrize(("method", "body"), BODIES)
    def test_eve_finds_nothing(self, eve, vital, method, body):
        assert signed_in(eve).get(address(vital)).status_code == 404
        assert send(signed_in(eve), method, vital, body).status_code in {403, 404}
        vital.refresh_from_db()
        assert vital.version == 1

    @pytest.mark.parametrize(("method", "body"), BODIES)
    @pytest.mark.parametrize("who", ["noor", "vera"])
    def test_only_a_doctor(self, request, vital, who, method, body):
        browser = signed_in(request.getfixturevalue(who))

        assert browser.get(address(vital)).status_code == 200
        assert send(browser, method, vital, body).status_code == 403

    def test_a_doctor_of_another_ward_finds_nothing(self, vital, eve):
        eve.memberships.update(role="doctor")

        assert send(signed_in(eve), "PUT", vital, {"value": 84, "version": 1}).status_code == 404

    def test_a_stranger(self, vital):
        assert send(Client(), "PUT", vital, {"value": 84, "version": 1}).status_code == 401


class TestJudgedAgain:
    def test_the_alert_that_it_led_to_is_marked_and_stays(self, doctor, vital, ada):
        assert events_of(ada) == ["raised"]

        send(doctor, "PUT", vital, {"value": 97, "version": 1})

        alert = Alert.objects.get()
        assert events_of(ada) == ["raised", "returned", "corrected"]
        event = alert.events.get(what="corrected")
        assert (event.note, event.by.login) == ("SpO₂ 48 → 97 %, corrected by Dora", "dora")

    def test_what_still_stands_says_the_value_that_was_measured(self, doctor, vital, ada):
        send(doctor, "PUT", vital, {"value": 84, "version": 1})

        alert = Alert.objects.open().get()
        assert (alert.message, alert.worst_value, alert.last_value) == ("SpO₂ 84 < 85 %", 84, 84)
        assert events_of(ada) == ["raised", "corrected"]

    def test_what_never_was_critical_is_a_warning(self, doctor, vital, ada):
        send(doctor, "PUT", vital, {"value": 88, "version": 1})

        alert = Alert.objects.open().get()
        assert (alert.message, alert.severity, alert.state) == ("SpO₂ 88 < 90 %", "warning", "raised")
        assert events_of(ada) == ["raised", "eased", "corrected"]

    def test_what_was_worse_at_another_time_stays_critical(self, doctor, vital, gateway, ada, now):
        gateway.post([item(ada, now, spo2=47)])

        send(doctor, "PUT", Vital.objects.get(spo2=47), {"value": 88, "version": 1})

        assert Alert.objects.open().get().severity == "critical"

    def test_what_nobody_was_told_of_calls(self, doctor, gateway, ada, now):
        unscored(ada)
        gateway.post([item(ada, now - timedelta(minutes=1), spo2=97)])

        send(doctor, "PUT", Vital.objects.get(), {"value": 84, "version": 1})

        assert Alert.objects.open().get().severity == "critical"

    def test_what_is_long_past_is_recorded(self, doctor, gateway, ada, now):
        unscored(ada)
        gateway.post([item(ada, now - timedelta(minutes=30), spo2=97)])

        send(doctor, "PUT", Vital.objects.get(), {"value": 84, "version": 1})

        assert events_of(ada) == ["recorded"]
        assert not Alert.objects.open().exists()

    def test_in_error_nothing_stands_on_it_any_more(self, doctor, vital, ada):
        send(doctor, "DELETE", vital, {"version": 1, "reason": "the wrong patient"})

        assert events_of(ada) == ["raised", "returned", "corrected"]
        assert Alert.objects.get().events.get(what="corrected").note == "SpO₂ 48 %: entered in error, says Dora"

    @pytest.mark.parametrize(("method", "body", "drawn"), [("PUT", {"value": 98}, "98"), ("DELETE", {}, "–")])
    def test_the_board_draws_what_is_left(self, doctor, vital, north, now, method, body, drawn):
        send(doctor, method, vital, body | {"version": 1})

        (tile,) = [tile for tile in board.read(north.pk, now=now, face=Face.NAMED).tiles if tile.patient]
        assert [cell.text for cell in tile.cells if cell.name == "spo2"] == [drawn]

    def test_summaries_of_what_is_long_past_are_made_anew(self, doctor, gateway, ada, now):
        gateway.post([item(ada, now - timedelta(hours=1), spo2=97)])
        UnreadSpan.objects.filter(until__isnull=False).delete()

        send(doctor, "PUT", Vital.objects.get(), {"value": 84, "version": 1})

        assert UnreadSpan.objects.filter(patient=ada, until__isnull=False).count() == 1
