"""One typed value, written down by hand: by staff, a program or a device."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts import service_tokens
from accounts.models import AuditEntry, ServiceToken
from monitoring.models import AlarmState, Alert, Patient, RejectedVital, Vital
from monitoring.services import admissions, alerts, ingestion
from monitoring.services.conduct import TOO_MANY_REFUSED
from tests.conftest import signed_in
from tests.world import item, open_alert, unscored

ADDRESS = "/api/v1/vitals"


def typed(patient, at, vital_type="HR", value: Any = 72, **more):
    return {"patient_id": patient.patient_id, "recorded_at": at.isoformat(), "vital_type": vital_type, "value": value} | more


def send(browser, body, address=ADDRESS):
    return browser.post(address, json.dumps(body), content_type="application/json")


@pytest.fixture
def nurse(noor):
    return signed_in(noor)


@pytest.fixture
def program(north, root, now):
    token = service_tokens.issue(ServiceToken(name="Ward round, 2"), wards=[north], by=root, at=now)
    return Client(headers={"Authorization": f"Bearer {token}"})


class TestByStaff:
    def test_it_is_stored_as_it_was_written(self, nurse, ada, now):
        answer = send(nurse, typed(ada, now, "BT", 36.94))

        assert answer.status_code == 201, answer.json()
        told = answer.json()
        assert told.keys() == {
            "id", "patient_id", "recorded_at", "vital_type", "value", "version", "created_at", "updated_at",
        }  # fmt: skip
        assert (told["vital_type"], told["value"], told["version"]) == ("BT", 36.94, 1)
        vital = Vital.objects.get(pk=told["id"])
        assert (vital.sensor_id, vital.body_temp, vital.device) == ("manual:@noor:BT", 36.94, None)
        assert answer.headers["ETag"] == '"1"'

    def test_with_the_sensor_that_it_was_read_from(self, nurse, ada, now):
        send(nurse, typed(ada, now, sensor_id="dinamap/3"))

        assert Vital.objects.get().sensor_id == "dinamap/3:@noor:HR"

    @pytest.mark.parametrize("vital_type", ["HR", "RR", "SBP", "DBP", "MBP", "SpO2", "BT"])
    def test_every_type(self, nurse, ada, now, vital_type):
        assert send(nurse, typed(ada, now, vital_type, 40)).status_code == 201

    def test_what_is_beyond_calls_at_once_and_is_never_missed(self, nurse, ada, now):
        unscored(ada)

        send(nurse, typed(ada, now, "SpO2", 84))

        alert = Alert.objects.open().get()
        assert (alert.condition, alert.severity) == ("spo2_low", "critical")
        alerts.look(ada.admissions.get(), now=now + timedelta(hours=9))
        assert AlarmState.objects.get().grey_at is None
        assert Alert.objects.open().count() == 1

    def test_who_wrote_it_down_is_in_the_trail(self, nurse, ada, now):
        told = send(nurse, typed(ada, now)).json()

        entry = AuditEntry.objects.get(what="written_down")
        assert (entry.who, entry.patient, entry.about) == ("noor", "P-ADA", f"vital:{told['id']}")

    def test_the_same_again_is_the_same_row(self, nurse, ada, now):
        first, second = (send(nurse, typed(ada, now)) for _ in range(2))

        assert (second.status_code, second.json()["id"]) == (201, first.json()["id"])
        assert Vital.objects.count() == 1

    def test_another_value_of_the_same_time_is_a_conflict(self, nurse, ada, now):
        send(nurse, typed(ada, now))

        answer = send(nurse, typed(ada, now, value=80))

        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
        assert Vital.objects.get().heart_rate == 72

    @pytest.mark.parametrize("sensor", [None, "cuff-1"])
    def test_several_signs_of_one_time_stand_beside_each_other(self, nurse, ada, now, sensor):
        said = [("SBP", 120), ("DBP", 70), ("HR", 72), ("SBP", 120)]
        answers = [send(nurse, typed(ada, now, *each, sensor_id=sensor)) for each in said]

        assert [answer.status_code for answer in answers] == [201] * 4
        assert answers[3].json()["id"] == answers[0].json()["id"]
        assert {answer.json()["version"] for answer in answers} == {1}
        assert [vital.values for vital in Vital.objects.order_by("pk")] == [
            {"systolic_bp": 120}, {"diastolic_bp": 70}, {"heart_rate": 72},
        ]  # fmt: skip

    def test_it_belongs_to_the_stay_at_its_time(self, nurse, ada, north, now):
        first = ada.admissions.get()
        admissions.discharge(first, by=None, at=now - timedelta(hours=2))
        admissions.admit(ada, bed=north.beds.get(position=3), by=None, at=now - timedelta(hours=1))

        send(nurse, typed(ada, now - timedelta(hours=3)))

        assert Vital.objects.get().admission == first

    def test_an_old_one_calls_nobody(self, nurse, ada, now):
        send(nurse, typed(ada, now - timedelta(hours=1), "SpO2", 70))

        assert not Alert.objects.open().exists()
        assert Alert.objects.get().recorded


class TestRefused:
    @pytest.mark.parametrize("patient_id", ["P-ADA ", " P-ADA", "p-ada", "P-ADA\x00", "\u0130"])
    def test_nobody_has_nearly_this_id(self, nurse, ada, now, patient_id):
        answer = send(nurse, typed(ada, now) | {"patient_id": patient_id})

        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_patient")
        assert not Vital.objects.exists()

    def test_fahrenheit_with_a_hint(self, nurse, ada, now):
        answer = send(nurse, typed(ada, now, "BT", 98.6))

        assert answer.status_code == 422
        assert answer.json()["code"] == "out_of_range"
        assert "98.6 looks like °F; send 37.0 °C" in answer.json()["detail"]
        assert answer.json()["errors"][0]["field"] == "value"
        assert not Vital.objects.exists()

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"vital_type": "PULSE"}, "vital_type"),
            ({"vital_type": None}, "vital_type"),
            ({"vital_type": ["HR"]}, "vital_type"),
            ({"value": "72"}, "value"),
            ({"value": 10**400}, "value"),
            ({"value": True}, "value"),
            ({"value": -1}, "value"),
            ({"recorded_at": "2026-11-26T08:00:00"}, "recorded_at"),
            ({"recorded_at": "0001-01-01T00:00:00+23:00"}, "recorded_at"),
            ({"recorded_at": "2999-01-01T00:00:00Z"}, "recorded_at"),
            ({"sensor_id": "a b"}, "sensor_id"),
            ({"sensor_id": "cuff\n"}, "sensor_id"),
            ({"bed": 3}, "bed"),
        ],
    )
    def test_what_is_wrong_is_named(self, nurse, ada, now, change, field):
        answer = send(nurse, typed(ada, now) | change)

        assert answer.status_code == 422, answer.json()
        assert [error["field"] for error in answer.json()["errors"]] == [field]

    def test_a_sensor_is_refused_in_words(self, nurse, ada, now):
        answer = send(nurse, typed(ada, now) | {"sensor_id": "a b"})

        assert answer.json()["detail"] == "sensor_id: 1 to 64 of A-Z a-z 0-9 . _ : / -"

    def test_without_a_type_it_is_a_devices(self, nurse, ada, now):
        item = {"patient_id": "P-ADA", "timestamp": now.isoformat(), "heart_rate": 72}

        assert send(nurse, item).status_code == 422
        answer = send(nurse, [item])
        assert (answer.status_code, answer.json()["code"]) == (403, "device_only")

    @pytest.mark.parametrize("patient_id", ["P-NOBODY", "\0", "x" * 65, "ü"])
    def test_nobody_of_this_id(self, nurse, ada, now, patient_id):
        answer = send(nurse, typed(ada, now) | {"patient_id": patient_id})

        assert answer.status_code == (422 if len(patient_id) > 64 else 404)

    def test_eve_finds_nobody(self, eve, ada, now):
        answer = send(signed_in(eve), typed(ada, now))

        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_patient")

    def test_a_viewer_may_not(self, vera, ada, now):
        assert send(signed_in(vera), typed(ada, now)).status_code == 403

    def test_a_time_without_a_bed(self, nurse, ada, now):
        answer = send(nurse, typed(ada, now - timedelta(days=2)))

        assert (answer.status_code, answer.json()["code"]) == (400, "not_admitted")

    def test_a_stranger_is_401_and_told_how_to_come_back(self, ada, now):
        answer = send(Client(), typed(ada, now))

        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"]

    @pytest.mark.parametrize("body", [b"", b"{", b'"HR"', b"\xff", b'{"vital_type": "\\ud800"}'])
    def test_what_nobody_can_read(self, nurse, body):
        answer = nurse.post(ADDRESS, body, content_type="application/json")

        assert answer.status_code in {400, 422}


def test_by_a_program(program, ada, now):
    answer = send(program, typed(ada, now, "RR", 14))

    assert answer.status_code == 201, answer.json()
    assert Vital.objects.get().sensor_id == f"manual:@Ward-round--2#{ServiceToken.objects.get().pk}:RR"
    assert AuditEntry.objects.get(what="written_down").by_kind == "service"


class TestBesideDevices:
    """Whatever sensor is named: what is typed is another's word than the device's."""

    @pytest.mark.parametrize("sensor", [None, "M7", "manual:M7:SpO2", "manual:noor:SpO2", "manual"])
    def test_a_device_that_measures_the_same_second_is_heard(self, nurse, monitor, ada, now, sensor):
        send(nurse, typed(ada, now, "SpO2", 97, sensor_id=sensor))

        answer = monitor.post([item(ada, now, spo2=83, sensor_id=sensor)])

        assert answer.json() == {"stored": 1, "duplicates": 0, "rejected": []}
        assert sorted(Vital.objects.values_list("spo2", flat=True)) == [83, 97]

    @pytest.mark.parametrize("sensor", [None, "M7", "manual:M7:SpO2", "manual:noor:SpO2", "manual"])
    def test_nor_does_it_hinder_who_types(self, nurse, monitor, ada, now, sensor):
        monitor.post([item(ada, now, spo2=83, sensor_id=sensor)])

        assert send(nurse, typed(ada, now, "SpO2", 97, sensor_id=sensor)).status_code == 201

    @pytest.mark.parametrize("sensor", ["M7", "manual:noor:SpO2"])
    def test_nobodys_entry_ends_what_a_device_measured(self, nurse, monitor, ada, now, sensor):
        unscored(ada)
        monitor.post([item(ada, now - timedelta(seconds=20), spo2=84, sensor_id=sensor)])

        send(nurse, typed(ada, now, "SpO2", 97, sensor_id=sensor))

        assert open_alert(ada).state == "raised"

    def test_a_program_of_a_nurses_name_is_somebody_else(self, nurse, ada, north, root, now):
        token = service_tokens.issue(ServiceToken(name="noor"), wards=[north], by=root, at=now)
        send(nurse, typed(ada, now, value=72))

        answer = send(Client(headers={"Authorization": f"Bearer {token}"}), typed(ada, now, value=80))

        assert answer.status_code == 201
        assert Vital.objects.count() == 2

    @pytest.mark.parametrize(("sensor", "former"), [(None, "manual:noor:HR"), ("cuff-1", "cuff-1")])
    def test_what_she_wrote_down_under_a_former_name_is_known(self, nurse, ada, now, sensor, former):
        at = {"measured_at": now, "received_at": now}
        Vital.objects.create(patient=ada, admission=ada.admissions.get(), sensor_id=former, heart_rate=72, **at)

        codes = [send(nurse, typed(ada, now, value=value, sensor_id=sensor)).status_code for value in (72, 80)]

        assert codes == [201, 409]
        assert Vital.objects.count() == 1
        assert send(nurse, typed(ada, now, "RR", 14, sensor_id=sensor)).status_code == 201


class TestByDevice:
    def test_it_answers_in_the_same_form(self, gateway, ada, now):
        answer = gateway.post(typed(ada, now, "SpO2", 97))

        assert answer.status_code == 201, answer.json()
        assert (answer.json()["vital_type"], answer.json()["value"]) == ("SpO2", 97)
        vital = Vital.objects.get()
        assert (vital.sensor_id, vital.device) == ("manual:GW-NORTH:SpO2", gateway.device)

    def test_a_monitor_need_not_say_whom_it_measures(self, monitor, now):
        body = {"recorded_at": now.isoformat(), "vital_type": "HR", "value": 72}

        assert monitor.post(body).json()["patient_id"] == "P-ADA"

    @pytest.mark.parametrize(
        ("change", "status", "code", "field"),
        [
            ({"vital_type": "EtCO2"}, 422, "invalid", "vital_type"),
            ({"vital_type": None}, 422, "invalid", "vital_type"),
            ({"vital_type": ["HR"]}, 422, "invalid", "vital_type"),
            ({"value": None}, 422, "invalid", "value"),
            ({"value": "72"}, 422, "invalid", "heart_rate"),
            ({"value": 900}, 422, "out_of_range", "heart_rate"),
            ({"heart_rate": 7}, 422, "invalid", "heart_rate"),
            ({"patient_id": "P-NOBODY"}, 404, "unknown_patient", "patient_id"),
            ({"recorded_at": "2999-01-01T00:00:00Z"}, 422, "future_timestamp", "timestamp"),
        ],
    )
    def test_what_is_wrong_is_told_and_kept_as_it_was_sent(self, gateway, ada, now, change, status, code, field):
        sent = json.dumps(typed(ada, now) | change, indent=1)

        answer = gateway.post(sent)

        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert [(one["field"], one["stored"]) for one in answer.json()["errors"]] == [(field, False)]
        kept = RejectedVital.objects.get()
        assert (kept.item, kept.code, kept.field, kept.stored) == (sent, code, field, False)
        assert not Vital.objects.exists()

    def test_without_a_value(self, gateway, ada, now):
        body = typed(ada, now)
        del body["value"]

        assert gateway.post(body).status_code == 422
        assert RejectedVital.objects.get().field == "value"

    @pytest.mark.parametrize(
        "twice", ['"value": 20, "value": 72', '"value": 20, "v\\u0061lue": 72', '"value": 72, "vital_type": "SpO2"']
    )
    def test_a_name_that_is_given_twice_is_not_taken_by_its_last(self, gateway, ada, now, twice):
        sent = f'{{"patient_id": "P-ADA", "recorded_at": "{now.isoformat()}", "vital_type": "HR", {twice}}}'

        answer = gateway.post(sent)

        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
        assert RejectedVital.objects.get().item == sent
        assert not Vital.objects.exists()

    @pytest.mark.parametrize("beside", [{"vital_type": "EtCO2"}, {"value": 900}, {"value": None}])
    def test_what_is_right_beside_it_is_stored(self, gateway, ada, now, beside):
        answer = gateway.post(typed(ada, now) | {"spo2": 97} | beside)

        assert answer.status_code == 201
        assert [one["stored"] for one in answer.json()["rejected"]] == [True]
        assert Vital.objects.get().values == {"spo2": 97}
        assert RejectedVital.objects.get().stored

    def test_five_in_a_row_are_told(self, gateway, ada, now):
        for seconds in range(TOO_MANY_REFUSED):
            gateway.post(typed(ada, now - timedelta(seconds=seconds), value=900))

        assert "manual:GW-NORTH:HR" in Alert.objects.open().get().message

    def test_what_was_refused_goes_through_once_its_cause_is_gone(self, gateway, ada, root, now):
        gateway.post(typed(ada, now) | {"patient_id": "P-ZOE"})
        Patient.objects.filter(pk=ada.pk).update(patient_id="P-ZOE")

        outcome = ingestion.replay(RejectedVital.objects.get(), by=root, now=now)

        assert outcome.stored == 1
        assert (Vital.objects.get().sensor_id, Vital.objects.get().heart_rate) == ("manual:GW-NORTH:HR", 72)

    def test_in_lists_too(self, gateway, ada, now):
        answer = gateway.post([typed(ada, now, "HR", 72), typed(ada, now, "SpO2", 97), item(ada, now, spo2=96)])

        assert answer.json() == {"stored": 3, "duplicates": 0, "rejected": []}
        names = Vital.objects.order_by("pk").values_list("sensor_id", flat=True)
        assert list(names) == ["manual:GW-NORTH:HR", "manual:GW-NORTH:SpO2", "GW-NORTH"]

    def test_fahrenheit_has_the_hint_in_lists_too(self, gateway, ada, now):
        item = {"patient_id": "P-ADA", "timestamp": now.isoformat(), "body_temp": 98.6, "spo2": 97}

        answer = gateway.post([item])

        (rejection,) = answer.json()["rejected"]
        assert rejection["stored"]
        assert "looks like °F; send 37.0 °C" in rejection["detail"]
