"""A call for help: one at a time, critical, followed up as any other alert."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitoring.models import Alert, Delivery
from monitoring.services import admissions, alerts, calls, escalation
from tests.audit.trail import trail
from tests.world import events_of, open_alert


def test_it_is_a_critical_alert_of_the_ward(ada, noor, north, now):
    call = calls.for_help(ada, by=noor, at=now)

    alert = open_alert(ada)
    assert call == (alert, True)
    assert (alert.kind, alert.severity, alert.ward, alert.message) == ("help", "critical", north, "Emergency Help Request")
    assert (alert.state, alert.raised_at, alert.admission) == ("raised", now, ada.admissions.get())
    assert [(event.what, event.by) for event in alert.events.all()] == [("raised", noor)]
    assert trail("what", "patient", "about") == [("called_for_help", "P-ADA", f"alert:{alert.pk}")]


def test_pressed_again_while_it_calls_it_is_counted(ada, noor, now):
    calls.for_help(ada, by=noor, at=now)

    call = calls.for_help(ada, by=noor, at=now + timedelta(seconds=1))

    alert = open_alert(ada)
    assert call == (alert, False)
    assert (alert.count, alert.version, alert.raised_at) == (2, 1, now)
    assert events_of(ada) == ["raised"]


def test_pressed_again_once_somebody_has_it_it_calls_anew(ada, noor, now):
    calls.for_help(ada, by=noor, at=now)
    alerts.acknowledge(open_alert(ada), by=noor, at=now + timedelta(minutes=1))

    calls.for_help(ada, by=noor, at=now + timedelta(minutes=2))

    alert = open_alert(ada)
    assert (alert.state, alert.count, alert.next_step_at) == ("raised", 2, now + timedelta(minutes=2))
    assert events_of(ada) == ["raised", "acknowledged", "reraised"]


@pytest.mark.parametrize(("minutes", "events"), [(1, ["raised", "silenced", "reraised"]), (3, ["raised", "silenced"])])
def test_pressed_again_while_it_is_silenced_it_sounds(ada, noor, now, minutes, events):
    calls.for_help(ada, by=noor, at=now)
    alerts.silence(open_alert(ada), minutes=2, by=noor, at=now)

    calls.for_help(ada, by=noor, at=now + timedelta(minutes=minutes))

    assert events_of(ada) == events
    assert (open_alert(ada).silenced_until is None) == (minutes == 1)


def test_a_resolved_call_is_followed_by_another(ada, noor, now):
    calls.for_help(ada, by=noor, at=now)
    alerts.resolve(open_alert(ada), by=noor, at=now)

    assert calls.for_help(ada, by=noor, at=now + timedelta(seconds=1)).is_new
    assert Alert.objects.filter(patient=ada).count() == 2


def test_readings_and_the_watcher_leave_it_alone(ada, gateway, noor, now):
    calls.for_help(ada, by=noor, at=now)
    gateway.post([{"patient_id": "P-ADA", "timestamp": now.isoformat(), "spo2": 97, "heart_rate": 70}])
    alerts.look(ada.admissions.get(), now=now + timedelta(minutes=9))

    assert Alert.objects.open().get(kind="help").state == "raised"


def test_it_escalates(ada, noor, dora, now):
    calls.for_help(ada, by=noor, at=now)

    while escalation.advance(now=now + timedelta(minutes=6)):
        pass

    assert {row.user for row in Delivery.objects.all()} == {noor, dora}


def test_it_moves_with_the_patient_and_ends_with_his_stay(ada, noor, south, now):
    calls.for_help(ada, by=noor, at=now)
    admissions.transfer(ada.admissions.get(), bed=south.beds.get(position=2), by=noor, at=now)
    assert open_alert(ada).ward == south

    admissions.discharge(ada.admissions.get(), by=noor, at=now)
    assert not Alert.objects.open().exists()


def test_who_lies_nowhere_calls_nobody(ada, noor, now):
    admissions.discharge(ada.admissions.get(), by=noor, at=now)

    with pytest.raises(admissions.NotAdmitted):
        calls.for_help(ada, by=noor, at=now)
