"""Cannot measure, never normal: what the watcher tells of sensors that fell silent, and what devices say of themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from accounts import keys
from accounts.models import Device
from monitoring.models import AlarmState, Alert, Patient
from monitoring.services import admissions, alerts
from tests.services.continuous import MINUTE, SECOND, steady, told, watch
from tests.world import Monitor, events_of, item, open_alert

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
