"""The device door: what is right is stored and judged, what is wrong is refused by name and kept."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Device
from monitoring.models import Admission, Alert, Vital
from tests.doors.refusals import rejected
from tests.world import events_of, item, open_alert, series


def test_a_batch_is_stored_judged_and_answered(ada, ben, gateway, now):
    answer = gateway.post([item(ada, now, heart_rate=180), item(ben, now, heart_rate=80)])

    assert (answer.status_code, answer.json()) == (202, {"stored": 2, "duplicates": 0, "rejected": []})
    assert sorted(Vital.objects.values_list("heart_rate", flat=True)) == [80, 180]
    assert events_of(ada) == ["raised"]
    assert events_of(ben) == []


def test_a_vital_knows_its_admission_device_and_both_times(ada, gateway, now):
    measured = now - timedelta(seconds=5)

    gateway.post([item(ada, measured, spo2=97)])

    vital = Vital.objects.get()
    assert (vital.admission, vital.device, vital.sensor_id) == (Admission.objects.get(patient=ada), gateway.device, "GW-NORTH")
    assert vital.measured_at == measured
    assert now <= vital.received_at <= now + timedelta(seconds=30)
    assert not vital.late


def test_every_field_of_the_contract_reads_back(ada, gateway, now):
    sent = {
        "heart_rate": 71,
        "spo2": 97.5,
        "respiratory_rate": 14,
        "systolic_bp": 121,
        "diastolic_bp": 70,
        "mean_bp": 87,
        "body_temp": 36.61,
        "consciousness": "A",
        "on_oxygen": False,
        "oxygen_flow": 0,
        "status": {"device": "battery_low", "spo2": "ok"},
    }

    answer = gateway.post(item(ada, now, sensor_id="bay/1", **sent))

    assert answer.status_code == 201
    read = answer.json()
    assert {name: read[name] for name in sent} == sent
    assert (read["patient_id"], read["sensor_id"], read["version"], read["late"]) == ("P-ADA", "bay/1", 1, False)
    assert isinstance(read["id"], str)
    assert read["timestamp"] == read["measured_at"]
    assert read["measured_at"].endswith("Z")


def test_aliases_are_taken(ada, gateway, now):
    answer = gateway.post({"patient_id": "P-ADA", "recorded_at": now.isoformat(), "respiration": 15, "temperature_c": 37})

    assert (answer.json()["respiratory_rate"], answer.json()["body_temp"]) == (15, 37)


def test_with_prefer_the_rows_come_back_in_the_order_of_the_items(ada, ben, gateway, now):
    batch = [item(ben, now, spo2=96), {"patient_id": "NOBODY", "spo2": 96}, item(ada, now, spo2=97)]

    answer = gateway.post(batch, Prefer="return=representation")

    assert [vital and vital["patient_id"] for vital in answer.json()["vitals"]] == ["P-BEN", None, "P-ADA"]


def test_one_bad_value_costs_no_other(ada, gateway, now):
    answer = gateway.post([item(ada, now, body_temp=98.6, spo2=84, pulse=70, heart_rate="80")])

    assert answer.status_code == 202
    assert sorted(rejected(answer)) == [
        ("invalid", "heart_rate", True),
        ("out_of_range", "body_temp", True),
        ("unknown_field", "pulse", True),
    ]
    vital = Vital.objects.get()
    assert (vital.spo2, vital.body_temp, vital.heart_rate) == (84, None, None)
    assert open_alert(ada).condition == "spo2_low"


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"heart_rate": 350.01}, "out_of_range", "heart_rate"),
        ({"heart_rate": -1}, "out_of_range", "heart_rate"),
        ({"spo2": 101}, "out_of_range", "spo2"),
        ({"respiratory_rate": 151}, "out_of_range", "respiratory_rate"),
        ({"systolic_bp": 401}, "out_of_range", "systolic_bp"),
        ({"body_temp": 19.99}, "out_of_range", "body_temp"),
        ({"oxygen_flow": 81}, "out_of_range", "oxygen_flow"),
        ({"heart_rate": True}, "invalid", "heart_rate"),
        ({"heart_rate": [80]}, "invalid", "heart_rate"),
        ({"heart_rate": 10**400}, "out_of_range", "heart_rate"),
        ({"consciousness": "X"}, "invalid", "consciousness"),
        ({"consciousness": 1}, "invalid", "consciousness"),
        ({"on_oxygen": 1}, "invalid", "on_oxygen"),
        ({"status": "ok"}, "invalid", "status"),
        ({"status": {}}, "invalid", "status"),
        ({"status": {"spo2": "gone"}}, "invalid", "status.spo2"),
        ({"status": {"liver": "ok"}}, "unknown_field", "status.liver"),
        ({"mood": "good"}, "unknown_field", "mood"),
        ({}, "no_values", None),
        ({"heart_rate": None}, "no_values", None),
    ],
)
def test_what_is_wrong_is_named(ada, gateway, now, values, code, field):
    answer = gateway.post([item(ada, now, **values)])

    assert answer.status_code == 400
    assert rejected(answer) == [(code, field, False)]
    assert not Vital.objects.exists()


@pytest.mark.parametrize("value", ["1e400", "NaN", "-Infinity"])
def test_numbers_that_are_none_never_get_in(ada, gateway, value):
    answer = gateway.post(f'[{{"patient_id": "P-ADA", "heart_rate": {value}}}]')

    assert answer.status_code == 400
    assert not Vital.objects.exists()


def test_edges_of_the_measuring_ranges_are_inside(ada, gateway, now):
    edges = [
        {"heart_rate": 0, "spo2": 0, "respiratory_rate": 0, "systolic_bp": 0, "mean_bp": 0, "diastolic_bp": 0, "body_temp": 20},
        {"heart_rate": 350, "spo2": 100, "respiratory_rate": 150, "systolic_bp": 400, "mean_bp": 400, "diastolic_bp": 400},
    ]

    answer = gateway.post(series(ada, now, edges))

    assert answer.json() == {"stored": 2, "duplicates": 0, "rejected": []}


def test_values_are_kept_to_a_hundredth_and_judged_as_kept(ada, gateway, now):
    gateway.post([item(ada, now, spo2=89.996)])

    assert Vital.objects.get().spo2 == 90
    assert not Alert.objects.filter(condition="spo2_low").exists()


def test_pressures_out_of_order_cost_only_the_pressures(ada, gateway, now):
    answer = gateway.post([item(ada, now, systolic_bp=80, mean_bp=90, diastolic_bp=60, heart_rate=70)])

    assert sorted(rejected(answer)) == [
        ("pressure_order", "diastolic_bp", True),
        ("pressure_order", "mean_bp", True),
        ("pressure_order", "systolic_bp", True),
    ]
    assert Vital.objects.get().values == {"heart_rate": 70}


def test_equal_pressures_are_in_order(ada, gateway, now):
    assert gateway.post([item(ada, now, systolic_bp=80, mean_bp=80, diastolic_bp=80)]).json()["stored"] == 1


def test_status_alone_is_a_reading(ada, gateway, now):
    answer = gateway.post(item(ada, now, status={"spo2": "probe_off"}))

    assert (answer.status_code, answer.json()["status"]) == (201, {"spo2": "probe_off"})


class TestSameTwice:
    def test_a_repeated_batch_is_recognised(self, ada, ben, gateway, now):
        batch = [item(ada, now, spo2=84), item(ben, now, spo2=97)]
        gateway.post(batch)

        answer = gateway.post(batch)

        assert answer.json() == {"stored": 0, "duplicates": 2, "rejected": []}
        assert Vital.objects.count() == 2
        assert open_alert(ada).count == 1

    def test_a_repeated_object_answers_the_row_that_is_there(self, ada, gateway, now):
        first = gateway.post(item(ada, now, spo2=97)).json()

        again = gateway.post(item(ada, now, spo2=97))

        assert (again.status_code, again.json()["id"]) == (201, first["id"])

    def test_disjoint_values_are_merged_and_judged(self, ada, gateway, now):
        gateway.post([item(ada, now, heart_rate=70)])

        answer = gateway.post([item(ada, now, spo2=84, status={"device": "ok"})])

        assert answer.json()["stored"] == 1
        vital = Vital.objects.get()
        assert (vital.heart_rate, vital.spo2, vital.status) == (70, 84, {"device": "ok"})
        assert open_alert(ada).condition == "spo2_low"

    def test_merging_judges_only_what_is_new(self, ada, gateway, now):
        gateway.post([item(ada, now, spo2=84)])

        gateway.post([item(ada, now, heart_rate=70)])

        assert open_alert(ada).count == 1

    def test_another_value_is_a_conflict_and_the_first_stays(self, ada, gateway, now):
        gateway.post([item(ada, now, heart_rate=70)])

        answer = gateway.post([item(ada, now, heart_rate=71, spo2=97)])

        assert rejected(answer) == [("conflict", "heart_rate", True)]
        assert (Vital.objects.get().heart_rate, Vital.objects.get().spo2) == (70, 97)

    def test_a_conflict_and_nothing_else_is_409_for_an_object(self, ada, gateway, now):
        gateway.post(item(ada, now, heart_rate=70))

        answer = gateway.post(item(ada, now, heart_rate=71))

        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")

    def test_pressures_that_contradict_the_stored_ones_are_refused(self, ada, gateway, now):
        gateway.post([item(ada, now, systolic_bp=80)])

        answer = gateway.post([item(ada, now, mean_bp=100, heart_rate=70)])

        assert rejected(answer) == [("pressure_order", "mean_bp", True)]
        assert Vital.objects.get().values == {"heart_rate": 70, "systolic_bp": 80}

    def test_within_one_batch_as_well(self, ada, gateway, now):
        answer = gateway.post([item(ada, now, spo2=97), item(ada, now, spo2=97), item(ada, now, heart_rate=70)])

        assert answer.json() == {"stored": 2, "duplicates": 1, "rejected": []}
        assert Vital.objects.get().values == {"heart_rate": 70, "spo2": 97}

    def test_sensors_differ_by_case(self, ada, gateway, now):
        gateway.post([item(ada, now, sensor_id="m1", spo2=97), item(ada, now, sensor_id="M1", spo2=96)])

        assert Vital.objects.count() == 2


class TestZero:
    def test_off_a_zero_rate_is_critical_at_once_and_says_what_it_may_be(self, ada, gateway, now):
        gateway.post([item(ada, now, heart_rate=0)])

        alert = open_alert(ada)
        assert (alert.severity, alert.message) == ("critical", "HR 0: asystole or sensor off, look at the patient")

    def test_on_a_zero_is_a_gap_that_says_no_signal(self, ada, gateway, now):
        Device.objects.update(zero_is_absent=True)

        vital = gateway.post(item(ada, now, heart_rate=0, spo2=97, mean_bp=0)).json()

        assert (vital["heart_rate"], vital["spo2"]) == (None, 97)
        assert vital["status"] == {"heart_rate": "no_signal", "mean_bp": "no_signal"}
        assert not Alert.objects.exists()

    def test_on_a_gap_ends_no_alert(self, ada, gateway, now):
        Device.objects.update(zero_is_absent=True)
        gateway.post([item(ada, now, spo2=84)])

        gateway.post([item(ada, now + timedelta(seconds=1), spo2=0)])

        assert open_alert(ada).last_value == 84


@pytest.mark.parametrize("prefer", [{}, {"Prefer": "return=representation"}])
def test_one_vital_or_five_hundred_take_the_same_number_of_queries(ada, ben, gateway, now, prefer):
    def queries(count: int, start: int) -> int:
        batch = [
            item(patient, now - timedelta(seconds=start + place), spo2=84 if place % 3 else 97, heart_rate=150, mood="good")
            for place in range(count // 2)
            for patient in (ada, ben)
        ]
        with CaptureQueriesContext(connection) as captured:
            assert gateway.post(batch, **prefer).json()["stored"] == len(batch)
        return len(captured)

    first = queries(20, 0)
    second = queries(500, 300)

    # The second batch also updates alerts that the first one raised, and being older it needs the sensors' last minutes:
    # two statements more, whatever the size.
    assert second <= first + 2


def test_five_thousand_items_are_one_batch(ada, gateway, now):
    batch = series(ada, now - timedelta(minutes=9), [{"spo2": 97}] * 5000, every=0.1)

    answer = gateway.post(batch)

    assert answer.json()["stored"] == 5000
    assert Vital.objects.count() == 5000


def test_names_never_leave_by_the_door(ada, gateway, now):
    answer = gateway.post(item(ada, now, spo2=84))

    assert "Byron" not in json.dumps(answer.json())
