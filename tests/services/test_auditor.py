"""The auditor names every alert that escalation has lost, and what has no clock gets one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from monitoring.models import Alert, Delivery, EscalationStep
from monitoring.services import escalation, recipients, watching
from tests.services.alerting import MINUTE, raised, take, watch
from tests.services.outbox import endpoint

SECOND = timedelta(seconds=1)


class TestAudit:
    def test_an_alert_with_a_clock_or_a_hand_is_well(self, noor, ada, ben, now):
        raised(ada, now)
        take(raised(ben, now), noor, now)
        raised(ben, now, "info", condition="heart_rate_high")

        assert escalation.audit(now=now + 59 * timedelta(seconds=1)) == []

    def test_one_that_was_lost_is_named(self, ada, ben, now):
        no_clock, overdue = raised(ada, now), raised(ben, now)
        Alert.objects.filter(pk=no_clock.pk).update(next_step_at=None)

        assert escalation.audit(now=now) == [no_clock]
        assert set(escalation.audit(now=now + 61 * timedelta(seconds=1))) == {no_clock, overdue}

    def test_it_reads_by_an_index(self, ada, now):
        alert = raised(ada, now)

        with CaptureQueriesContext(connection) as seen:
            escalation.audit(now=now)
        plan = Alert.objects.open().filter(ward__in=[alert.ward_id]).explain()

        assert len(seen) == 5
        assert "alert_of_ward" in plan or connection.vendor == "mysql"  # where a small table is read whole

    def test_one_whose_steps_always_fail_stays_named(self, noor, ada, now, monkeypatch):
        broken = raised(ada, now)
        monkeypatch.setattr(recipients, "deliveries", lambda *args, **kwargs: 1 / 0)
        monkeypatch.setattr(watching, "close_old_connections", lambda: None)  # the test's own
        tally = watching.Tally()
        named = []
        for second in range(1, 180):
            at = now + second * SECOND
            watching.turn(clock=lambda at=at: at, steps=[escalation.pull_back, escalation.advance], tally=tally)
            named.append(broken in escalation.audit(now=at))

        assert named == [second > 60 for second in range(1, 180)]
        assert tally.failures == 3  # once a minute

    def test_one_whose_steps_reach_nobody_is_named(self, ada, now):
        alert = raised(ada, now)
        assert escalation.audit(now=now) == []

        watch(now)

        assert escalation.audit(now=now) == [alert]

    @pytest.mark.parametrize("state", [Delivery.State.GIVEN_UP, Delivery.State.WITHDRAWN])
    def test_one_of_which_only_a_dead_machine_was_told_is_named(self, north, ada, now, state):
        pager = endpoint(north, "http://127.0.0.1:1/")
        EscalationStep.objects.create(ward=north, after_minutes=0, severity="warning", whom="nobody", webhook=pager)
        alert = raised(ada, now)
        watch(now)
        assert escalation.audit(now=now) == []

        Delivery.objects.update(state=state, next_attempt_at=None)

        assert escalation.audit(now=now) == [alert]


class TestWithoutAClock:
    """As a former release left them."""

    @pytest.fixture
    def alert(self, noor, dora, ada, now):
        return raised(ada, now)

    def test_an_untaken_alert_is_told_at_once(self, alert, now):
        Alert.objects.update(next_step_at=None)

        assert escalation.pull_back(now=now)
        watch(now)

        assert Delivery.objects.filter(alert=alert).exists()
        assert not escalation.pull_back(now=now)

    def test_one_in_a_hand_comes_back_after_the_wards_time(self, alert, noor, now):
        take(alert, noor, now)
        Alert.objects.update(next_step_at=None)
        assert escalation.audit(now=now) == [alert]

        assert escalation.pull_back(now=now)
        watch(now + 29 * MINUTE)
        alert.refresh_from_db()
        assert alert.state == "acknowledged"

        watch(now + 30 * MINUTE)
        alert.refresh_from_db()
        assert alert.state == "raised"

    def test_info_needs_none(self, alert, now):
        Alert.objects.update(severity="info", next_step_at=None)

        assert not escalation.pull_back(now=now)
        assert escalation.audit(now=now) == []
