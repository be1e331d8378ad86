"""Our clock is set back under the escalation: nothing waits for the hour."""

from __future__ import annotations

from datetime import timedelta

from monitoring.models import Delivery, EscalationStep
from monitoring.services import escalation
from tests.services.alerting import MINUTE, raised, take, watch

HOUR = 60 * MINUTE
SECOND = timedelta(seconds=1)


def test_a_pending_step_is_taken_at_once_and_audit_names_it_before(noor, dora, ada, now):
    alert = raised(ada, now)
    watch(now)
    back = now - HOUR

    assert escalation.audit(now=back) == [alert]
    assert escalation.pull_back(now=back)
    watch(back)

    assert Delivery.objects.filter(user=dora, alert=alert).exists()
    assert escalation.audit(now=back + SECOND) == []
    assert not escalation.pull_back(now=back + SECOND)


def test_what_is_in_a_hand_stays_there_for_the_wards_time_from_then(noor, ada, now):
    alert = raised(ada, now)
    take(alert, noor, now)
    back = now - HOUR

    assert escalation.audit(now=back) == [alert]
    assert escalation.pull_back(now=back)
    assert watch(back + 29 * MINUTE) == 0
    alert.refresh_from_db()
    assert alert.state == "acknowledged"
    watch(back + 30 * MINUTE)

    alert.refresh_from_db()
    assert alert.state == "raised"


def test_a_plan_with_long_waits_is_left_as_it_is(north, noor, ada, ben, now):
    EscalationStep.objects.create(ward=north, after_minutes=600, severity="warning", whom="nurses", in_app=True)
    EscalationStep.objects.create(ward=north, after_minutes=1400, severity="critical", whom="nurses", in_app=True)
    raised(ada, now), raised(ben, now, "warning")

    assert not escalation.pull_back(now=now)
    watch(now + 600 * MINUTE)

    assert not escalation.pull_back(now=now + 600 * MINUTE)
    assert escalation.audit(now=now + 600 * MINUTE) == []
