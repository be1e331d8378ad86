"""An alert that ended only by a reading that was never so: it is open again, in nobody's hand, and everybody learns of it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from accounts.models import Ward
from monitoring.models import Alert, AlertEvent, Delivery, Vital
from monitoring.services import admissions, alerts, corrections
from monitoring.services.ingestion import record
from tests.services.alerting import watch
from tests.world import events_of, item, open_alert, unscored

MINUTE = timedelta(minutes=1)
AGES = pytest.mark.parametrize("age", [5 * MINUTE, 15 * MINUTE, 60 * MINUTE], ids=["5 min", "15 min", "60 min"])


@pytest.fixture
def measured(ada, gateway, now):
    """A saturation of Ada, so many seconds ago, by one spot sensor."""
    unscored(ada)

    def post(value, ago=0):
        at = now - timedelta(seconds=ago)
        gateway.post([item(ada, at, spo2=value, sensor_id="manual")])
        return Vital.objects.get(measured_at=at)

    return post


@pytest.fixture
def ended(measured, ada, noor, now):
    """Her alert, which Noor had taken, ended by this reading."""
    measured(84, ago=20)
    alerts.acknowledge(open_alert(ada), by=noor, at=now)
    wrong = measured(97)
    assert not Alert.objects.open().exists()
    return wrong


def in_error(vital, by, at):
    return corrections.mark_in_error(vital, reason="another patient's", by=by, at=at, version_seen=vital.version)


@AGES
def test_what_somebody_had_taken_stands_again_untaken(ended, ada, dora, now, age):
    in_error(ended, dora, now + age)

    again = Alert.objects.get(patient=ada)
    assert (again.is_open, again.state, again.acknowledged_by, again.message) == (True, "raised", None, "SpO₂ 84 < 85 %")
    assert events_of(ada) == ["raised", "acknowledged", "resolved", "reopened", "corrected"]
    assert again.events.get(what="reopened").by == dora
    assert again.events.get(what="corrected").note == "SpO₂ 97 %: entered in error, says Dora"


@AGES
def test_what_waited_for_a_hand_calls_again(measured, ada, dora, now, age):
    measured(84, ago=20)
    wrong = measured(97)
    assert open_alert(ada).state == "returned"

    in_error(wrong, dora, now + age)

    assert open_alert(ada).state == "raised"
    assert events_of(ada) == ["raised", "returned", "reraised", "corrected"]


@AGES
def test_corrected_to_a_value_beyond(ended, ada, dora, now, age):
    corrections.correct(ended, {"spo2": 79.0}, reason="mistyped", by=dora, at=now + age, version_seen=1)

    alert = Alert.objects.get(patient=ada)
    assert (alert.state, alert.message, alert.worst_value, alert.last_value) == ("raised", "SpO₂ 79 < 85 %", 79, 79)
    assert events_of(ada) == ["raised", "acknowledged", "resolved", "reopened", "corrected"]


@AGES
def test_its_escalation_begins_anew_and_its_ward_is_told(ended, ada, north, dora, now, age):
    before = Ward.objects.get(pk=north.pk).change_number
    assert Alert.objects.get().next_step_at is None

    in_error(ended, dora, now + age)

    alert = open_alert(ada)
    assert alert.next_step_at == now + age
    assert watch(now + age)
    assert Delivery.objects.filter(alert=alert).exists()
    told = alert.events.filter(what__in=["reopened", "corrected"])
    assert all(event.ward == north and event.number > before for event in told)


def test_the_score_s_alert_stands_again_too(ada, gateway, noor, dora, now):
    def post(minutes, **values):
        at = now + minutes * MINUTE
        record([json.dumps(item(ada, at, sensor_id="manual", **values)).encode()], device=gateway.device, received_at=at)
        return Vital.objects.get(measured_at=at)

    post(0, spo2=97, heart_rate=70, systolic_bp=120, body_temp=37, respiratory_rate=26, consciousness="A", on_oxygen=True)
    told = open_alert(ada)
    alerts.acknowledge(told, by=noor, at=now + MINUTE)
    wrong = post(5, respiratory_rate=16)
    post(30, spo2=97)
    assert not Alert.objects.open().exists()

    in_error(wrong, dora, now + 45 * MINUTE)

    again = open_alert(ada)
    assert (again.pk, again.condition, again.state, again.message) == (told.pk, "news2", "raised", told.message)
    assert events_of(ada) == ["raised", "acknowledged", "resolved", "reopened", "corrected"]
    post(180, spo2=97)
    assert open_alert(ada).state == "raised"


def test_a_patient_who_was_moved_since_calls_where_he_lies(ended, ada, south, dora, now):
    admissions.transfer(ada.admissions.get(), bed=south.beds.get(position=2), by=None, at=now + MINUTE)

    in_error(ended, dora, now + 15 * MINUTE)

    assert open_alert(ada).ward == south
    assert AlertEvent.objects.get(what="reopened").ward == south


def test_who_had_ended_it_because_of_the_value_is_named(measured, ada, noor, dora, now):
    measured(84, ago=20)
    wrong = measured(97)
    alerts.resolve(open_alert(ada), by=noor, at=now + MINUTE)

    in_error(wrong, dora, now + 90 * MINUTE)

    again = open_alert(ada)
    assert (again.state, again.resolved_by) == ("raised", None)
    assert "resolved by Noor" in again.events.get(what="reopened").note


def test_what_a_person_had_ended_before_stays_ended(measured, ada, noor, dora, now):
    measured(84, ago=20)
    alerts.resolve(open_alert(ada), by=noor, at=now - timedelta(seconds=5))
    wrong = measured(97)

    in_error(wrong, dora, now + 90 * MINUTE)

    assert not Alert.objects.open().exists()


def test_an_alert_that_stays_ended_says_that_its_end_was_an_error(measured, ada, noor, dora, now):
    measured(84, ago=20)
    alerts.acknowledge(open_alert(ada), by=noor, at=now)
    wrong = measured(97, ago=10)
    measured(96)

    in_error(wrong, dora, now + 15 * MINUTE)

    assert not Alert.objects.open().exists()
    assert events_of(ada) == ["raised", "acknowledged", "resolved", "corrected"]


def test_only_what_was_told_as_bad_is_as_bad_again(measured, ada, noor, dora, now):
    """Noor had taken 84 and it had eased to 88: one of another patient."""
    measured(84, ago=20)
    alerts.acknowledge(open_alert(ada), by=noor, at=now)
    eased = measured(88, ago=10)
    wrong = measured(97)
    in_error(wrong, dora, now + 15 * MINUTE)
    assert open_alert(ada).severity == "warning"

    in_error(eased, dora, now + 16 * MINUTE)

    assert (open_alert(ada).severity, open_alert(ada).state) == ("critical", "raised")


def test_long_after_nothing_is_raised_of_what_nobody_was_told(measured, ada, dora, now):
    corrections.correct(measured(98), {"spo2": 78.0}, reason="", by=dora, at=now + 15 * MINUTE, version_seen=1)

    assert events_of(ada) == ["recorded"]
    assert not Alert.objects.open().exists()


@AGES
@pytest.mark.parametrize("wrong", [{"heart_rate": 0}, {"status": {"heart_rate": "asystole"}}], ids=["number", "word"])
def test_what_a_wrong_word_had_ended_stands_again_as_after_a_wrong_number(ada, gateway, noor, dora, now, age, wrong):
    unscored(ada)
    gateway.post([item(ada, now - timedelta(seconds=20), heart_rate=150, sensor_id="manual")])
    fast = open_alert(ada)
    alerts.acknowledge(fast, by=noor, at=now)
    gateway.post([item(ada, now, sensor_id="manual", **wrong)])
    still = open_alert(ada)

    in_error(Vital.objects.get(measured_at=now), dora, now + age)

    for alert in (fast, still):
        alert.refresh_from_db()
    assert (fast.state, fast.message, still.state) == ("raised", "HR 150 > 140 /min", "returned")
    assert [list(alert.events.values_list("what", flat=True)) for alert in (fast, still)] == [
        ["raised", "acknowledged", "resolved", "reopened", "corrected"],
        ["raised", "returned", "corrected"],
    ]


def test_a_number_that_its_device_strikes_marks_no_alert(measured, ada, gateway, dora, now):
    """It had led to nothing."""
    measured(84, ago=20)
    gateway.post([item(ada, now, spo2=60, sensor_id="manual", status={"spo2": "probe_off"})])
    measured(84, ago=-10)

    in_error(Vital.objects.get(measured_at=now), dora, now + MINUTE)

    assert events_of(ada) == ["raised"]
