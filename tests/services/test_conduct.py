"""How devices behave: clocks that are wrong, and readings that are refused again and again."""

from __future__ import annotations

import pytest
from django.utils import timezone

from monitoring.models import Alert, DeviceState, RejectedVital, Vital
from monitoring.services import alerts, ingestion
from tests.services.continuous import MINUTE, SECOND, steady, told
from tests.world import item, series, unscored

SKEW = ("clock_skew", "warning")
REFUSED = ("refused_readings", "warning")
BEHIND = -61 * MINUTE
AHEAD = 5 * MINUTE


def send(monitor, patient, clock, said, **values):
    """A second later the monitor sends what it measured, at a time of its own."""
    clock.shift(1)
    return monitor.post([item(patient, said, **values)])


def send_wrong(monitor, patient, clock, now, offset, count=3, **values):
    for place in range(1, count + 1):
        send(monitor, patient, clock, now + place * SECOND + offset, **({"spo2": 97} | values))


class TestWrongClock:
    @pytest.mark.parametrize(
        ("offset", "sentence"), [(BEHIND, "clock of M7 is 61 min behind"), (AHEAD, "clock of M7 is 5 min ahead")]
    )
    def test_three_readings_with_the_same_offset_are_a_wrong_clock(self, ada, monitor, clock, now, offset, sentence):
        send_wrong(monitor, ada, clock, now, offset, count=2)
        assert told() == []

        send(monitor, ada, clock, now + 3 * SECOND + offset, spo2=84)

        vital = Vital.objects.get(spo2=84)
        assert vital.measured_at == vital.received_at == now + 3 * SECOND
        assert (vital.device_time, vital.late) == (now + 3 * SECOND + offset, False)
        assert told() == [SKEW, ("spo2_low", "critical")]
        alert = Alert.objects.get(condition="clock_skew")
        assert (alert.message, alert.device, alert.kind) == (sentence, monitor.device, "technical")

    def test_it_ends_when_the_clock_is_right(self, ada, monitor, clock, now):
        send_wrong(monitor, ada, clock, now, BEHIND)

        send(monitor, ada, clock, now + 4 * SECOND, spo2=97)

        assert told() == []
        assert Vital.objects.get(measured_at=now + 4 * SECOND).device_time is None

    @pytest.mark.parametrize("delays", [(0, 3, 1, 4, 2), (2, 0, 4), (4, 4, 0, 1)])
    def test_what_is_sent_again_is_recognised_whatever_the_network_did(self, ada, monitor, clock, now, delays):
        for place, delay in enumerate(delays, start=1):
            clock.move_to(now + (10 * place + delay) * SECOND)
            monitor.post([item(ada, now + 10 * place * SECOND + BEHIND, spo2=97)])
        rows = set(Vital.objects.values_list("measured_at", "device_time"))

        for again in range(1, 8):
            clock.shift(1)
            answer = monitor.post([item(ada, now + 10 * len(delays) * SECOND + BEHIND, spo2=97)])
            assert answer.json()["duplicates"] == 1, again

        assert set(Vital.objects.values_list("measured_at", "device_time")) == rows

    def test_a_batch_of_a_wrong_clock_keeps_the_distances_of_its_readings(self, ada, monitor, clock, now):
        send_wrong(monitor, ada, clock, now, BEHIND)
        clock.move_to(now + 60 * SECOND)

        monitor.post(series(ada, now + 31 * SECOND + BEHIND, [{"spo2": 97}] * 30, every=1))

        times = sorted(Vital.objects.order_by("-measured_at").values_list("measured_at", flat=True)[:30])
        assert times[-1] - times[0] == 29 * SECOND
        assert times[-1] == now + 60 * SECOND

    def test_a_clock_that_drifts_is_followed_without_losing_a_reading(self, ada, monitor, clock, now):
        for place in range(1, 61):
            clock.shift(60)
            monitor.post([item(ada, now + place * 59.5 * SECOND + BEHIND, spo2=97)])

        assert Vital.objects.count() == 60
        newest = Vital.objects.latest("measured_at")
        assert abs(newest.received_at - newest.measured_at) <= 6 * SECOND

    def test_set_further_back_it_is_corrected_anew(self, ada, monitor, clock, now):
        send_wrong(monitor, ada, clock, now, BEHIND)
        for place in range(4, 7):
            send(monitor, ada, clock, now + place * SECOND + 2 * BEHIND, spo2=97)

        assert Vital.objects.get(received_at=now + 6 * SECOND).measured_at == now + 6 * SECOND
        assert Alert.objects.open().get().message == "clock of M7 is 122 min behind"

    def test_the_sensor_of_another_patient_keeps_its_own_time(self, ada, ben, gateway, clock, now):
        """Behind a gateway every patient may have a sensor of that name."""
        for _ in range(4):
            clock.shift(1)
            at = now + SECOND * Vital.objects.filter(patient=ben).count()
            gateway.post([item(ada, at + AHEAD, sensor_id="spo2", spo2=97), item(ben, at, sensor_id="spo2", spo2=97)])

        assert list(Vital.objects.filter(patient=ben).exclude(device_time=None)) == []
        assert Vital.objects.filter(patient=ada).exclude(device_time=None).count() == 2
        assert told() == [SKEW]

    def test_while_one_keeps_the_right_time_the_wrong_clock_of_another_is_found(self, ada, ben, gateway, clock, now):
        for place in range(1, 4):
            clock.shift(1)
            at = now + place * SECOND
            gateway.post([item(ada, at + BEHIND, sensor_id="spo2", spo2=97), item(ben, at, sensor_id="spo2", spo2=97)])

        assert Vital.objects.filter(patient=ada).exclude(device_time=None).count() == 1
        assert told() == [SKEW]

    def test_a_replay_from_the_quarantine_says_nothing_of_the_clock(self, ada, ben, north, gateway, noor, clock, now):
        gateway.post([item(ada, now, spo2=97) | {"patient_id": "P-NEW"}])
        refused = RejectedVital.objects.get()
        send_wrong(gateway, ada, clock, now, BEHIND)
        ada.patient_id, ben.patient_id = "P-NEW", "P-BEN"
        ada.save()
        conduct = DeviceState.objects.get().document

        ingestion.replay(refused, by=noor, now=now + MINUTE)

        assert DeviceState.objects.get().document == conduct
        assert told() == [SKEW]


class TestSetBackByMinutes:
    """Its readings fall onto the times of those before, and would be refused as conflicts for as long."""

    @pytest.fixture
    def minutes(self, ada, monitor, clock, now) -> None:
        """Seven minutes of a reading a second, each received within its half minute."""
        unscored(ada)
        for place in range(14, -1, -1):
            clock.move_to(now - place * 30 * SECOND)
            monitor.post(steady(ada, timezone.now(), every=1, minutes=0.5, spo2=97))

    @pytest.mark.parametrize("at_once", [1, 5])
    def test_after_three_it_is_known_and_the_rest_is_judged(self, minutes, ada, monitor, clock, now, at_once):
        for place in range(at_once, 12 * at_once, at_once):
            clock.move_to(now + place * SECOND)
            sent = [now + (place - back) * SECOND - 5 * MINUTE for back in reversed(range(at_once))]
            monitor.post([item(ada, said, spo2=70) for said in sent])

        assert SKEW in told()
        assert Alert.objects.get(condition="clock_skew").message == "clock of M7 is 5 min behind"
        assert ("spo2_low", "critical") in told()
        assert Vital.objects.filter(spo2=70).count() == 8 * at_once  # of eleven times

    def test_put_right_it_ends(self, minutes, ada, monitor, clock, now):
        for place in range(1, 6):
            clock.move_to(now + place * SECOND)
            monitor.post([item(ada, now + place * SECOND - 5 * MINUTE, spo2=70)])
        clock.move_to(now + 10 * SECOND)
        monitor.post([item(ada, now + 10 * SECOND, spo2=96)])

        assert SKEW not in told()
        assert Vital.objects.get(spo2=96).device_time is None

    def test_equal_values_say_nothing(self, minutes, ada, monitor, clock, now):
        for place in range(1, 6):
            clock.move_to(now + place * SECOND)
            monitor.post([item(ada, now + place * SECOND - 5 * MINUTE, spo2=97)])

        assert told() == []

    def test_nor_do_conflicts_of_a_moment_ago(self, minutes, ada, monitor, clock, now):
        for place in range(1, 6):
            clock.move_to(now + place * SECOND)
            monitor.post([item(ada, now + (place - 20) * SECOND, spo2=70)])

        assert told() == []


class TestNoWrongClock:
    """What looks like one."""

    def test_a_backlog_after_an_outage(self, ada, monitor, clock, now):
        """Twenty minutes of readings, a minute apart, sent ten a second."""
        for place in range(20):
            clock.shift(0.1)
            monitor.post([item(ada, now - (30 - place) * MINUTE, spo2=84)])

        assert not Vital.objects.exclude(device_time=None).exists()
        assert told() == []

    @pytest.mark.parametrize("every", [1, 60])
    def test_a_backlog_that_comes_newest_first(self, ada, monitor, clock, now, every):
        for place in range(20):
            clock.shift(0.1)
            monitor.post([item(ada, now - 11 * MINUTE - place * every * SECOND, spo2=84)])

        assert not Vital.objects.exclude(device_time=None).exists()
        assert told() == []

    def test_an_old_reading_that_is_sent_again_and_again(self, ada, monitor, clock, now):
        for _ in range(6):
            clock.shift(1)
            answer = monitor.post([item(ada, now - 20 * MINUTE, spo2=84)])

        assert answer.json()["duplicates"] == 1
        assert Vital.objects.get().device_time is None
        assert told() == []

    def test_two_wrong_times_and_a_right_one(self, ada, monitor, clock, now):
        send_wrong(monitor, ada, clock, now, BEHIND, count=2)
        send(monitor, ada, clock, now + 3 * SECOND, spo2=97)
        send_wrong(monitor, ada, clock, now + 3 * SECOND, BEHIND, count=2)

        assert told() == []

    def test_offsets_that_differ(self, ada, monitor, clock, now):
        for place in range(6):
            send(monitor, ada, clock, now + BEHIND - 10 * place * SECOND, spo2=97)

        assert told() == []


class TestRefused:
    def post(self, monitor, patient, clock, **values):
        clock.shift(1)
        return monitor.post([item(patient, **values)])

    def test_five_refused_readings_in_a_row_are_told_until_one_is_taken(self, ada, monitor, clock):
        for _ in range(4):
            self.post(monitor, ada, clock, spo2=140)
        assert told() == []

        self.post(monitor, ada, clock, spo2=140)
        assert told() == [REFUSED]
        assert Alert.objects.get().message == "readings of M7 are refused, 5 in a row"

        self.post(monitor, ada, clock, spo2=97)
        assert told() == []

    def test_one_that_is_taken_in_between_begins_the_row_anew(self, ada, monitor, clock):
        for spo2 in (140, 140, 140, 97, 140, 140, 140):
            self.post(monitor, ada, clock, spo2=spo2)

        assert told() == []

    def test_a_batch_counts_each_of_its_readings(self, ada, monitor, clock, now):
        monitor.post(series(ada, now - MINUTE, [{"spo2": 140}] * 5))

        assert told() == [REFUSED]

    def test_who_lies_in_another_bed_is_no_part_of_the_row(self, ada, ben, gateway, clock):
        for _ in range(5):
            clock.shift(1)
            gateway.post([item(ada, sensor_id="spo2", spo2=140), item(ben, sensor_id="spo2", spo2=97)])

        assert told() == [REFUSED]

    def test_it_goes_on_while_they_are_refused_and_ends_no_earlier(self, ada, monitor, noor, clock, now):
        for _ in range(5):
            self.post(monitor, ada, clock, spo2=140)
        alerts.resolve(Alert.objects.get(), by=noor, at=now + MINUTE)
        clock.shift(120)

        self.post(monitor, ada, clock, spo2=140)

        assert told() == [REFUSED]
        assert Alert.objects.get().state == "raised"

    def test_a_right_clock_and_taken_readings_leave_no_row(self, ada, monitor, clock):
        self.post(monitor, ada, clock, spo2=97)

        assert not DeviceState.objects.exists()
