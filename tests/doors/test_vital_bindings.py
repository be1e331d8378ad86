"""The device door: whose a vital is, and of when."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts import keys
from accounts.models import Device
from monitoring.models import Admission, Alert, Vital
from monitoring.services import admissions
from tests.doors.refusals import rejected
from tests.world import Monitor, events_of, item


class TestAddress:
    def test_a_patient_nobody_knows(self, gateway, now):
        answer = gateway.post([{"patient_id": "NOBODY", "timestamp": now.isoformat(), "spo2": 97}])

        assert (answer.status_code, rejected(answer)) == (400, [("unknown_patient", "patient_id", False)])

    def test_a_patient_whose_id_differs_only_by_case_is_another(self, ada, gateway, now):
        assert rejected(gateway.post([item(ada, now, spo2=97) | {"patient_id": "p-ada"}]))[0][0] == "unknown_patient"

    def test_a_patient_of_another_ward(self, cid, gateway, now):
        assert rejected(gateway.post([item(cid, now, spo2=97)])) == [("other_ward", "patient_id", False)]

    def test_a_time_before_the_admission(self, ada, gateway, now):
        assert rejected(gateway.post([item(ada, now - timedelta(days=2), spo2=97)])) == [("not_admitted", "patient_id", False)]

    def test_after_the_discharge(self, ada, gateway, noor, now):
        admissions.discharge(Admission.objects.get(patient=ada), by=noor, at=now - timedelta(minutes=2))

        answer = gateway.post([item(ada, now, spo2=97), item(ada, now - timedelta(minutes=3), spo2=97)])

        assert answer.json()["stored"] == 1
        assert rejected(answer) == [("not_admitted", "patient_id", False)]

    def test_a_reading_from_before_a_transfer_belongs_to_the_ward_of_then(self, ada, gateway, south, now):
        admission = Admission.objects.get(patient=ada)
        admissions.transfer(admission, bed=south.beds.get(position=3), by=None, at=now - timedelta(minutes=1))

        answer = gateway.post([item(ada, now, spo2=97), item(ada, now - timedelta(minutes=2), spo2=97)])

        assert (answer.json()["stored"], rejected(answer)) == (1, [("other_ward", "patient_id", False)])

    @pytest.mark.parametrize("patient_id", ["a b", "", "x" * 65, "ä", "a/b", 7, None, ["P-ADA"], "P-ADA\u0000"])
    def test_an_id_that_is_none(self, ada, gateway, patient_id):
        answer = gateway.post([{"patient_id": patient_id, "spo2": 97}])

        assert answer.status_code == 400
        assert rejected(answer)[0][0] in {"invalid", "not_assigned"}

    @pytest.mark.parametrize("sensor_id", ["a b", "", "x" * 65, "ä", 7])
    def test_a_sensor_that_is_none(self, ada, gateway, now, sensor_id):
        assert rejected(gateway.post([item(ada, now, sensor_id=sensor_id, spo2=97)])) == [("invalid", "sensor_id", False)]

    def test_a_monitor_may_leave_the_patient_out(self, ada, monitor, now):
        answer = monitor.post({"timestamp": now.isoformat(), "spo2": 97})

        assert (answer.status_code, answer.json()["patient_id"]) == (201, "P-ADA")

    def test_a_monitor_sends_for_its_own_patient_only(self, ada, ben, monitor, now):
        answer = monitor.post([item(ben, now, spo2=97)])

        assert rejected(answer) == [("not_assigned", "patient_id", False)]

    def test_a_monitor_binds_at_the_time_of_measuring(self, ada, ben, monitor, now):
        admissions.assign(monitor.device, patient=ben, by=None, at=now - timedelta(minutes=1))

        monitor.post([{"timestamp": (now - timedelta(minutes=2)).isoformat(), "spo2": 91}])
        monitor.post([{"timestamp": now.isoformat(), "spo2": 92}])

        assert [Vital.objects.get(patient=patient).spo2 for patient in (ada, ben)] == [91, 92]

    def test_a_monitor_on_nobody(self, north, now):
        device = Device.objects.create(name="M8")
        device.wards.add(north)

        answer = Monitor(device, keys.issue(device)).post([{"timestamp": now.isoformat(), "spo2": 97}])

        assert rejected(answer) == [("not_assigned", "patient_id", False)]


class TestTime:
    @pytest.mark.parametrize(
        ("ahead", "code"),
        [
            (timedelta(seconds=29), None),
            (timedelta(seconds=40), "future_timestamp"),
            (timedelta(days=-29), None),
            (timedelta(days=-30, seconds=-5), "too_old"),
        ],
    )
    def test_too_far_ahead_and_too_old_are_refused(self, gateway, ada, now, ahead, code):
        Admission.objects.update(admitted_at=now - timedelta(days=90))
        ada.admissions.get().placements.update(started_at=now - timedelta(days=90))

        answer = gateway.post([item(ada, now + ahead, spo2=97)])

        assert [one[0] for one in rejected(answer)] == ([code] if code else [])

    @pytest.mark.parametrize("text", ["2026-01-01T10:00:00", "yesterday", 1700000000, "0001-01-01T00:00:00+14:00", "", {}])
    def test_a_time_that_is_none_or_has_no_offset(self, ada, gateway, text):
        assert rejected(gateway.post([{"patient_id": "P-ADA", "timestamp": text, "spo2": 97}])) == [
            ("invalid", "timestamp", False)
        ]

    def test_without_a_time_it_is_that_of_receipt(self, ada, gateway):
        vital = gateway.post(item(ada, spo2=97)).json()

        assert vital["measured_at"] == vital["received_at"]

    def test_of_several_items_without_a_time_a_patient_has_one(self, ada, ben, gateway):
        answer = gateway.post([item(ada, spo2=97), item(ben, spo2=97), item(ada, heart_rate=70)])

        assert answer.json()["stored"] == 2
        assert [(one["index"], one["code"]) for one in answer.json()["rejected"]] == [(2, "invalid")]

    def test_more_than_ten_minutes_old_is_kept_and_calls_nobody(self, ada, gateway, now):
        vital = gateway.post(item(ada, now - timedelta(minutes=11), spo2=80)).json()

        assert vital["late"]
        assert events_of(ada) == ["recorded"]
        assert not Alert.objects.open().exists()

    def test_any_offset_means_the_same_moment(self, ada, gateway, now):
        local = now.astimezone(tz=None).replace(microsecond=0)
        gateway.post([item(ada, spo2=97) | {"timestamp": local.isoformat()}])

        assert Vital.objects.get().measured_at == local
