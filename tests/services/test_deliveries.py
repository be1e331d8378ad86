"""Deliveries: retried, given up, then escalated; at least once, and never twice an attempt."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection

from monitoring.clinical.escalation import Way
from monitoring.models import Alert, Delivery, EscalationStep
from monitoring.services import deliveries, escalation, outcomes, watching
from tests.ports import free_port
from tests.services.alerting import MINUTE, raised, take, watch
from tests.services.outbox import endpoint, queued, send, send_until_it_ends, to_hook

SECOND = timedelta(seconds=1)


class TestOutcome:
    def test_no_more_than_five_attempts_each_later_than_the_last(self, north, alert, hook, now):
        hook.status = 500
        row = to_hook(alert, north, hook.url, now)
        pauses, at = [], now

        for _ in range(4):
            send(at)
            row.refresh_from_db()
            pauses.append((row.next_attempt_at - at).total_seconds())
            at = row.next_attempt_at
        send(at)

        assert all(5 * 2**n * 0.8 <= pause <= 5 * 2**n * 1.2 + 1 for n, pause in enumerate(pauses))
        row.refresh_from_db()
        assert (row.state, row.next_attempt_at) == ("given_up", None)
        send(at + 60 * MINUTE)
        assert len(hook.posts) == 5

    def test_what_was_given_up_hurries_nobodys_taken_alert(self, north, noor, alert, hook, now):
        hook.status = 500
        row = to_hook(alert, north, hook.url, now)
        later = now + 30 * MINUTE
        Alert.objects.update(acknowledged_at=now, acknowledged_by=noor, next_step_at=later)

        send_until_it_ends(row, now)

        assert Alert.objects.get().next_step_at == later

    def test_after_the_last_step_the_whole_ward_is_told_once(self, north, noor, dora, vera, alert, hook, now):
        EscalationStep.objects.create(ward=north, after_minutes=0, severity="warning", whom="nurses", in_app=True)
        hook.status = 500
        watch(now)
        alert.refresh_from_db()
        rows = [to_hook(alert, north, f"{hook.url}/{number}", now) for number in range(2)]

        for row in rows:
            send_until_it_ends(row, now)

        alert.refresh_from_db()
        assert alert.next_step_at == now + 10 * MINUTE
        notices = Delivery.objects.filter(channel="in_app").order_by("pk")
        assert list(notices.values_list("user__login", "step")) == [("noor", 1), ("dora", 1)]
        assert alert.events.latest("pk").note == "step 1 was given up: told 1 more of the ward"

    def test_where_somebody_took_it_meanwhile_nobody_more_is_told(self, north, noor, dora, alert, hook, now):
        EscalationStep.objects.create(ward=north, after_minutes=0, severity="warning", whom="nurses", in_app=True)
        hook.status = 500
        watch(now)
        alert.refresh_from_db()
        row = to_hook(alert, north, hook.url, now)
        take(alert, noor, now)

        send_until_it_ends(row, now)

        assert not Delivery.objects.filter(user=dora).exists()

    def test_a_dead_endpoint_does_not_stand_before_the_others(self, north, alert, hook, now):
        to_hook(alert, north, f"http://127.0.0.1:{free_port()}/", now)
        well = to_hook(alert, north, hook.url, now)

        assert send(now) == 2

        assert hook.ids() == [str(well.pk)]

    def test_what_waits_is_sent_though_the_clock_was_set_back(self, north, alert, hook, now):
        hook.status = 500
        row = to_hook(alert, north, hook.url, now)
        send(now)
        hook.status = 200

        assert send(now - 60 * MINUTE) == 1

        row.refresh_from_db()
        assert (row.state, row.attempts) == ("sent", 2)

    def test_what_was_given_up_can_be_sent_again(self, north, noor, alert, hook, now):
        hook.status = 500
        row = to_hook(alert, north, hook.url, now)
        send_until_it_ends(row, now)
        hook.status = 200

        assert deliveries.send_again(Delivery.objects.all(), by=noor, now=now) == 1
        send(now)

        row.refresh_from_db()
        assert (row.state, row.attempts) == ("sent", 1)
        assert deliveries.send_again(Delivery.objects.all(), by=noor, now=now) == 0

    def test_a_sender_that_dies_each_time_is_given_up_too(self, north, alert, hook, now):
        row = to_hook(alert, north, hook.url, now)
        Delivery.objects.update(attempts=5)

        send(now)

        row.refresh_from_db()
        assert (row.state, row.last_error) == ("given_up", outcomes.DIED)
        assert hook.posts == []


@pytest.mark.django_db(transaction=True)
def test_two_senders_at_once_send_each_message_once_per_attempt(north, ada, hook, now):
    machines = [endpoint(north, f"{hook.url}/{number}") for number in range(10)]
    alerts = [raised(ada, now, condition=f"condition_{number}") for number in range(3)]
    rows = [queued(alert, now, Way.WEBHOOK, endpoint_id=machine.pk) for machine in machines for alert in alerts]
    together = threading.Barrier(2)
    failures: list[BaseException] = []

    def sender():
        try:
            together.wait(10)
            while deliveries.send_due(now=now):
                continue
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=sender) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert failures == []
    assert sorted(hook.deliveries()) == sorted(row.pk for row in rows)
    assert set(Delivery.objects.values_list("state", "attempts")) == {("sent", 1)}


@pytest.mark.django_db(transaction=True)
def test_a_claim_late_in_a_long_turn_holds_as_long_as_the_first(north, ada, hook, now):
    alert = raised(ada, now)
    for number in range(12):
        to_hook(alert, north, f"{hook.url}/{number}", now)
    hook.holds_at = 12

    def clock():  # each message takes the time that it may take at most
        return now + len(hook.posts) * timedelta(seconds=deliveries.DEADLINE)

    def sender():
        watching.turn(clock=clock, steps=[deliveries.send_due])
        connection.close()

    first = threading.Thread(target=sender)
    first.start()
    assert hook.held.wait(30)
    second = deliveries.send_due(now=clock())
    hook.release()
    first.join(30)

    assert not second
    assert len(hook.ids()) == len(set(hook.ids())) == 12
    last = Delivery.objects.get(pk=hook.ids()[-1])
    assert last.sent_at >= now + 11 * timedelta(seconds=deliveries.DEADLINE)


def test_hurry_is_for_the_step_that_failed_only(noor, dora, alert, now):
    watch(now)

    assert not escalation.hurry(alert.pk, told_with=0, told_at=now, now=now)
    assert escalation.hurry(alert.pk, told_with=1, told_at=now, now=now)
    assert not escalation.hurry(alert.pk, told_with=1, told_at=now, now=now)
