"""What arrives out of order, in other batches, in large ones, or after a former release: the same alerts."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import timedelta
from itertools import combinations, pairwise, permutations

import pytest
import time_machine
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts import known_keys
from accounts.models import Bed
from monitoring.models import Admission, AlarmState, Alert, Patient, Placement, Vital
from tests.services.continuous import MINUTE, SECOND, steady, told
from tests.world import events_of, item, open_alert

SETS = {
    "low for longer than the delay": [("a", -50, 84), ("a", -40, 84), ("a", -30, 84), ("a", -20, 84)],
    "never low for long": [("a", -50, 84), ("a", -40, 97), ("a", -30, 84), ("a", -20, 97)],
    "a deep one in the middle": [("a", -50, 97), ("a", -40, 79), ("a", -30, 97), ("a", -20, 97)],
    "two sensors": [("a", -50, 84), ("b", -45, 97), ("a", -30, 84), ("b", -25, 84)],
    "worse and better": [("a", -400, 88), ("a", -380, 84), ("a", -360, 84), ("a", -20, 97)],
}


@contextmanager
def undone():
    """What is done in here did not happen."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def active():
    return told(returned_at=None, kind="physiological")


def batches_of(items):
    """Every way to send these items in this order as one batch or several."""
    places = range(1, len(items))
    for count in range(len(items)):
        for cuts in combinations(places, count):
            ends = [0, *cuts, len(items)]
            yield [items[begin:end] for begin, end in pairwise(ends)]


class TestOrder:
    @pytest.fixture(params=SETS, ids=str)
    def readings(self, request, ada, gateway, now):
        """Of sensors that have sent steadily."""
        with time_machine.travel(now, tick=False):
            for sensor in ("a", "b"):
                gateway.post(steady(ada, now - 410 * SECOND, every=10, minutes=3, sensor_id=sensor, spo2=97))
            yield [item(ada, now + at * SECOND, sensor_id=sensor, spo2=value) for sensor, at, value in SETS[request.param]]

    def outcome(self, gateway, batches):
        with undone():
            for batch in batches:
                gateway.post(batch)
            return active()

    def test_every_order_of_arrival_ends_in_the_same_active_alerts(self, readings, gateway):
        in_order = self.outcome(gateway, [[one] for one in readings])

        for arrived in permutations(readings):
            assert self.outcome(gateway, [[one] for one in arrived]) == in_order, arrived

    def test_every_way_to_batch_them_ends_in_the_same_active_alerts(self, readings, gateway):
        in_order = self.outcome(gateway, [[one] for one in readings])

        for arrived in (readings, readings[::-1]):
            for batches in batches_of(arrived):
                assert self.outcome(gateway, batches) == in_order, batches


def test_a_late_word_of_asystole_is_told(ada, gateway, now):
    gateway.post([item(ada, now, heart_rate=70)])

    gateway.post([item(ada, now - MINUTE, status={"heart_rate": "asystole"})])

    assert told() == [("heart_rate_low", "critical")]
    assert open_alert(ada).state == "returned"


@pytest.fixture
def crowd(north, now):
    """Two hundred patients in North."""
    since = now - timedelta(days=1)
    Bed.objects.bulk_create(Bed(ward=north, name=f"X{n}", position=100 + n) for n in range(200))
    Patient.objects.bulk_create(Patient(patient_id=f"X{n}", name=f"X {n}") for n in range(200))
    patients = list(Patient.objects.filter(patient_id__startswith="X").order_by("pk"))
    Admission.objects.bulk_create(Admission(patient=patient, admitted_at=since) for patient in patients)
    stays = Admission.objects.filter(patient__in=patients).order_by("patient")
    beds = north.beds.filter(name__startswith="X").order_by("pk")
    Placement.objects.bulk_create(
        Placement(admission=stay, bed=bed, started_at=since) for stay, bed in zip(stays, beds, strict=True)
    )
    return patients


class TestNumberOfQueries:
    def posts(self, gateway, patients, now):
        """A first reading, a breach, one out of order, a better one of another sensor: the queries of each batch."""
        counts = []
        for sensor, seconds, spo2 in [("a", -60, 97), ("a", -40, 84), ("a", -50, 88), ("b", -30, 97), ("a", -20, 97)]:
            body = [item(each, now + seconds * SECOND, sensor_id=sensor, spo2=spo2) for each in patients]
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert gateway.post(body).json()["stored"] == len(patients)
            counts.append(len(queries))
        return counts

    def test_it_does_not_depend_on_the_number_of_patients(self, crowd, gateway, now, monkeypatch):
        monkeypatch.setattr(known_keys, "REMEMBERED", 3600.0)  # a slow machine asks for the key once more
        with time_machine.travel(now, tick=False):
            gateway.post([{"patient_id": "P-NOBODY", "spo2": 97}])  # from now on its key is known, and its use noted
            alone = self.posts(gateway, crowd[:1], now)
            together = self.posts(gateway, crowd[1:], now)

        assert together == alone
        assert Alert.objects.open().filter(condition="spo2_low").count() == 200

    def test_a_batch_with_many_sensors_out_of_order_is_taken(self, crowd, gateway, now):
        """Each sensor's past is asked for: more than SQLite takes in one expression."""
        sensors = [f"s{n}" for n in range(6)]
        with time_machine.travel(now, tick=False):
            for seconds in (-20, -40):
                body = [item(each, now + seconds * SECOND, sensor_id=sensor, spo2=97) for each in crowd for sensor in sensors]
                assert gateway.post(body).json()["stored"] == 1200


class TestFormerRelease:
    """What the memory of sensors looked like before."""

    def former(self, ada, now, spo2, holds):
        breach = {"sign": "spo2", "severity": "critical", "side": "low", "value": spo2, "limit": 85} if holds else None
        standing = {"measured_at": now, "value": spo2, "breach": breach, "holds": holds, "interval": 1.0}
        document = {"standings": {"spo2": {"GW-NORTH": standing}}, "words": {"heart_rate": {}}}
        document["words"]["heart_rate"]["GW-NORTH"] = {"said_at": now, "status": "probe_off"}
        text = json.dumps(document, default=lambda at: at.isoformat())
        AlarmState.objects.create(admission=ada.admissions.get(), document=text)

    def alert(self, ada, now):
        return Alert.objects.create(
            subject=f"patient:{ada.pk}",
            condition="spo2_low",
            severity="critical",
            ward=ada.admissions.get().placements.get().bed.ward,
            patient=ada,
            admission=ada.admissions.get(),
            sign="spo2",
            side="low",
            vital_value=84,
            threshold_breached=85,
            worst_value=84,
            last_value=84,
            measured_at=now,
            last_measured_at=now,
            raised_at=now,
        )

    def test_the_next_reading_beyond_goes_on_with_the_open_alert(self, ada, gateway, now):
        self.former(ada, now - SECOND, 84, holds=True)
        alert = self.alert(ada, now - SECOND)

        gateway.post([item(ada, now, spo2=83)])

        assert (open_alert(ada).pk, open_alert(ada).count, open_alert(ada).worst_value) == (alert.pk, 2, 83)

    def test_the_next_reading_inside_ends_it_as_far_as_nobody_has_to_take_it(self, ada, gateway, now):
        self.former(ada, now - SECOND, 84, holds=True)
        self.alert(ada, now - SECOND)

        gateway.post([item(ada, now, spo2=97)])

        assert open_alert(ada).state == "returned"

    def test_another_sensor_inside_does_not_end_it(self, ada, gateway, now):
        self.former(ada, now - SECOND, 84, holds=True)
        self.alert(ada, now - SECOND)

        gateway.post([item(ada, now, sensor_id="other", spo2=97)])

        assert open_alert(ada).state == "raised"

    def test_what_was_well_is_judged_from_its_next_reading(self, ada, gateway, now):
        self.former(ada, now - SECOND, 97, holds=False)

        gateway.post([item(ada, now, spo2=84)])

        assert events_of(ada) == ["raised"]

    def test_readings_out_of_order_find_their_past(self, ada, gateway, now):
        self.former(ada, now, 97, holds=False)
        Vital.objects.bulk_create(
            [
                Vital(
                    patient=ada,
                    admission=ada.admissions.get(),
                    sensor_id="GW-NORTH",
                    measured_at=now,
                    received_at=now,
                    spo2=97,
                )
            ]
        )

        gateway.post([item(ada, now - MINUTE, spo2=84)])

        assert open_alert(ada).state == "returned"


def test_a_memory_that_cannot_be_read_costs_nobody_a_reading(ada, ben, gateway, now, caplog):
    gateway.post([item(ada, now - MINUTE, spo2=84), item(ben, now - MINUTE, spo2=97)])
    AlarmState.objects.filter(admission__patient=ada).update(document="{}")

    answer = gateway.post([item(ada, now, spo2=83), item(ben, now, spo2=84)])

    assert answer.json()["stored"] == 2
    assert sorted(told()) == [("spo2_low", "critical"), ("spo2_low", "critical")]
    assert "cannot be read" in caplog.text
