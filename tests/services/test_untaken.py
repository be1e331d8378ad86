"""A critical alert that comes and goes and that nobody takes reaches the doctor all the same."""

from __future__ import annotations

import pytest
from django.utils import timezone

from monitoring.models import Alert, AlertEvent, Delivery, EscalationStep
from monitoring.services import alerts
from tests.services.alerting import MINUTE
from tests.services.alerting import watch as escalate
from tests.services.continuous import SECOND, watch
from tests.world import item, unscored


def pass_time(clock, seconds):
    for _ in range(seconds // 10):
        clock.shift(10)
        watch(timezone.now())
        escalate(timezone.now())


def when_told(user, now):
    """Minutes until the first message."""
    return (Delivery.objects.filter(user=user).earliest("created_at").created_at - now) / MINUTE


@pytest.mark.parametrize("every", [90, 120, 150])
def test_a_cuff_that_goes_up_and_down(noor, dora, ada, gateway, clock, now, every):
    unscored(ada)

    for place in range(8):
        gateway.post([item(ada, timezone.now(), sensor_id="cuff", systolic_bp=70 if place % 2 == 0 else 120)])
        pass_time(clock, every)

    assert AlertEvent.objects.filter(what="reraised").count() == 3
    assert when_told(dora, now) == pytest.approx(5, abs=0.2)  # the shipped plan's time


def test_a_monitor_that_dips_again_and_again(noor, dora, ada, north, gateway, clock, now):
    EscalationStep.objects.create(ward=north, after_minutes=0, severity="warning", whom="nurses", in_app=True)
    EscalationStep.objects.create(ward=north, after_minutes=15, severity="warning", whom="doctors", in_app=True)
    unscored(ada)

    for second in range(0, 20 * 60, 10):
        gateway.post([item(ada, timezone.now(), spo2=84 if second % 480 < 80 else 97)])
        pass_time(clock, 10)

    assert AlertEvent.objects.filter(what="reraised").exists()
    assert when_told(dora, now) == pytest.approx(15, abs=0.5)


def test_what_was_in_a_hand_begins_anew_when_it_comes_back(noor, dora, ada, gateway, clock, now):
    unscored(ada)
    gateway.post([item(ada, now, sensor_id="cuff", systolic_bp=70)])
    pass_time(clock, 240)
    alerts.acknowledge(Alert.objects.get(), by=noor, at=timezone.now())
    gateway.post([item(ada, timezone.now(), sensor_id="cuff", systolic_bp=120)])
    pass_time(clock, 120)

    gateway.post([item(ada, timezone.now(), sensor_id="cuff", systolic_bp=70)])

    alert = Alert.objects.get()
    assert (alert.state, alert.escalation_step) == ("raised", 0)
    assert alert.next_step_at == timezone.now()


def test_what_got_worse_begins_anew(noor, ada, gateway, clock, now):
    unscored(ada)
    gateway.post([item(ada, now, sensor_id="cuff", systolic_bp=85)])
    pass_time(clock, 240)

    gateway.post([item(ada, timezone.now(), sensor_id="cuff", systolic_bp=70)])

    alert = Alert.objects.get()
    assert (alert.severity, alert.escalation_step) == ("critical", 0)
    assert timezone.now() - alert.next_step_at < SECOND
