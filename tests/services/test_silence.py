"""Somebody who lets us wait: all that waits for him fails with him, others go first, and one bad message takes none with it."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from monitoring.clinical.escalation import Way
from monitoring.models import Alert, Delivery
from monitoring.services import deliveries
from monitoring.services.channels import Failed, Sending, email
from tests.services.alerting import MINUTE, raised, watch
from tests.services.outbox import endpoint, queued, send, to_hook
from tests.services.receivers import silent_server, use_mail_server

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)
SILENCE = "webhook: no answer within 4 s"


class Choking:
    """A receiver that says nothing to these messages, and takes all others."""

    def __init__(self) -> None:
        self.bad: set[int] = set()
        self.taken: list[int] = []

    def prepare(self, rows):
        return Sending(lambda: self.receive([row.pk for row in rows]))

    def receive(self, keys):
        if self.bad & set(keys):
            raise Failed(SILENCE) from TimeoutError()
        self.taken.extend(keys)


@pytest.fixture
def choking(monkeypatch):
    receiver = Choking()
    monkeypatch.setitem(deliveries.CHANNELS, Way.WEBHOOK, receiver.prepare)
    return receiver


@pytest.fixture
def pager(north):
    return endpoint(north, "http://pager.example.org/")


def flood(patient, now, pager, number):
    """As many messages for the pager, each of an alert of its own."""
    alerts = [raised(patient, now, condition=f"condition_{each}_of_{number}") for each in range(number)]
    return [queued(alert, now, Way.WEBHOOK, endpoint_id=pager.pk) for alert in alerts]


def work_off(now):
    """A sender whose every attempt takes 4 s, until all has its outcome; how long that took."""
    at = now
    while waiting := Delivery.objects.exclude(next_attempt_at=None).order_by("next_attempt_at").first():
        at = max(at, waiting.next_attempt_at)
        if deliveries.send_webhooks(now=at):
            at += 4 * SECOND
        assert at - now < timedelta(hours=1)
    return at - now


def test_all_that_waits_for_a_silent_endpoint_fails_with_it_and_others_go_first(north, ada, alert, hook, now, monkeypatch):
    monkeypatch.setattr(deliveries, "DEADLINE", 0.3)
    with silent_server() as port:
        dead = endpoint(north, f"http://127.0.0.1:{port}/")
        for number in range(4):
            queued(raised(ada, now, condition=f"condition_{number}"), now, Way.WEBHOOK, endpoint_id=dead.pk)
        well = to_hook(alert, north, hook.url, now)

        assert send(now) == 2

    assert hook.ids() == [str(well.pk)]
    waiting = Delivery.objects.filter(endpoint=dead)
    assert set(waiting.values_list("state", "attempts", "last_error")) == {("failed", 1, "not done within 0.3 s")}
    assert not waiting.filter(next_attempt_at__lt=now + 4 * SECOND).exists()


def test_a_silent_mail_server_fails_what_is_for_others_too(noor, dora, alert, settings, now, monkeypatch):
    monkeypatch.setattr(email, "PATIENCE", 0.3)
    with silent_server() as port:
        use_mail_server(settings, port)
        for person in (noor, dora):
            queued(alert, now, Way.EMAIL, user=person)

        assert send(now) == 1

    assert list(Delivery.objects.values_list("state", "attempts")) == [("failed", 1)] * 2
    assert Delivery.objects.exclude(last_error__startswith="mail server: no answer").count() == 0


def test_what_another_sender_is_trying_counts_for_itself(ada, pager, choking, now):
    mine, others = flood(ada, now, pager, 2)
    Delivery.objects.filter(pk=others.pk).update(attempts=1, next_attempt_at=now + deliveries.CLAIM, claim=uuid4())
    choking.bad.add(mine.pk)

    send(now)

    assert list(Delivery.objects.order_by("pk").values_list("attempts", "state")) == [(1, "failed"), (1, "waiting")]


def test_a_flood_for_a_silent_endpoint_is_given_up_as_soon_as_one_alone(north, noor, dora, ada, pager, choking, now):
    alerts = [raised(ada, now, condition=f"condition_{number}") for number in range(30)]
    watch(now)  # step 1; the doctors in 5 minutes
    for alert in alerts:
        alert.refresh_from_db()
        choking.bad.add(queued(alert, now, Way.WEBHOOK, endpoint_id=pager.pk).pk)

    assert work_off(now) < 4 * MINUTE

    rows = Delivery.objects.filter(channel="webhook")
    assert set(rows.values_list("state", "attempts", "last_error")) == {("given_up", 5, SILENCE)}
    assert Alert.objects.filter(next_step_at__lt=now + 4 * MINUTE).count() == 30


def test_a_message_on_which_the_receiver_chokes_takes_no_other_with_it(ada, pager, choking, now):
    rows = flood(ada, now, pager, 30)
    bad = rows[7]
    choking.bad.add(bad.pk)

    work_off(now)

    assert sorted(choking.taken) == sorted(row.pk for row in rows if row != bad)
    assert Delivery.objects.filter(state="sent").count() == 29
    bad.refresh_from_db()
    assert (bad.state, bad.attempts, bad.last_error) == ("given_up", 5, SILENCE)


def test_a_silence_takes_no_more_statements_for_many_than_for_a_few(ada, pager, choking, now):
    def statements(number):
        choking.bad = {row.pk for row in flood(ada, now, pager, number)}
        with CaptureQueriesContext(connection) as seen:
            deliveries.send_webhooks(now=now)
        Delivery.objects.update(next_attempt_at=now + MINUTE)
        return len(seen)

    assert statements(60) == statements(200)
