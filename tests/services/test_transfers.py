"""A patient is moved: who has to take his alerts then."""

from __future__ import annotations

from django.utils import timezone

from monitoring.services import admissions, alerts
from tests.world import events_of, item, open_alert


def test_after_a_transfer_somebody_of_the_new_ward_has_to_take_them(ada, gateway, south, noor, now):
    gateway.post([item(ada, now, spo2=84)])
    alerts.acknowledge(open_alert(ada), by=noor, at=now)
    later = timezone.now()

    admissions.transfer(ada.admissions.get(), bed=south.beds.get(position=2), by=noor, at=later)

    alert = open_alert(ada)
    assert (alert.state, alert.acknowledged_by, alert.escalation_step, alert.next_step_at) == ("raised", None, 0, later)
    assert events_of(ada) == ["raised", "acknowledged", "moved", "untaken"]
    assert alert.events.latest("pk").note == "moved to South"


def test_a_transfer_within_the_ward_leaves_them_in_the_hand(ada, gateway, north, noor, now):
    gateway.post([item(ada, now, spo2=84)])
    alerts.acknowledge(open_alert(ada), by=noor, at=now)

    admissions.transfer(ada.admissions.get(), bed=north.beds.get(position=4), by=noor, at=timezone.now())

    assert open_alert(ada).acknowledged_by == noor
