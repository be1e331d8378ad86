"""The alert service: what was saved is judged, followed, taken by a person, and ended."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from monitoring.clinical.limits import Severity
from monitoring.models import Alert, AlertEvent, Threshold, Vital
from monitoring.models.threshold import scope_of
from monitoring.services import admissions, alerts
from tests.world import events_of, item, open_alert, series


def test_an_alert_tells_the_whole_story(ada, gateway, now):
    gateway.post(series(ada, now, [{"spo2": 88}, {"spo2": 84}, {"spo2": 80}, {"spo2": 83}]))

    alert = open_alert(ada)
    assert (alert.severity, alert.sign, alert.side, alert.condition) == ("critical", "spo2", "low", "spo2_low")
    assert (alert.vital_value, alert.threshold_breached, alert.message) == (84, 85, "SpO₂ 84 < 85 %")
    assert (alert.worst_value, alert.last_value, alert.count) == (80, 83, 4)
    assert (alert.subject, alert.ward.slug, alert.state) == (f"patient:{ada.pk}", "north", "raised")
    assert alert.measured_at == now
    assert events_of(ada) == ["raised", "risen"]


def test_alert_closes_when_oxygen_recovers(ada, gateway, now):
    gateway.post([item(ada, now, spo2=88)])

    gateway.post([item(ada, now + timedelta(seconds=1), spo2=97)])

    assert not Alert.objects.open().exists()
    assert events_of(ada) == ["raised", "resolved"]


def test_a_batch_may_end_one_alert_and_begin_a_worse_one(ada, gateway, now):
    gateway.post(series(ada, now, [{"spo2": 88}, {"spo2": 97}, {"spo2": 84}]))

    assert Alert.objects.count() == 2
    assert open_alert(ada).severity == "critical"


def test_back_within_the_cooldown_it_is_the_same_alert(ada, gateway, now):
    with time_machine.travel(now) as clock:
        gateway.post([item(ada, spo2=88)])
        clock.shift(60)
        gateway.post([item(ada, spo2=97)])
        clock.shift(299)
        gateway.post([item(ada, spo2=88)])

    assert Alert.objects.count() == 1
    assert events_of(ada) == ["raised", "resolved", "reopened"]


def test_back_after_the_cooldown_it_is_another(ada, gateway, now):
    with time_machine.travel(now) as clock:
        gateway.post([item(ada, spo2=88)])
        clock.shift(60)
        gateway.post([item(ada, spo2=97)])
        clock.shift(300)
        gateway.post([item(ada, spo2=88)])

    assert Alert.objects.count() == 2


def test_a_vital_saved_singly_reaches_the_same_service(ada, now):
    by_hand(ada, now)

    assert open_alert(ada).condition == "spo2_low"


@pytest.mark.django_db(transaction=True)
def test_a_vital_that_cannot_be_judged_is_not_stored(ada, now, monkeypatch):
    def broken(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(alerts, "judge", broken)
    with pytest.raises(ZeroDivisionError):
        by_hand(ada, now)

    assert not Vital.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_shell_needs_no_transaction_of_its_own(ada, now):
    by_hand(ada, now)

    assert open_alert(ada).condition == "spo2_low"


def by_hand(ada, now) -> Vital:
    fields = {"sensor_id": "by-hand", "measured_at": now, "received_at": now, "spo2": 84}
    return Vital.objects.create(patient=ada, admission=ada.admissions.get(), **fields)


def test_saving_it_again_judges_nothing_twice(ada, now):
    vital = by_hand(ada, now)

    vital.save()

    assert open_alert(ada).count == 1


class TestLimitsInForce:
    def set(self, critical_low, **scope):
        Threshold.objects.create(
            sign="spo2",
            critical_low=critical_low,
            scope_key=scope_of(**{f"{name}_id": row.pk for name, row in scope.items()}),
            **scope,
        )

    def severity(self, ada, gateway, spo2):
        gateway.post([item(ada, spo2=spo2)])
        alert = Alert.objects.open().filter(patient=ada, kind="physiological").first()
        return alert and alert.severity

    def test_without_any_the_shipped_ones_hold(self, ada, gateway):
        assert self.severity(ada, gateway, 84) == "critical"

    def test_the_hospitals_replace_the_shipped_ones_sign_by_sign(self, ada, gateway):
        self.set(70)

        assert self.severity(ada, gateway, 84) is None
        gateway.post([item(ada, heart_rate=150)])
        assert Alert.objects.get(kind="physiological").condition == "heart_rate_high"

    def test_the_wards_replace_the_hospitals(self, ada, north, gateway):
        self.set(70)
        self.set(95, ward=north)

        assert self.severity(ada, gateway, 94) == "critical"

    def test_the_patients_replace_the_wards(self, ada, north, gateway):
        self.set(95, ward=north)
        self.set(60, patient=ada)

        assert self.severity(ada, gateway, 80) is None

    def test_another_patients_limits_are_not_his(self, ada, ben, gateway):
        self.set(99, patient=ben)

        assert self.severity(ada, gateway, 97) is None


class TestAcknowledge:
    @pytest.fixture
    def alert(self, ada, gateway, now) -> Alert:
        gateway.post([item(ada, now, spo2=84)])
        return open_alert(ada)

    def test_a_person_takes_it(self, alert, ada, noor, now):
        alerts.acknowledge(alert, by=noor, at=now)

        alert.refresh_from_db()
        assert (alert.state, alert.acknowledged_by, alert.acknowledged_at) == ("acknowledged", noor, now)
        assert events_of(ada) == ["raised", "acknowledged"]
        assert alert.events.last().by == noor

    def test_the_first_hand_stays(self, alert, ada, noor, dora, now):
        alerts.acknowledge(alert, by=noor, at=now)

        alerts.acknowledge(alert, by=dora, at=now + timedelta(seconds=5))

        alert.refresh_from_db()
        assert (alert.acknowledged_by, alert.acknowledged_at) == (noor, now)
        assert events_of(ada) == ["raised", "acknowledged"]

    def test_nobody_takes_what_he_was_not_shown(self, alert, noor, now):
        with pytest.raises(alerts.SeverityRisen):
            alerts.acknowledge(alert, by=noor, at=now, shown=alerts.Shown(Severity.WARNING))

        assert open_alert(alert.patient).state == "raised"

    def test_taking_what_eased_meanwhile_is_no_error(self, alert, ada, gateway, noor, now):
        gateway.post([item(ada, now + timedelta(seconds=1), spo2=88)])

        alerts.acknowledge(alert, by=noor, at=now, shown=alerts.Shown(Severity.CRITICAL))

        assert open_alert(ada).acknowledged_by == noor

    def test_what_was_critical_waits_to_be_taken_and_ends_with_it(self, alert, ada, gateway, noor, now):
        gateway.post([item(ada, now + timedelta(seconds=1), spo2=97)])
        assert open_alert(ada).state == "returned"

        alerts.acknowledge(alert, by=noor, at=now)

        alert.refresh_from_db()
        assert (alert.state, alert.acknowledged_by, alert.resolved_by) == ("resolved", noor, None)
        assert events_of(ada) == ["raised", "returned", "acknowledged", "resolved"]

    def test_taking_what_ended_meanwhile_is_no_error(self, ada, gateway, noor, now):
        gateway.post([item(ada, now, spo2=88)])
        warning = open_alert(ada)
        gateway.post([item(ada, now + timedelta(seconds=1), spo2=97)])

        alerts.acknowledge(warning, by=noor, at=now)

        assert (warning.state, warning.acknowledged_by) == ("resolved", None)

    def test_more_readings_leave_the_hand_where_it_is(self, alert, ada, gateway, noor, now):
        alerts.acknowledge(alert, by=noor, at=now)

        gateway.post([item(ada, now + timedelta(seconds=1), spo2=83)])

        assert open_alert(ada).acknowledged_by == noor

    def test_a_rise_takes_the_hand_off_and_the_history_keeps_it(self, ada, gateway, noor, now):
        gateway.post([item(ada, now, spo2=88)])
        alerts.acknowledge(open_alert(ada), by=noor, at=now)

        gateway.post([item(ada, now + timedelta(seconds=1), spo2=84)])

        assert open_alert(ada).state == "raised"
        assert AlertEvent.objects.get(what="acknowledged").by == noor

    def test_the_version_moves_with_the_state_and_not_with_the_count(self, alert, ada, gateway, noor, now):
        gateway.post([item(ada, now + timedelta(seconds=1), spo2=83)])
        assert open_alert(ada).version == 1

        alerts.acknowledge(alert, by=noor, at=now)
        assert open_alert(ada).version == 2


class TestAMonitorIsTakenOff:
    """Its sensors will not speak again for this patient: what they hold must not stand for ever."""

    @pytest.fixture
    def swapped(self, ada, ben, monitor, noor, now):
        monitor.post([item(ada, now, spo2=84, heart_rate=125)])
        warning = Alert.objects.open().get(condition="heart_rate_high")
        alerts.acknowledge(warning, by=noor, at=now)
        admissions.assign(monitor.device, patient=ben, by=noor, at=now + timedelta(seconds=5))

    def test_what_nobody_has_taken_waits_for_a_hand(self, swapped, ada):
        states = dict(Alert.objects.filter(patient=ada).values_list("condition", "is_open"))

        assert states["heart_rate_high"] is None
        assert Alert.objects.open().get(condition="spo2_low").state == "returned"

    def test_the_history_says_why(self, swapped, ada, noor):
        ended = AlertEvent.objects.get(alert__condition="heart_rate_high", what="resolved")

        assert (ended.by, ended.note) == (noor, "M7 was taken off")
