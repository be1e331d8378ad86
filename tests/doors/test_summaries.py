"""The doors to a patient's summary and days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from monitoring.models import Minute, Patient
from monitoring.services import admissions, summaries
from tests.access.actors import patient_herself
from tests.conftest import signed_in
from tests.doors.staff import ADA, PATIENTS, fields
from tests.world import item

SUMMARY, DAY = f"{ADA}/summary", f"{ADA}/daily-stats"
SIGNS = {"heart_rate", "spo2", "respiratory_rate", "systolic_bp", "diastolic_bp", "mean_bp", "body_temp"}
NOTHING = {"min": None, "mean": None, "max": None, "count": 0}


class TestSummary:
    def test_one_call_tells_how_she_is(self, noor, ada, gateway, now):
        gateway.post([item(ada, now - timedelta(seconds=30), spo2=96, heart_rate=70), item(ada, now, spo2=79)])

        told = signed_in(noor).get(SUMMARY).json()
        assert set(told) == {
            *("patient", "room", "reading_count", "last_reading_at", "latest", "alerts_24h", "unresolved", "admission_status")
        }
        assert (told["patient"]["name"], told["room"], told["admission_status"]) == ("Ada Byron", "North N1", "admitted")
        assert (told["reading_count"], told["alerts_24h"], told["unresolved"]) == (2, 1, 1)
        assert set(told["latest"]) == SIGNS
        assert told["latest"]["spo2"] == {"value": 79, "measured_at": told["last_reading_at"]}
        assert told["latest"]["heart_rate"]["value"] == 70
        assert told["latest"]["body_temp"] is None

    def test_where_there_is_nothing_it_says_null(self, noor):
        Patient.objects.create(patient_id="P-GRACE", name="Grace Hopper")

        told = signed_in(noor).get(f"{PATIENTS}/P-GRACE/summary").json()
        assert (told["room"], told["last_reading_at"], told["admission_status"]) == (None, None, None)
        assert (told["reading_count"], told["alerts_24h"], told["unresolved"]) == (0, 0, 0)
        assert set(told["latest"].values()) == {None}

    def test_who_has_left_keeps_her_last_values(self, noor, ada, gateway, now):
        gateway.post([item(ada, now - timedelta(seconds=1), spo2=96)])
        admissions.discharge(ada.admissions.get(), by=noor, at=now)

        told = signed_in(noor).get(SUMMARY).json()
        assert (told["room"], told["admission_status"], told["latest"]["spo2"]["value"]) == (None, "discharged", 96)

    @pytest.mark.parametrize("address", [SUMMARY, ADA])
    def test_what_was_measured_is_told_when_its_device_is_taken_off(self, noor, ada, monitor, now, address):
        monitor.post([item(ada, now - timedelta(minutes=5), spo2=95)])
        admissions.take_off(monitor.device, by=noor, at=now)

        told = signed_in(noor).get(address).json()["latest"]

        assert (told["spo2"]["value"], told["heart_rate"]) == (95, None)
        assert told["spo2"]["measured_at"].startswith(f"{now - timedelta(minutes=5):%Y-%m-%dT%H:%M}")

    @pytest.mark.parametrize("days", [2, 20])
    def test_the_newest_value_is_told_however_old_it_is(self, noor, ada, gateway, now, days):
        admissions_of(ada, now - timedelta(days=days))
        gateway.post([item(ada, now - timedelta(days=days), systolic_bp=85, sensor_id="cuff")])
        gateway.post([item(ada, now, heart_rate=80, sensor_id="ecg")])
        while summaries.fill(now=now):
            pass

        assert signed_in(noor).get(SUMMARY).json()["latest"]["systolic_bp"]["value"] == 85

    def test_what_was_not_measured_is_no_value_and_a_standstill_is_a_zero(self, noor, ada, gateway, now):
        words = {"spo2": "probe_off", "heart_rate": "asystole"}
        gateway.post([item(ada, now - timedelta(seconds=9), spo2=96), item(ada, now, spo2=50, heart_rate=75, status=words)])

        told = signed_in(noor).get(SUMMARY).json()["latest"]

        assert (told["spo2"]["value"], told["heart_rate"]["value"]) == (96, 0)

    def test_the_stay_before_says_nothing_of_this_one(self, noor, ada, north, gateway, now):
        gateway.post([item(ada, now - timedelta(hours=2), spo2=96)])
        admissions.discharge(ada.admissions.get(), by=noor, at=now - timedelta(hours=1))
        admissions.admit(ada, bed=north.beds.get(position=3), by=noor, at=now)

        assert signed_in(noor).get(SUMMARY).json()["latest"]["spo2"] is None

    def test_it_costs_no_more_queries_with_more_readings(self, noor, ada, gateway, now, django_assert_max_num_queries):
        gateway.post([item(ada, now - timedelta(seconds=second), spo2=79) for second in range(60)])
        client = signed_in(noor)

        with django_assert_max_num_queries(10):  # 4 to know her; of the others 3 to count a month as fast as a day
            assert client.get(SUMMARY).json()["reading_count"] == 60


class TestDay:
    def test_least_mean_and_greatest_of_each_sign(self, noor, ada, gateway, now):
        with time_machine.travel(datetime(2026, 3, 2, 12, tzinfo=UTC), tick=False):
            noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
            admissions_of(ada, noon)
            gateway.post([item(ada, noon - timedelta(minutes=minute), spo2=value) for minute, value in enumerate((94, 97, 96))])

            told = signed_in(noor).get(DAY).json()

        assert told["date"] == "2026-03-02"
        assert set(told["signs"]) == SIGNS
        assert told["signs"]["spo2"] == {"min": 94, "mean": 95.67, "max": 97, "count": 3}
        assert told["signs"]["heart_rate"] == NOTHING

    def test_a_day_begins_where_the_hospital_is(self, noor, ada, gateway, settings):
        settings.TIME_ZONE = "Europe/Berlin"
        night = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)  # half past midnight there
        with time_machine.travel(night, tick=False):
            admissions_of(ada, night)
            gateway.post([item(ada, night, spo2=94), item(ada, night - timedelta(hours=1), spo2=90)])

            told = {day: signed_in(noor).get(f"{DAY}?date=2026-03-0{day}").json() for day in (2, 3)}
            assert signed_in(noor).get(DAY).json() == told[3]

        assert [told[day]["signs"]["spo2"]["max"] for day in (2, 3)] == [90, 94]

    def test_a_day_without_readings_is_nulls(self, noor, ada):
        assert all(stats == NOTHING for stats in signed_in(noor).get(f"{DAY}?date=2020-02-29").json()["signs"].values())

    @pytest.mark.parametrize("day", ["today", "2026-02-30", "0001-01-01", "9999-12-31", "2026-3-2", "", "%00", "1e9"])
    def test_a_day_that_is_none(self, noor, ada, day):
        assert fields(signed_in(noor).get(f"{DAY}?date={day}")) == ["date"]

    def test_it_is_the_same_once_the_watcher_has_summed_the_day_up(self, noor, ada, gateway, now):
        with time_machine.travel(now, tick=False):
            gateway.post([item(ada, now - timedelta(minutes=minute), spo2=90 + minute % 7) for minute in range(120)])
            client = signed_in(noor)
            before, count = client.get(DAY).json(), client.get(SUMMARY).json()["reading_count"]

            while summaries.fill(now=now):
                pass

            assert Minute.objects.filter(patient=ada).exists()
            assert client.get(DAY).json() == before
            assert client.get(SUMMARY).json()["reading_count"] == count == 120

    def test_it_is_the_same_few_queries_however_many_readings(self, noor, ada, gateway, now, django_assert_max_num_queries):
        gateway.post([item(ada, now - timedelta(seconds=second), spo2=96) for second in range(60)])
        client = signed_in(noor)

        with django_assert_max_num_queries(7):  # 4 to know her
            assert client.get(DAY).status_code == 200


def admissions_of(ada, now):
    """Her stay began the day before that one."""
    ada.admissions.update(admitted_at=now - timedelta(days=1))
    ada.admissions.get().placements.update(started_at=now - timedelta(days=1))


@pytest.mark.parametrize("address", [SUMMARY, DAY])
def test_who_may(eve, vera, ada, office, address):
    assert signed_in(eve).get(address).status_code == 404
    assert signed_in(vera).get(address).status_code == 200
    assert signed_in(patient_herself(ada)).get(address).status_code == 200
    assert Client().get(address).status_code == 401
    assert office.post(address).status_code == 405
