"""Admission, transfer, discharge: what they do to a patient's alerts and beds, and what they refuse."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from monitoring.models import Alert
from monitoring.services import admissions
from tests.world import events_of, item, open_alert


class TestStay:
    def test_a_transfer_takes_the_alerts_along(self, ada, gateway, south, noor, now):
        gateway.post([item(ada, now, spo2=84)])

        admissions.transfer(ada.admissions.get(), bed=south.beds.get(position=2), by=noor, at=timezone.now())

        assert open_alert(ada).ward == south
        assert events_of(ada) == ["raised", "left", "moved"]

    def test_a_discharge_ends_them(self, ada, gateway, noor, now):
        gateway.post([item(ada, now, spo2=84)])

        admissions.discharge(ada.admissions.get(), by=noor, at=timezone.now())

        alert = Alert.objects.get()
        assert (alert.state, alert.resolved_by, alert.events.last().note) == ("resolved", noor, "discharged")

    def test_what_arrives_after_the_discharge_calls_nobody(self, ada, gateway, noor, now):
        admissions.discharge(ada.admissions.get(), by=noor, at=now)

        gateway.post([item(ada, now - timedelta(seconds=30), spo2=84)])

        assert events_of(ada) == ["recorded"]

    @pytest.mark.parametrize("minutes", [1, 6])
    @pytest.mark.parametrize("by_a_person", [True, False])
    def test_a_straggler_after_the_discharge_opens_nothing_and_spoils_no_batch(
        self, ada, ben, gateway, noor, now, minutes, by_a_person
    ):
        with time_machine.travel(now, tick=False) as clock:
            gateway.post([item(ada, now, spo2=84)])
            clock.shift(2)
            admissions.discharge(ada.admissions.get(), by=noor if by_a_person else None, at=timezone.now())
            clock.shift(60 * minutes)
            answer = gateway.post([item(ada, now + timedelta(seconds=1), spo2=80), item(ben, timezone.now(), spo2=70)])

        assert answer.json()["stored"] == 2
        assert sorted(events_of(ada)) == ["raised", "recorded", "resolved"]
        assert open_alert(ben).severity == "critical"

    def test_a_discharge_dated_back_ends_her_stay_then_and_her_alerts_now(self, ada, gateway, noor, now):
        gateway.post([item(ada, now, spo2=84)])
        asked = timezone.now()

        admissions.discharge(ada.admissions.get(), by=noor, at=now - timedelta(hours=1))

        assert ada.admissions.get().discharged_at == now - timedelta(hours=1)
        raised, resolved = Alert.objects.get().events.order_by("pk")
        assert (resolved.what, resolved.alert.resolved_at) == ("resolved", resolved.at)
        assert raised.at <= asked <= resolved.at

    def test_a_new_stay_begins_without_the_old_ones_values(self, ada, gateway, north, noor, now):
        gateway.post([item(ada, now - timedelta(seconds=2), spo2=84)])
        admissions.discharge(ada.admissions.get(), by=noor, at=now - timedelta(seconds=1))
        admissions.admit(ada, bed=north.beds.get(position=1), by=noor, at=now)

        gateway.post([item(ada, now, heart_rate=70)])

        assert not Alert.objects.open().exists()

    def test_a_bed_takes_one_patient(self, ada, ben, north, now):
        with pytest.raises(admissions.BedTaken):
            admissions.transfer(ben.admissions.get(), bed=north.beds.get(position=1), by=None, at=timezone.now())

    def test_a_bed_is_not_given_for_a_time_when_another_lay_in_it(self, ada, ben, north, now):
        admissions.discharge(ada.admissions.get(), by=None, at=now)

        with pytest.raises(admissions.BedTaken):
            admissions.transfer(ben.admissions.get(), bed=north.beds.get(position=1), by=None, at=now - timedelta(hours=1))

    def test_a_patient_is_admitted_once(self, ada, north, now):
        with pytest.raises(admissions.AlreadyAdmitted):
            admissions.admit(ada, bed=north.beds.get(position=3), by=None, at=now)

    def test_nothing_ends_before_it_began(self, ada, now):
        with pytest.raises(admissions.TooEarly):
            admissions.discharge(ada.admissions.get(), by=None, at=now - timedelta(days=3))
