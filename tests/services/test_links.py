"""A lost link is one alert, whoever sends how often, and ends with the first reading alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from accounts import keys
from accounts.models import Device
from monitoring.models import Alert, AlertEvent, Patient
from monitoring.services import admissions, alerts, technical
from tests.services.continuous import MINUTE, SECOND, steady, told, watch
from tests.world import Monitor, item, open_alert

NO_DATA = ("no_data", "warning")
LINK_LOST = ("link_lost", "critical")


@pytest.fixture
def ward_of_four(ada, ben, north, now) -> list[Patient]:
    """All beds of North are taken."""
    more = [Patient.objects.create(patient_id=f"P-{name}", name=name) for name in ("DAN", "EVA")]
    for position, patient in enumerate(more, start=3):
        admissions.admit(patient, bed=north.beds.get(position=position), by=None, at=now - timedelta(days=1))
    return [ada, ben, *more]


@pytest.fixture
def other_gateway(north) -> Monitor:
    """A second one, which serves a part of North."""
    device = Device.objects.create(name="GW-PART", kind=Device.Kind.GATEWAY)
    device.wards.add(north)
    return Monitor(device, keys.issue(device))


def all_of(patients, until, **values):
    return [one for patient in patients for one in steady(patient, until, every=30, **values)]


class TestLostLink:
    def test_a_ward_that_is_silent_at_once_is_one_alert(self, ward_of_four, gateway, north, now):
        with time_machine.travel(now, tick=False):
            gateway.post(all_of(ward_of_four, now, spo2=97))

        watch(now + 119 * SECOND)
        assert told() == []
        for minutes in (2, 3, 10, 60):
            watch(now + minutes * MINUTE)

        assert told() == [LINK_LOST]
        alert = Alert.objects.get()
        assert (alert.subject, alert.ward, alert.patient) == (f"ward:{north.pk}", north, None)
        assert alert.message == "no data from any of 4 patients of North: link lost"
        assert alert.next_step_at is not None
        assert [event.what for event in alert.events.all()] == ["raised"]

    def test_it_ends_with_the_first_reading_and_who_stays_silent_is_told_after_half_a_minute(
        self, ward_of_four, ada, ben, gateway, now
    ):
        back = now + 5 * MINUTE
        with time_machine.travel(now, tick=False) as clock:
            gateway.post(all_of(ward_of_four, now, spo2=97))
            watch(now + 2 * MINUTE)
            clock.move_to(back)
            gateway.post([item(each, spo2=97) for each in ward_of_four if each != ben])

        watch(back)
        watch(back + 29 * SECOND)
        assert told() == []

        watch(back + 30 * SECOND)
        assert told() == [NO_DATA]
        assert open_alert(ben).condition == "no_data"

    def test_a_gateway_that_serves_a_part_of_the_ward_is_told_for_its_part(
        self, ward_of_four, ben, gateway, other_gateway, now
    ):
        mine, others = ward_of_four[:2], ward_of_four[2:]
        with time_machine.travel(now, tick=False) as clock:
            gateway.post(all_of(mine, now, spo2=97))
            other_gateway.post(all_of(others, now, spo2=97))
            clock.shift(110)
            other_gateway.post([item(each, spo2=97) for each in others])
            watch(now + 2 * MINUTE)
            alert = Alert.objects.get()
            assert (alert.condition, alert.device) == ("link_lost", gateway.device)
            assert alert.message == "no data from any of 2 patients behind GW-NORTH: link lost"

            clock.shift(60)
            gateway.post([item(mine[0], spo2=97)])
            other_gateway.post([item(each, spo2=97) for each in others])
            watch(now + 170 * SECOND)
            assert told() == []
            watch(now + 200 * SECOND)
        assert open_alert(ben).condition == "no_data"

    def test_one_patient_alone_is_no_link(self, ada, gateway, now):
        with time_machine.travel(now, tick=False):
            gateway.post(steady(ada, now, spo2=97))

        watch(now + 3 * MINUTE)

        assert told() == [NO_DATA]

    def test_who_is_on_standby_is_not_missed_with_the_others(self, ada, ben, gateway, now):
        with time_machine.travel(now, tick=False) as clock:
            gateway.post(all_of([ada, ben], now, spo2=97))
            clock.shift(1)
            gateway.post([item(ben, status={"device": "standby"})])

        watch(now + 3 * MINUTE)

        assert told(patient=ada) == [NO_DATA]
        assert told(condition="link_lost") == []

    def test_who_has_long_been_silent_makes_no_lost_link_of_another(self, ward_of_four, ada, ben, gateway, now):
        with time_machine.travel(now, tick=False) as clock:
            gateway.post(all_of([ada, ben], now, spo2=97))
            clock.shift(110)
            gateway.post([item(ben, spo2=97)])
            watch(now + 2 * MINUTE)
            later = now + 60 * MINUTE
            clock.move_to(later)
            gateway.post(steady(ben, later, spo2=97))

        watch(later + 2 * MINUTE)

        assert told() == [NO_DATA, NO_DATA]

    def test_ended_by_hand_while_it_lasts_it_comes_back_untaken(self, ward_of_four, gateway, noor, now):
        with time_machine.travel(now, tick=False):
            gateway.post(all_of(ward_of_four, now, spo2=97))
        watch(now + 2 * MINUTE)
        alerts.acknowledge(Alert.objects.get(), by=noor, at=now + 3 * MINUTE)
        alerts.resolve(Alert.objects.get(), by=noor, at=now + 4 * MINUTE)

        watch(now + 5 * MINUTE)

        alert = Alert.objects.get()
        assert (alert.state, alert.acknowledged_by, alert.resolved_by) == ("raised", None, None)
        assert alert.next_step_at is not None

    def test_lost_again_within_the_cooldown_it_has_to_be_taken_again(self, ward_of_four, gateway, noor, now):
        with time_machine.travel(now, tick=False) as clock:
            gateway.post(all_of(ward_of_four, now, spo2=97))
            watch(now + 2 * MINUTE)
            alerts.acknowledge(Alert.objects.get(), by=noor, at=now + 3 * MINUTE)
            clock.shift(240)
            gateway.post([item(each, spo2=97) for each in ward_of_four])
            watch(now + 4 * MINUTE)
            assert told() == []

            watch(now + 8 * MINUTE)

        alert = Alert.objects.get()
        assert [event.what for event in alert.events.all()] == ["raised", "acknowledged", "resolved", "reopened"]
        assert (alert.state, alert.acknowledged_by) == ("raised", None)

    def test_who_is_moved_meanwhile_is_told_where_he_lies_now(self, ward_of_four, ada, gateway, south, noor, now):
        with time_machine.travel(now, tick=False):
            gateway.post(all_of(ward_of_four, now, spo2=97))
        watch(now + 2 * MINUTE)
        with time_machine.travel(now + 3 * MINUTE, tick=False):
            admissions.transfer(ada.admissions.get(), bed=south.beds.get(position=2), by=noor, at=now + 3 * MINUTE)

        watch(now + 4 * MINUTE)

        assert told(ward=south) == [LINK_LOST]
        assert Alert.objects.get(ward=south).message == "no data from any of 4 patients behind GW-NORTH: link lost"

    def test_what_was_open_stays_open_and_no_excursion_that_waits_is_forgotten(self, ward_of_four, ada, gateway, now):
        with time_machine.travel(now, tick=False):
            gateway.post(all_of(ward_of_four, now, heart_rate=70))
            gateway.post([item(ada, now + SECOND, heart_rate=150)])

        watch(now + 5 * MINUTE)

        assert told(patient=ada) == [("heart_rate_high", "critical")]
        assert open_alert(ada).unconfirmed
        assert told(patient=None) == [LINK_LOST]

    @pytest.mark.parametrize("rhythm", [60, 66, 300])
    def test_one_who_sends_rarely_makes_no_alert_of_each(self, ward_of_four, gateway, now, rhythm):
        *often, rarely = ward_of_four
        with time_machine.travel(now, tick=False):
            for patient in often:
                gateway.post(steady(patient, now, every=5, spo2=97))
            slow = now - 20 * MINUTE
            gateway.post(steady(rarely, slow, every=60, spo2=97))
            count = int(20 * MINUTE / timedelta(seconds=rhythm))
            gateway.post([item(rarely, slow + place * rhythm * SECOND, spo2=97) for place in range(1, count + 1)])

        for second in range(100, 1500, 5):
            watch(now + second * SECOND)

        assert told() == [LINK_LOST]
        assert AlertEvent.objects.count() == 1

    def test_while_one_is_heard_the_others_are_told_one_by_one(self, ward_of_four, gateway, now):
        *silent, heard = ward_of_four
        with time_machine.travel(now, tick=False) as clock:
            for patient in silent:
                gateway.post(steady(patient, now, every=5, spo2=97))
            clock.shift(80)
            gateway.post(steady(heard, now + 80 * SECOND, every=60, spo2=97))

        watch(now + 125 * SECOND)

        assert told() == [NO_DATA] * 3

    @pytest.mark.parametrize("back", [30 * SECOND, 5 * MINUTE, 60 * MINUTE])
    def test_our_clock_set_back_does_not_end_it(self, ward_of_four, gateway, now, back):
        with time_machine.travel(now, tick=False):
            gateway.post(all_of(ward_of_four, now, spo2=97))
        watch(now + 3 * MINUTE)
        assert told() == [LINK_LOST]

        for second in range(0, 300, 5):
            at = now + 3 * MINUTE - back + second * SECOND
            for step in (technical.look_around, technical.end_lost_links):  # in this order too
                while step(now=at):
                    pass

        assert list(AlertEvent.objects.values_list("what", flat=True)) == ["raised"]

    def test_after_our_clock_was_set_back_a_reading_still_ends_it(self, ward_of_four, gateway, now):
        with time_machine.travel(now, tick=False) as clock:
            gateway.post(all_of(ward_of_four, now, spo2=97))
            watch(now + 3 * MINUTE)
            clock.move_to(now - 57 * MINUTE)
            watch(now - 57 * MINUTE)
            clock.shift(1)
            gateway.post([item(ward_of_four[0], spo2=97)])
            watch(now - 57 * MINUTE)

        assert LINK_LOST not in told()
