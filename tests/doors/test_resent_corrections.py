"""Somebody sends again what a person has corrected since: it is recognised, and puts nothing back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from monitoring.models import Vital
from monitoring.services.entries import MOST_TRIES
from tests.conftest import signed_in
from tests.doors.test_corrections import send
from tests.doors.test_typed_vitals import send as write_down
from tests.doors.test_typed_vitals import typed
from tests.world import item, unscored


@pytest.fixture
def doctor(dora):
    return signed_in(dora)


@pytest.fixture
def vital(gateway, ada, now):
    unscored(ada)
    gateway.post([item(ada, now - timedelta(minutes=1), spo2=48)])
    return Vital.objects.get()


@pytest.fixture
def full(gateway, ada, now):
    gateway.post([item(ada, now, spo2=97, heart_rate=72)])
    return Vital.objects.get(measured_at=now)


def test_where_something_was_changed_it_costs_the_door_one_query_more(doctor, gateway, vital, full, ada):
    rows = [item(ada, vital.measured_at, spo2=48), item(ada, full.measured_at, heart_rate=72)]
    costs = []
    for version in (None, 1):
        if version:
            send(doctor, "PUT", vital, {"value": 84, "version": version})
        with CaptureQueriesContext(connection) as captured:
            assert gateway.post(rows).json()["duplicates"] == 2
        costs.append(len(captured))

    assert costs[1] == costs[0] + 1


def test_the_value_that_was_corrected_is_a_duplicate(doctor, gateway, vital, ada):
    send(doctor, "PUT", vital, {"value": 84, "version": 1})

    answer = gateway.post([item(ada, vital.measured_at, spo2=48)])

    assert (answer.json()["duplicates"], answer.json()["rejected"]) == (1, [])
    vital.refresh_from_db()
    assert vital.spo2 == 84


def test_what_was_taken_out_stays_out(doctor, gateway, full, ada):
    send(doctor, "PUT", full, {"spo2": None, "version": 1})

    answer = gateway.post([item(ada, full.measured_at, spo2=97, heart_rate=72)])

    assert answer.json()["duplicates"] == 1
    full.refresh_from_db()
    assert full.spo2 is None


def test_the_same_of_what_was_in_error_is_a_duplicate(doctor, gateway, vital, ada):
    send(doctor, "DELETE", vital, {"version": 1})

    answer = gateway.post([item(ada, vital.measured_at, spo2=48)])

    assert answer.json()["duplicates"] == 1
    assert not Vital.objects.standing().exists()


def test_another_value_beside_what_was_in_error_is_kept_in_quarantine(doctor, gateway, vital, ada):
    send(doctor, "DELETE", vital, {"version": 1})

    answer = gateway.post([item(ada, vital.measured_at, heart_rate=70)])

    (rejection,) = answer.json()["rejected"]
    assert (rejection["code"], rejection["stored"]) == ("conflict", False)


def test_another_value_than_ever_is_a_conflict(doctor, gateway, vital, ada):
    send(doctor, "PUT", vital, {"value": 84, "version": 1})

    answer = gateway.post([item(ada, vital.measured_at, spo2=50)])

    assert answer.json()["rejected"][0]["code"] == "conflict"


class TestTyped:
    @pytest.fixture(params=["by_staff", "by_device", "of_a_cuff"])
    def again(self, request, noor, gateway, ada, now):
        """Types a heart rate of one time."""
        nurse, more = signed_in(noor), {"sensor_id": "cuff-1"} if request.param == "of_a_cuff" else {}

        def post(value):
            body = typed(ada, now - timedelta(minutes=1), "HR", value) | more
            return gateway.post(body) if request.param == "by_device" else write_down(nurse, body)

        return post

    def test_what_was_in_error_comes_back_as_what_it_is(self, again, doctor):
        first = again(72)
        send(doctor, "DELETE", Vital.objects.get(), {"version": 1})

        second = again(72)

        assert (second.status_code, second.json()["id"], second.json()["version"]) == (201, first.json()["id"], 2)
        assert second.json()["entered_in_error"]
        assert Vital.objects.count() == 1
        assert not Vital.objects.standing().exists()

    def test_as_it_was_and_as_it_is_after_a_correction(self, again, doctor):
        again(72)
        send(doctor, "PUT", Vital.objects.get(), {"value": 74, "version": 1})

        answers = [again(value) for value in (72, 74, 73)]

        assert [answer.status_code for answer in answers] == [201, 201, 409]
        assert [answer.json()["value"] for answer in answers[:2]] == [74, 74]
        assert Vital.objects.get().heart_rate == 74

    def test_what_was_of_another_sign_does_not_come_back(self, again, doctor):
        again(72)
        send(doctor, "PUT", Vital.objects.get(), {"vital_type": "RR", "value": 18, "version": 1})

        assert (again(72).status_code, again(72).json()["value"]) == (201, None)
        assert Vital.objects.get().values == {"respiratory_rate": 18}


class TestRight:
    """What a person writes down in place of what was entered in error."""

    @pytest.fixture
    def written(self, noor, ada, now):
        nurse = signed_in(noor)
        return lambda value: write_down(nurse, typed(ada, now - timedelta(minutes=1), "HR", value, sensor_id="cuff-1"))

    def test_it_has_a_place_each_time_and_the_wrong_ones_stay_known(self, written, doctor):
        for value in (70, 71, 72):
            assert written(value).status_code == 201
            send(doctor, "DELETE", Vital.objects.get(heart_rate=value), {"version": 1})
        right = written(73)

        answers = [written(value) for value in (70, 71, 72, 73, 74)]

        assert right.status_code == 201
        assert [answer.status_code for answer in answers] == [201, 201, 201, 201, 409]
        assert [answer.json().get("entered_in_error", False) for answer in answers[:4]] == [True, True, True, False]
        assert [vital.heart_rate for vital in Vital.objects.standing()] == [73]

    def test_the_value_that_counts_is_answered_first(self, written, doctor):
        written(70)
        send(doctor, "DELETE", Vital.objects.get(), {"version": 1})
        right = written(71).json()["id"]
        send(doctor, "PUT", Vital.objects.get(pk=right), {"value": 70, "version": 1})

        assert written(70).json()["id"] == right

    def test_it_has_a_place_where_the_row_is_of_another_sign_now(self, written, doctor):
        written(18)
        send(doctor, "PUT", Vital.objects.get(), {"vital_type": "RR", "value": 18, "version": 1})

        assert written(72).status_code == 201
        assert [vital.values for vital in Vital.objects.order_by("pk")] == [{"respiratory_rate": 18}, {"heart_rate": 72}]

    def test_so_has_what_was_wrong_under_a_former_name(self, written, doctor, ada, now):
        at = {"measured_at": now - timedelta(minutes=1), "received_at": now}
        Vital.objects.create(patient=ada, admission=ada.admissions.get(), sensor_id="cuff-1", heart_rate=70, **at)
        send(doctor, "DELETE", Vital.objects.get(), {"version": 1})

        assert written(70).json()["entered_in_error"]
        assert written(72).status_code == 201
        assert [vital.heart_rate for vital in Vital.objects.standing()] == [72]

    def test_who_was_wrong_too_often_is_told_so(self, written, ada, now):
        stay, names = ada.admissions.get(), ["cuff-1:@noor:HR", *(f"cuff-1:@noor:HR:{n}" for n in range(2, MOST_TRIES))]
        at = {"measured_at": now - timedelta(minutes=1), "received_at": now, "erroneous_at": now, "heart_rate": 70}
        Vital.objects.bulk_create(Vital(patient=ada, admission=stay, sensor_id=name, **at) for name in names)

        assert (written(72).status_code, written(72).json()["code"]) == (409, "conflict")
        assert not Vital.objects.standing().exists()
