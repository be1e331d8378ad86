"""A patient is moved: who has to take his alerts then."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from django.utils import timezone

from monitoring.services import admissions, alerts
from tests.world import events_of, item, open_alert


def test_after_a_transfer_somebody_of_the_new_ward_has_to_take_them(ada, gateway, south, noor, now):
    gateway.post([item(ada, now, spo2=84)])
    alerts.acknowledge(open_alert(ada), by=noor, at=now)
    later = timezone.now()

    with time_machine.travel(later, tick=False):
        admissions.transfer(ada.admissions.get(), bed=south.beds.get(position=2), by=noor, at=later)

    alert = open_alert(ada)
    assert (alert.state, alert.acknowledged_by, alert.escalation_step, alert.next_step_at) == ("raised", None, 0, later)
    assert events_of(ada) == ["raised", "acknowledged", "left", "moved", "untaken"]
    assert alert.events.latest("pk").note == "moved to South"


def test_a_transfer_dated_back_moves_her_then_and_her_alerts_now(ada, gateway, south, noor, now):
    gateway.post([item(ada, now, spo2=84)])
    alert, asked = open_alert(ada), timezone.now()

    placement = admissions.transfer(ada.admissions.get(), bed=south.beds.get(position=2), by=noor, at=now - timedelta(hours=2))

    alert.refresh_from_db()
    assert placement.started_at == now - timedelta(hours=2)
    assert (alert.ward, alert.escalation_step) == (south, 0)
    assert alert.next_step_at >= asked
    told = list(alert.events.order_by("pk").values_list("what", "at"))
    assert [what for what, _ in told] == ["raised", "left", "moved"]
    assert min(at for what, at in told if what != "raised") >= asked


def test_the_ward_that_is_left_is_told_by_its_own_number(ada, gateway, south, north, now):
    gateway.post([item(ada, now, spo2=84)])

    admissions.transfer(ada.admissions.get(), bed=south.beds.get(position=2), by=None, at=timezone.now())

    left, moved = open_alert(ada).events.filter(what__in=["left", "moved"]).order_by("pk")
    assert (left.ward, moved.ward) == (north, south)
    assert left.number > open_alert(ada).events.get(what="raised").number


def test_a_transfer_within_the_ward_leaves_them_in_the_hand(ada, gateway, north, noor, now):
    gateway.post([item(ada, now, spo2=84)])
    alerts.acknowledge(open_alert(ada), by=noor, at=now)

    admissions.transfer(ada.admissions.get(), bed=north.beds.get(position=4), by=noor, at=timezone.now())

    assert open_alert(ada).acknowledged_by == noor
