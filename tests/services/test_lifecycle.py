"""An alert's whole life through the real door: delay, return, latch, hands, silence, and clocks that are set back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from monitoring.clinical.limits import Severity
from monitoring.models import Alert
from monitoring.services import alerts, escalation
from tests.services.continuous import MINUTE, SECOND, steady, told, watch
from tests.world import events_of, item, open_alert, series, unscored

LOW = ("spo2_low", "critical")


@pytest.fixture
def watched(ada, gateway, clock, now):
    """Ada, whose saturation comes every ten seconds and was well until now."""
    gateway.post(steady(ada, now, spo2=97))
    return ada


def sends(gateway, patient, clock, *values, every=10, **others):
    """One value after the other, each when it is measured."""
    for value in values:
        clock.shift(every)
        gateway.post([item(patient, spo2=value, **others)])


class TestDelay:
    def test_a_continuous_sensor_alarms_when_it_stayed_beyond_for_the_delay(self, watched, gateway, clock):
        sends(gateway, watched, clock, 84, 84)
        assert told() == []

        sends(gateway, watched, clock, 84)
        alert = open_alert(watched)
        assert (alert.condition, alert.severity, alert.unconfirmed) == ("spo2_low", "critical", False)

    def test_what_is_back_within_the_delay_calls_nobody(self, watched, gateway, clock):
        sends(gateway, watched, clock, 84, 97, 84, 97)

        watch(timezone.now() + MINUTE)
        assert events_of(watched) == []

    def test_a_deep_desaturation_waits_for_nothing(self, watched, gateway, clock):
        sends(gateway, watched, clock, 79)

        assert told() == [LOW]

    def test_without_a_further_value_the_watcher_raises_it_unconfirmed(self, watched, gateway, clock, now):
        sends(gateway, watched, clock, 84)

        watch(now + 24 * SECOND)
        assert told() == []
        watch(now + 25 * SECOND)
        alert = open_alert(watched)
        assert (alert.severity, alert.unconfirmed, alert.raised_at) == ("critical", True, now + 25 * SECOND)
        assert alert.next_step_at is not None

    def test_the_next_value_beyond_confirms_it(self, watched, gateway, clock, now):
        sends(gateway, watched, clock, 84)
        watch(now + 25 * SECOND)

        sends(gateway, watched, clock, 84, every=30)

        assert (open_alert(watched).unconfirmed, open_alert(watched).count) == (False, 2)

    def test_a_value_inside_before_the_watcher_looks_leaves_nothing(self, watched, gateway, clock, now):
        sends(gateway, watched, clock, 84, 97)

        watch(now + 30 * SECOND)

        assert events_of(watched) == []


class TestReturn:
    def test_it_ends_inside_by_the_margin_for_the_clear_time(self, watched, gateway, clock):
        sends(gateway, watched, clock, *[88] * 4)
        assert told() == [("spo2_low", "warning")]

        sends(gateway, watched, clock, *[91] * 40)  # inside, but not by the margin
        assert told() == [("spo2_low", "warning")]

        sends(gateway, watched, clock, *[92] * 30)
        assert told() == [("spo2_low", "warning")]
        sends(gateway, watched, clock, 92)
        assert events_of(watched) == ["raised", "resolved"]

    def test_a_critical_one_waits_until_somebody_takes_it(self, watched, gateway, clock, noor):
        sends(gateway, watched, clock, *[84] * 3, *[97] * 31)
        alert = open_alert(watched)
        assert (alert.state, alert.severity) == ("returned", "critical")
        assert alert.next_step_at is not None

        alerts.acknowledge(alert, by=noor, at=timezone.now())

        assert events_of(watched) == ["raised", "returned", "acknowledged", "resolved"]
        alert.refresh_from_db()
        assert (alert.resolved_by, alert.next_step_at) == (None, None)

    def test_beyond_again_while_it_waits_it_is_raised_again(self, watched, gateway, clock):
        sends(gateway, watched, clock, *[84] * 3, *[97] * 31, *[84] * 3)

        alert = open_alert(watched)
        assert events_of(watched) == ["raised", "returned", "reraised"]
        assert (alert.state, alert.returned_at) == ("raised", None)
        assert (alert.escalation_step, alert.next_step_at) == (0, alert.raised_at)  # it has waited all the time

    def test_a_hand_on_it_ends_it_with_the_return(self, watched, gateway, clock, noor):
        sends(gateway, watched, clock, *[84] * 3)
        alerts.acknowledge(open_alert(watched), by=noor, at=timezone.now())

        sends(gateway, watched, clock, *[97] * 31)

        assert events_of(watched) == ["raised", "acknowledged", "resolved"]

    def test_a_warning_that_comes_back_within_the_cooldown_stays_in_the_hand_and_comes_back_to_it(
        self, ada, gateway, clock, noor
    ):
        sends(gateway, ada, clock, 88)
        alerts.acknowledge(open_alert(ada), by=noor, at=timezone.now())

        sends(gateway, ada, clock, 97, 88)

        alert = open_alert(ada)
        assert (alert.acknowledged_by, events_of(ada)[-1]) == (noor, "reopened")
        assert alert.next_step_at is not None
        while escalation.advance(now=timezone.now() + timedelta(hours=1)):
            pass
        assert "untaken" in events_of(ada)


class TestHands:
    def test_who_resolves_what_goes_on_gets_it_back(self, watched, gateway, clock, noor):
        sends(gateway, watched, clock, *[84] * 3)
        alert = open_alert(watched)
        alerts.acknowledge(alert, by=noor, at=timezone.now())
        alerts.resolve(alert, by=noor, at=timezone.now(), note="probe moved")
        assert told() == []

        sends(gateway, watched, clock, 83)

        back = open_alert(watched)
        assert (back.pk, back.state, back.acknowledged_by, back.resolved_by) == (alert.pk, "raised", None, None)
        assert back.next_step_at is not None
        event = back.events.get(what="reopened")
        local = timezone.localtime(back.events.get(what="resolved").at)
        assert event.note == f"resolved by Noor at {local:%H:%M}, still SpO₂ 83 < 85 %"

    def test_who_resolves_what_is_over_is_left_in_peace(self, watched, gateway, clock, noor):
        sends(gateway, watched, clock, *[84] * 3, *[97] * 3)
        alerts.resolve(open_alert(watched), by=noor, at=timezone.now())

        sends(gateway, watched, clock, *[97] * 40)

        assert events_of(watched) == ["raised", "resolved"]

    def test_a_silence_ends_when_it_gets_worse(self, ada, gateway, clock, noor):
        sends(gateway, ada, clock, 88)
        alerts.silence(open_alert(ada), minutes=10, by=noor, at=timezone.now())
        sends(gateway, ada, clock, 87)
        assert open_alert(ada).silenced_by == noor

        sends(gateway, ada, clock, 84)

        alert = open_alert(ada)
        assert (alert.severity, alert.silenced_until, alert.silenced_by) == ("critical", None, None)
        assert events_of(ada) == ["raised", "silenced", "risen"]

    def test_a_silence_ends_when_it_is_raised_again(self, ada, gateway, clock, noor):
        sends(gateway, ada, clock, 84, 97)
        alerts.silence(open_alert(ada), minutes=10, by=noor, at=timezone.now())

        sends(gateway, ada, clock, 84)

        assert open_alert(ada).silenced_until is None

    def test_nobody_silences_what_has_risen_meanwhile(self, ada, gateway, clock, noor):
        sends(gateway, ada, clock, 84)

        with pytest.raises(alerts.SeverityRisen):
            alerts.silence(open_alert(ada), minutes=5, by=noor, at=timezone.now(), shown=alerts.Shown(Severity.WARNING))

        assert open_alert(ada).silenced_until is None

    def test_silence_stops_no_escalation(self, ada, gateway, clock, noor):
        sends(gateway, ada, clock, 84)
        due = open_alert(ada).next_step_at

        alerts.silence(open_alert(ada), minutes=10, by=noor, at=timezone.now())

        assert open_alert(ada).next_step_at == due

    def test_a_rise_begins_the_escalation_anew(self, ada, gateway, clock, noor):
        sends(gateway, ada, clock, 88)
        alerts.acknowledge(open_alert(ada), by=noor, at=timezone.now())

        sends(gateway, ada, clock, 84)

        alert = open_alert(ada)
        assert (alert.escalation_step, alert.next_step_at, alert.acknowledged_by) == (0, timezone.now(), None)
        assert escalation.audit(now=timezone.now()) == []


class TestTwoSignsAtOnce:
    @pytest.fixture
    def both(self, ada, gateway, clock, now):
        gateway.post(steady(ada, now, spo2=97, heart_rate=70))
        sends(gateway, ada, clock, *[84] * 5, heart_rate=150)
        return ada

    def test_they_are_a_critical_alert_of_their_own_that_names_them(self, both):
        assert told() == [("heart_rate_high", "critical"), ("multiple_signs", "critical"), LOW]
        message = Alert.objects.get(condition="multiple_signs").message
        assert "SpO₂ 84 < 85 %" in message and "HR 150 > 140 /min" in message

    def test_who_takes_it_takes_all(self, both, noor):
        alerts.acknowledge(Alert.objects.get(condition="multiple_signs"), by=noor, at=timezone.now())

        assert set(Alert.objects.open().values_list("acknowledged_by", flat=True)) == {noor.pk}
        assert events_of(both).count("acknowledged") == 3

    def test_who_silences_it_silences_all(self, both, noor):
        alerts.silence(Alert.objects.get(condition="multiple_signs"), minutes=5, by=noor, at=timezone.now())

        assert set(Alert.objects.open().values_list("silenced_by", flat=True)) == {noor.pk}
        assert events_of(both).count("silenced") == 3

    def test_what_nobody_was_shown_is_not_silenced_with_it(self, both, noor):
        bundle, low = Alert.objects.get(condition="multiple_signs"), Alert.objects.get(condition="spo2_low")

        alerts.silence(bundle, minutes=5, by=noor, at=timezone.now(), shown=alerts.Shown(members=[low.pk]))

        assert set(Alert.objects.filter(silenced_until=None).values_list("condition", flat=True)) == {"heart_rate_high"}

    def test_a_sign_of_its_own_is_silenced_alone(self, both, noor):
        alerts.silence(Alert.objects.get(condition="spo2_low"), minutes=5, by=noor, at=timezone.now())

        assert Alert.objects.exclude(silenced_until=None).get().condition == "spo2_low"

    def test_it_ends_when_one_of_them_is_over(self, both, gateway, clock, noor):
        alerts.acknowledge(Alert.objects.get(condition="multiple_signs"), by=noor, at=timezone.now())

        sends(gateway, both, clock, *[97] * 31, heart_rate=150)

        assert told(kind="physiological") == [("heart_rate_high", "critical")]

    def test_nobody_takes_all_who_was_not_shown_the_worst(self, both, noor):
        with pytest.raises(alerts.SeverityRisen):
            alerts.acknowledge(
                Alert.objects.get(condition="multiple_signs"),
                by=noor,
                at=timezone.now(),
                shown=alerts.Shown(Severity.WARNING),
            )

        assert not Alert.objects.exclude(acknowledged_at=None).exists()


class TestClockSetBack:
    """Ours, by an hour; the monitors keep theirs."""

    def test_nothing_is_taken_back(self, watched, gateway, clock, now):
        sends(gateway, watched, clock, *[84] * 3)
        before = list(Alert.objects.values())

        clock.move_to(now - timedelta(hours=1))
        watch(timezone.now())

        assert list(Alert.objects.values()) == before

    def test_readings_inside_by_a_clock_that_was_set_back_end_nothing(self, watched, gateway, clock, now):
        sends(gateway, watched, clock, *[84] * 3)

        clock.move_to(now - timedelta(hours=1))
        gateway.post(series(watched, timezone.now() - MINUTE, [{"spo2": 97}] * 6, every=10))

        assert told(returned_at=None) == [LOW]

    def test_a_new_danger_is_told_all_the_same(self, watched, gateway, clock, now):
        clock.move_to(now - timedelta(hours=1))

        for place in range(1, 7):
            clock.shift(10)
            gateway.post([item(watched, now + 10 * place * SECOND, spo2=84)])

        assert LOW in told()

    def test_and_with_monitors_that_were_set_back_too(self, watched, gateway, clock, now):
        clock.move_to(now - timedelta(hours=1))

        sends(gateway, watched, clock, *[84] * 3)

        assert told() == [LOW]

    def test_an_open_alert_goes_on_though_an_ended_one_was_raised_by_a_clock_that_was_ahead(self, ada, gateway, clock, now):
        unscored(ada)
        sends(gateway, ada, clock, 88, 97)
        Alert.objects.update(raised_at=now + MINUTE)
        sends(gateway, ada, clock, 48)

        sends(gateway, ada, clock, 47)

        assert (open_alert(ada).worst_value, Alert.objects.count()) == (47, 2)
