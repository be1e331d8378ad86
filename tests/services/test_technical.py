"""Cannot measure, never normal: what the watcher tells of sensors that fell silent, and what devices say of themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from accounts.models import Device
from monitoring.clinical.limits import Severity
from monitoring.models import AlarmState, Alert
from monitoring.services import admissions, alerts, technical
from tests.services.continuous import MINUTE, SECOND, steady, told, watch
from tests.world import events_of, item, open_alert

NO_DATA = ("no_data", "warning")


class TestNoData:
    @pytest.mark.parametrize(("every", "after"), [(10, 120), (30, 120), (40, 160), (60, 240)])
    def test_a_continuous_sensor_that_falls_silent_is_told_after_two_minutes_or_four_intervals(
        self, ada, gateway, now, every, after
    ):
        with time_machine.travel(now, tick=False):
            gateway.post(steady(ada, now, every=every, spo2=97))

        watch(now + (after - 1) * SECOND)
        assert told() == []

        watch(now + after * SECOND)
        alert = open_alert(ada)
        assert (alert.condition, alert.severity, alert.kind) == ("no_data", "warning", "technical")
        assert alert.message == "cannot measure: SpO₂ (GW-NORTH, no data)"
        assert alert.next_step_at is not None

    def test_it_is_one_alert_that_names_every_sign(self, ada, gateway, now):
        with time_machine.travel(now, tick=False):
            gateway.post(steady(ada, now, spo2=97, heart_rate=70, mean_bp=80, diastolic_bp=60, systolic_bp=120))

        watch(now + 5 * MINUTE)

        assert open_alert(ada).message == "cannot measure: HR, SpO₂, SBP (GW-NORTH, no data)"  # the pressures are one

    def test_data_end_it(self, ada, gateway, now):
        with time_machine.travel(now, tick=False) as clock:
            gateway.post(steady(ada, now, spo2=97))
            watch(now + 2 * MINUTE)
            clock.shift(130)
            gateway.post([item(ada, spo2=96)])

        assert told() == []
        assert events_of(ada) == ["raised", "resolved"]

    def test_whoever_ends_it_by_hand_expects_no_more_data(self, ada, gateway, noor, now):
        with time_machine.travel(now, tick=False) as clock:
            gateway.post(steady(ada, now, spo2=97))
            watch(now + 2 * MINUTE)
            alerts.resolve(open_alert(ada), by=noor, at=now + 3 * MINUTE, note="sensor is off")

            watch(now + 60 * MINUTE)
            clock.shift(3600)
            gateway.post([item(ada, spo2=97)])
            watch(now + 120 * MINUTE)
            assert told() == []

            later = now + 130 * MINUTE
            clock.move_to(later)
            gateway.post(steady(ada, later, spo2=97))
            watch(later + 2 * MINUTE)
        assert told() == [NO_DATA]

    def test_a_device_declared_as_continuous_is_missed_though_it_sends_rarely(self, ada, gateway, now):
        Device.objects.update(is_continuous=True)
        with time_machine.travel(now, tick=False):
            gateway.post(steady(ada, now, every=90, minutes=9, spo2=97))

        watch(now + 6 * MINUTE)

        assert told() == [NO_DATA]

    def test_nobody_waits_for_spot_values(self, ada, gateway, now):
        gateway.post([item(ada, now, spo2=97)])

        watch(now + timedelta(hours=2))

        assert told() == []

    def test_another_sensor_of_the_sign_is_enough(self, ada, gateway, now):
        with time_machine.travel(now, tick=False) as clock:
            gateway.post(steady(ada, now, sensor_id="ecg", heart_rate=70))
            clock.shift(120)
            gateway.post(steady(ada, now + 2 * MINUTE, sensor_id="pleth", heart_rate=70))

        watch(now + 3 * MINUTE)
        assert told() == []

        watch(now + 5 * MINUTE)
        assert told() == [NO_DATA]

    def test_the_word_of_the_sensor_stands_in_the_sentence(self, ada, gateway, now):
        with time_machine.travel(now, tick=False) as clock:
            gateway.post(steady(ada, now, spo2=97))
            clock.shift(100)
            gateway.post([item(ada, status={"spo2": "probe_off"})])

        watch(now + 2 * MINUTE)

        assert open_alert(ada).message == "cannot measure: SpO₂ (GW-NORTH, probe off)"

    def test_silence_ends_no_alert_of_the_patient(self, ada, gateway, now):
        with time_machine.travel(now, tick=False):
            gateway.post(steady(ada, now, spo2=84))

        watch(now + timedelta(hours=3))

        assert told() == [NO_DATA, ("spo2_low", "critical")]

    def test_who_is_discharged_is_never_looked_at_again(self, ada, gateway, noor, now):
        with time_machine.travel(now, tick=False) as clock:
            gateway.post(steady(ada, now, spo2=97))
            clock.shift(30)
            admissions.discharge(ada.admissions.get(), by=noor, at=now + 30 * SECOND)
            gateway.post([item(ada, now + 10 * SECOND, spo2=84)])

        assert AlarmState.objects.get().due_at is None
        watch(now + timedelta(hours=1))
        assert told() == []

    def test_after_a_transfer_the_watcher_goes_on_and_tells_the_new_ward(self, ada, gateway, south, noor, now):
        with time_machine.travel(now, tick=False):
            gateway.post(steady(ada, now, spo2=97))
            admissions.transfer(ada.admissions.get(), bed=south.beds.get(position=2), by=noor, at=now)

        watch(now + 2 * MINUTE)

        assert told(ward=south) == [NO_DATA]

    def test_two_watchers_at_once_tell_it_once(self, ada, gateway, now):
        with time_machine.travel(now, tick=False):
            gateway.post(steady(ada, now, spo2=97))

        for _ in range(2):
            alerts.look(ada.admissions.get(), now=now + 2 * MINUTE)

        assert events_of(ada) == ["raised"]


class TestWords:
    def test_standby_is_told_as_such_and_misses_no_data(self, ada, gateway, now):
        with time_machine.travel(now, tick=False) as clock:
            gateway.post(steady(ada, now, spo2=97))
            clock.shift(10)
            gateway.post([item(ada, status={"device": "standby"})])
            watch(now + timedelta(hours=1))
            assert told() == [("standby", "info")]

            clock.shift(3600)
            gateway.post([item(ada, spo2=97, status={"device": "ok"})])
        assert told() == []

    @pytest.mark.parametrize(
        ("word", "alert", "sentence"),
        [
            ("fault", ("device_fault", "warning"), "M7: device fault"),
            ("battery_low", ("battery_low", "info"), "M7: battery low"),
        ],
    )
    def test_a_device_says_what_is_wrong_with_it_until_it_says_that_it_is_well(self, ada, monitor, now, word, alert, sentence):
        with time_machine.travel(now, tick=False) as clock:
            monitor.post([item(ada, spo2=97, status={"device": word})])
            assert told() == [alert]
            assert open_alert(ada).message == sentence

            clock.shift(1)
            monitor.post([item(ada, spo2=97)])
            assert told() == [alert]

            clock.shift(1)
            monitor.post([item(ada, spo2=97, status={"device": "ok"})])
        assert told() == []

    @pytest.mark.parametrize("zero_is_absent", [True, False])
    @pytest.mark.parametrize(
        ("sign", "word", "condition", "usual"),
        [("heart_rate", "asystole", "heart_rate_low", 70), ("respiratory_rate", "apnoea", "respiratory_rate_low", 14)],
    )
    def test_asystole_and_apnoea_wait_for_no_delay(self, ada, gateway, now, zero_is_absent, sign, word, condition, usual):
        Device.objects.update(zero_is_absent=zero_is_absent)
        with time_machine.travel(now, tick=False) as clock:
            gateway.post(steady(ada, now, **{sign: usual}))
            clock.shift(1)
            gateway.post([item(ada, status={sign: word}, **{sign: 0})])

        assert told() == [(condition, "critical")]
        assert "look at the patient" in open_alert(ada).message

    def test_a_rate_beside_the_word_asystole_does_not_hide_it(self, ada, gateway, now):
        """The monitor's average lags behind."""
        gateway.post([item(ada, now, heart_rate=62, status={"heart_rate": "asystole"})])

        assert told() == [("heart_rate_low", "critical")]

    def test_a_zero_of_a_device_that_writes_it_for_nothing_is_a_gap(self, ada, gateway, now):
        Device.objects.update(zero_is_absent=True)
        with time_machine.travel(now, tick=False) as clock:
            gateway.post(steady(ada, now, heart_rate=70))
            clock.shift(100)
            gateway.post([item(ada, heart_rate=0)])

        watch(now + 2 * MINUTE)

        assert told() == [NO_DATA]
        assert "HR (GW-NORTH, no signal)" in open_alert(ada).message


class TestOfADevice:
    """What concerns a device is told where it is, and anew when it concerns one sensor more."""

    @staticmethod
    def skew(*sensors):
        sentence = "; ".join(f"clock of {sensor} is 61 min behind" for sensor in sensors)
        return technical.Finding(technical.CLOCK_SKEW, Severity.WARNING, sentence, frozenset(sensors))

    def test_it_goes_along_when_its_patient_is_moved(self, ada, monitor, noor, eve, south, now):
        technical.tell(monitor.device, self.skew("M7"), now=now)
        alerts.acknowledge(Alert.objects.get(), by=noor, at=now)

        with time_machine.travel(now + SECOND, tick=False):
            admissions.transfer(ada.admissions.get(), bed=south.beds.get(position=2), by=None, at=now + SECOND)

        alert = Alert.objects.get()
        assert (alert.ward, alert.state) == (south, "raised")
        assert alert.next_step_at == now + SECOND

    def test_a_gateways_stays_in_its_ward(self, ada, gateway, north, south, now):
        technical.tell(gateway.device, self.skew("M7"), now=now)

        admissions.transfer(ada.admissions.get(), bed=south.beds.get(position=2), by=None, at=now + SECOND)

        assert Alert.objects.get().ward == north

    def test_a_monitor_on_nobody_is_told_where_it_was_last(self, ada, monitor, north, noor, now):
        admissions.discharge(ada.admissions.get(), by=noor, at=now)

        for place in range(5):
            with time_machine.travel(now + place * SECOND, tick=False):
                monitor.post([{"spo2": 97, "timestamp": (now + place * SECOND).isoformat()}])

        alert = Alert.objects.get()
        assert (alert.condition, alert.ward) == ("refused_readings", north)

    def test_taken_for_one_sensor_it_calls_anew_for_the_next(self, gateway, noor, now):
        technical.tell(gateway.device, self.skew("M7"), now=now)
        alerts.acknowledge(Alert.objects.get(), by=noor, at=now)

        technical.tell(gateway.device, self.skew("M7"), now=now + SECOND)
        assert Alert.objects.get().state == "acknowledged"
        technical.tell(gateway.device, self.skew("M7", "M77"), now=now + 2 * SECOND)

        alert = Alert.objects.get()
        assert (alert.state, alert.next_step_at) == ("raised", now + 2 * SECOND)
        assert list(alert.events.values_list("what", flat=True)) == ["raised", "acknowledged", "reraised"]

    def test_what_ended_before_our_clock_was_set_back_is_not_reopened_as_taken(self, gateway, noor, now):
        technical.tell(gateway.device, self.skew("M7"), now=now)
        alerts.acknowledge(Alert.objects.get(), by=noor, at=now)
        technical.end(gateway.device, [technical.CLOCK_SKEW], now=now + MINUTE)

        technical.tell(gateway.device, self.skew("M7"), now=now - 60 * MINUTE)

        assert Alert.objects.open().get().state == "raised"
