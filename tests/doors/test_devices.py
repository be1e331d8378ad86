"""The doors to devices: which there are, on whom they are, and their own word that they live."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import keys, tokens
from accounts.models import AuditEntry, Device, Membership
from monitoring.models import Admission, Alert, DeviceAssignment
from monitoring.services import admissions
from tests.access.actors import patient_herself
from tests.conftest import signed_in
from tests.doors.staff import fields
from tests.services.alerting import MINUTE
from tests.services.continuous import steady, watch
from tests.world import Monitor, item, open_alert

LIST = "/api/v1/devices"
BEAT = f"{LIST}/heartbeat"


def of(monitor, part=""):
    return f"{LIST}/{monitor.device.pk}{part and '/' + part}"


def post(person, address, body=""):
    return signed_in(person).post(address, body, content_type="application/json")


def assign(person, monitor, patient_id, **body):
    return post(person, of(monitor, "assign"), {"patient_id": patient_id} | body)


def beat(monitor, body=""):
    return monitor.client.post(BEAT, body, content_type="application/json", headers={"X-API-Key": monitor.key})


def refused(answer):
    return answer.status_code, answer.json()["code"]


@pytest.fixture
def shared(south, now):
    """Another monitor, of the store of South and North, on nobody."""
    return _of_wards("M9", now, south)


def _of_wards(name, now, *wards, kind=Device.Kind.MONITOR):
    device = Device.objects.create(name=name, kind=kind)
    device.wards.add(*wards)
    return Monitor(device, keys._make(device, at=now))


class TestReading:
    def test_a_device_is_told_with_its_ward_its_patient_and_when_it_was_seen(self, ada, monitor, noor, now):
        monitor.post([item(ada, now, spo2=97)])

        (told,) = signed_in(noor).get(LIST).json()["results"]

        assert (told["name"], told["kind"], told["wards"], told["patient_id"]) == ("M7", "monitor", ["north"], "P-ADA")
        assert told["last_seen_at"] and told["assigned_at"] and told["conditions"] == []

    def test_one_that_sends_rubbish_says_so(self, ada, monitor, vera, now):
        for place in range(5):
            monitor.post([item(ada, now + timedelta(seconds=place), spo2=170)])

        told = signed_in(vera).get(of(monitor)).json()

        assert [one["condition"] for one in told["conditions"]] == ["refused_readings"]
        assert told["sensors"] == [{"sensor_id": "M7", "clock_correction_s": None, "refused_in_a_row": 5}]

    def test_by_ward_and_by_name(self, monitor, gateway, noor):
        client = signed_in(noor)

        assert [one["name"] for one in client.get(f"{LIST}?ward=north").json()["results"]] == ["GW-NORTH", "M7"]
        assert [one["name"] for one in client.get(f"{LIST}?name=M7").json()["results"]] == ["M7"]
        assert client.get(f"{LIST}?ward=south").status_code == 404
        assert fields(client.get(f"{LIST}?kind=monitor")) == ["kind"]

    def test_eve_sees_no_device_of_another_ward(self, monitor, eve):
        client = signed_in(eve)

        assert client.get(LIST).json()["results"] == []
        assert client.get(of(monitor)).status_code == 404
        assert client.get(of(monitor, "assignments")).status_code == 404
        assert post(eve, of(monitor, "release")).status_code == 404

    def test_one_that_moved_with_its_patient_is_seen_in_both_wards_and_names_him_in_one(
        self, ada, monitor, south, noor, eve, root, now
    ):
        stay = Admission.objects.get(patient=ada)
        admissions.transfer(stay, bed=south.beds.get(position=2), by=root, at=now)

        here, there = (signed_in(person).get(of(monitor)).json() for person in (eve, noor))

        assert (here["patient_id"], there["patient_id"]) == ("P-ADA", None)
        assert here["wards"] == [] and there["wards"] == ["north"]
        assert there["assigned_at"] == here["assigned_at"] is not None

    @pytest.mark.parametrize("number", ["0", "99999", "9" * 30, "M7", "-1"])
    def test_a_number_of_none_is_404(self, monitor, noor, number):
        assert signed_in(noor).get(f"{LIST}/{number}").status_code == 404

    def test_a_patient_sees_none(self, ada, monitor):
        assert signed_in(patient_herself(ada)).get(LIST).status_code == 403

    @pytest.mark.parametrize("count", [2, 30])
    def test_it_costs_six_queries_however_many_there_are(self, ada, noor, north, now, count, django_assert_max_num_queries):
        for place in range(count):
            admissions.assign(_of_wards(f"M{place}", now, north).device, patient=ada, by=noor, at=now)
        pair = tokens.sign_in(noor, at=now)
        client = Client(headers={"Authorization": f"Bearer {pair.access_token}"})

        with django_assert_max_num_queries(6):
            assert len(client.get(LIST).json()["results"]) == count


class TestAssigning:
    def test_the_former_assignment_closes_at_that_instant(self, ada, ben, monitor, noor):
        answer = assign(noor, monitor, "P-BEN", notes="from the store")

        assert answer.status_code == 201
        told = answer.json()
        assert (told["device"], told["patient_id"], told["assigned_by"], told["notes"]) == (
            "M7",
            "P-BEN",
            "Noor",
            "from the store",
        )
        former, now_on = DeviceAssignment.objects.order_by("started_at")
        assert former.ended_at == now_on.started_at and (former.patient, now_on.patient) == (ada, ben)

    def test_its_readings_go_to_the_patient_on_whom_it_is(self, ada, ben, monitor, noor):
        assign(noor, monitor, "P-BEN")

        assert monitor.post({"spo2": 97}).json()["patient_id"] == "P-BEN"

    def test_again_to_the_same_patient_changes_nothing(self, ada, monitor, noor):
        answer = assign(noor, monitor, "P-ADA")

        assert answer.status_code == 200 and DeviceAssignment.objects.count() == 1

    def test_a_patient_who_is_not_admitted_is_400(self, ben, monitor, noor, now):
        admissions.discharge(Admission.objects.get(patient=ben), by=None, at=now - MINUTE)

        assert refused(assign(noor, monitor, "P-BEN")) == (400, "not_admitted")
        assert DeviceAssignment.objects.get().is_open

    @pytest.mark.parametrize("patient_id", ["NOBODY", "P-CID", "", "x" * 500, "\0"])
    def test_one_who_is_not_to_be_seen_is_404(self, cid, monitor, noor, patient_id):
        assert assign(noor, monitor, patient_id).status_code == 404

    def test_nobody_takes_a_device_off_a_patient_of_another_ward(self, ada, cid, north, shared, noor, root, now):
        shared.device.wards.add(north)
        admissions.assign(shared.device, patient=cid, by=root, at=now - MINUTE)

        assert refused(assign(noor, shared, "P-ADA")) == (409, "on_another_patient")
        assert refused(post(noor, of(shared, "release"))) == (409, "on_another_patient")
        assert DeviceAssignment.objects.get().patient == cid

    def test_nor_off_one_whom_he_only_looks_upon(self, ada, cid, north, shared, eve, root, now):
        Membership.objects.create(user=eve, ward=north, role=Membership.Role.VIEWER)
        admissions.assign(shared.device, patient=ada, by=root, at=now - MINUTE)

        assert refused(assign(eve, shared, "P-CID")) == (409, "on_another_patient")
        assert refused(post(eve, of(shared, "release"))) == (403, "permission_denied")

    def test_who_only_looks_on_may_not(self, ben, monitor, vera):
        assert refused(assign(vera, monitor, "P-BEN")) == (403, "permission_denied")

    def test_a_gateway_is_on_nobody(self, ada, gateway, noor):
        assert refused(assign(noor, gateway, "P-ADA")) == (409, "wrong_kind")

    @pytest.mark.parametrize(
        ("body", "field"),
        [({}, "patient_id"), ({"patient_id": 7}, "patient_id"), ({"patient_id": "P-ADA", "notes": "x" * 513}, "notes")],
    )
    def test_what_is_wrong_is_named(self, monitor, noor, body, field):
        assert fields(post(noor, of(monitor, "assign"), body)) == [field]

    def test_other_methods_are_405(self, monitor, noor):
        assert signed_in(noor).get(of(monitor, "assign")).status_code == 405

    def test_it_stands_in_the_audit_with_whom_it_was_taken_off(self, ben, monitor, noor):
        assign(noor, monitor, "P-BEN")

        entry = AuditEntry.objects.get(what="assigned", who="noor")
        assert (entry.patient, entry.about, entry.detail["taken_off"]) == ("P-BEN", "device:M7", "P-ADA")


class TestTakingOff:
    def test_it_is_on_nobody_then_and_twice_is_once(self, monitor, noor):
        first, again = (post(noor, of(monitor, "release")) for _ in range(2))

        assert (first.status_code, again.status_code) == (200, 200)
        assert first.json()["patient_id"] is None and first.json()["assigned_at"] is None
        assert list(AuditEntry.objects.filter(what="taken_off").values_list("who", "patient")) == [("noor", "P-ADA")]
        assert DeviceAssignment.objects.get().ended_at

    def test_what_it_sends_then_is_nobodys(self, ada, monitor, noor):
        post(noor, of(monitor, "release"))

        assert refused(monitor.post({"spo2": 97})) == (403, "not_assigned")

    def test_who_only_looks_on_may_not(self, monitor, vera):
        assert post(vera, of(monitor, "release")).status_code == 403


class TestHistory:
    def test_the_last_one_first_with_who_when_and_notes(self, ada, ben, monitor, noor):
        assign(noor, monitor, "P-BEN", notes="from the store")

        told = signed_in(noor).get(of(monitor, "assignments")).json()["results"]

        assert [(one["patient_id"], one["assigned_by"], one["notes"]) for one in told] == [
            ("P-BEN", "Noor", "from the store"),
            ("P-ADA", None, None),
        ]
        assert told[0]["ended_at"] is None and told[1]["ended_at"] == told[0]["started_at"]

    def test_of_a_patient_of_another_ward_it_says_that_it_was_somebody(self, ada, cid, monitor, south, noor, root):
        monitor.device.wards.add(south)
        assign(root, monitor, "P-CID", notes="Cid's own")

        told = signed_in(noor).get(of(monitor, "assignments")).json()["results"]

        assert [(one["patient_id"], one["notes"]) for one in told] == [(None, None), ("P-ADA", None)]

    def test_it_comes_in_pages_at_six_queries(self, ada, ben, monitor, noor, now, django_assert_max_num_queries):
        for place in range(20):
            admissions.assign(monitor.device, patient=ben if place % 2 else ada, by=noor, at=now + timedelta(seconds=place))
        pair = tokens.sign_in(noor, at=now)
        client = Client(headers={"Authorization": f"Bearer {pair.access_token}"})

        with django_assert_max_num_queries(6):
            answer = client.get(f"{of(monitor, 'assignments')}?limit=15")

        assert len(answer.json()["results"]) == 15
        assert len(client.get(answer.json()["next"]).json()["results"]) == 5


class TestHeartbeat:
    @pytest.mark.parametrize("body", ["", "{}"])
    def test_it_says_that_the_device_lives(self, monitor, noor, body):
        answer = beat(monitor, body)

        assert (answer.status_code, answer.content) == (204, b"")
        assert signed_in(noor).get(of(monitor)).json()["last_seen_at"]

    def test_it_needs_the_key_of_a_device(self, monitor, noor, now):
        assert refused(Client().post(BEAT)) == (401, "not_authenticated")
        assert refused(post(noor, BEAT)) == (401, "not_authenticated")
        keys.revoke(monitor.device, at=now)
        assert refused(beat(monitor)) == (403, "revoked_key")

    def test_it_carries_no_readings(self, monitor):
        assert fields(beat(monitor, {"spo2": 97})) == ["spo2"]

    def test_it_does_not_hide_that_no_data_comes(self, ada, monitor, now):
        with time_machine.travel(now, tick=False) as clock:
            monitor.post(steady(ada, now, spo2=97))

            for _ in range(3):
                clock.shift(MINUTE)
                assert beat(monitor).status_code == 204
                watch(timezone.now())

        assert open_alert(ada).condition == "no_data"


@pytest.mark.django_db(transaction=True)
def test_of_two_who_put_it_on_two_patients_at_once_it_ends_on_one(ada, ben, north, noor, dora, now):
    monitor = _of_wards("M8", now, north)
    clients, answers, together = [signed_in(noor), signed_in(dora)], [], threading.Barrier(2)

    def put(client, patient_id):
        together.wait()
        answers.append(
            client.post(of(monitor, "assign"), {"patient_id": patient_id}, content_type="application/json").status_code
        )
        connection.close()

    hands = [threading.Thread(target=put, args=pair) for pair in zip(clients, ["P-ADA", "P-BEN"], strict=True)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()

    assert set(answers) <= {201, 409}
    assert DeviceAssignment.objects.filter(is_open=True).count() == 1
    assert not Alert.objects.exists()
