"""Real sender processes: two at once, and one that is killed between claiming, sending and recording."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest

from monitoring.clinical.escalation import Way
from monitoring.models import AlertEvent, Delivery
from monitoring.services import deliveries, escalation
from tests.live.processes import PATIENCE, database_url, wait_until
from tests.services.alerting import MINUTE, raised
from tests.services.outbox import endpoint, queued, send
from tests.services.receivers import PostOffice, post_office, receiver, silent_server

pytestmark = pytest.mark.django_db(transaction=True)

SENDER = """
import django
django.setup()
from datetime import UTC, datetime
from monitoring.services import deliveries, escalation
now = datetime.fromisoformat({now!r})
while escalation.advance(now=now) or deliveries.send_due(now=now):
    pass
"""


@contextlib.contextmanager
def sender(now, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that sends everything that is due then, and ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", SENDER.format(now=now.isoformat())],
        env=os.environ | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "medql.settings"} | environment,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(PATIENCE)


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait(PATIENCE)


@pytest.fixture
def hook():
    with receiver() as seen:
        yield seen


def test_killed_after_sending_and_before_recording_it_arrives_again_under_the_same_id(north, ada, hook, now):
    row = queued(raised(ada, now), now, Way.WEBHOOK, endpoint_id=endpoint(north, hook.url).pk)
    hook.hold()
    with sender(now) as first:
        assert hook.arrived.wait(PATIENCE)
        kill(first)
    hook.release()

    assert send(now + timedelta(seconds=59)) == 0  # the claim still holds
    later = now + deliveries.CLAIM

    with sender(later) as second:
        assert second.wait(PATIENCE) == 0

    row.refresh_from_db()
    assert (row.state, row.attempts) == ("sent", 2)
    assert hook.ids() == [str(row.pk)] * 2


def test_killed_after_claiming_and_before_sending_it_arrives(dora, ada, settings, now):
    row = queued(raised(ada, now), now, Way.EMAIL, user=dora)
    with silent_server() as nobody, sender(now, EMAIL_URL=f"smtp://127.0.0.1:{nobody}") as first:
        wait_until(lambda: Delivery.objects.filter(pk=row.pk, attempts=1, state="waiting").exists(), "it is claimed")
        kill(first)

    with post_office() as office:
        with sender(now + deliveries.CLAIM, EMAIL_URL=f"smtp://127.0.0.1:{office.port}") as second:
            assert second.wait(PATIENCE) == 0
        row.refresh_from_db()

    assert row.state == "sent"
    assert _letters_about(office, row) == 1


def test_killed_anywhere_in_the_escalation_no_step_is_lost_or_doubled(noor, dora, ada, now):
    alerts = [raised(ada, now, condition=f"condition_{n}") for n in range(60)]
    escalated = AlertEvent.objects.filter(what="escalated")
    for enough in (5, 25, 60):
        with sender(now + 5 * MINUTE) as process:
            wait_until(lambda enough=enough: escalated.count() >= enough, "some steps are taken")
            kill(process)

    with sender(now + 5 * MINUTE) as last:
        assert last.wait(PATIENCE) == 0

    assert {tuple(alert.events.order_by("pk").values_list("what", flat=True)) for alert in alerts} == {("escalated",) * 2}
    rows = Delivery.objects.order_by("pk")
    assert {tuple(rows.filter(alert=alert).values_list("user__login", flat=True)) for alert in alerts} == {("noor", "dora")}
    assert escalation.audit(now=now + 5 * MINUTE) == []


def test_two_processes_send_each_message_once_per_attempt(north, noor, dora, ada, hook, now):
    machines = [endpoint(north, f"{hook.url}/{number}") for number in range(10)]
    alerts = [raised(ada, now, condition=f"condition_{number}") for number in range(3)]
    rows = [queued(alert, now, Way.WEBHOOK, endpoint_id=machine.pk) for machine in machines for alert in alerts]

    with sender(now) as one, sender(now) as other:
        assert (one.wait(PATIENCE), other.wait(PATIENCE)) == (0, 0)

    assert sorted(hook.deliveries()) == sorted(row.pk for row in rows)
    assert set(Delivery.objects.filter(channel="webhook").values_list("state", "attempts")) == {("sent", 1)}
    assert Delivery.objects.filter(channel="in_app", user=noor).count() == 3  # the first step of each alert, once


def _letters_about(office: PostOffice, row: Delivery) -> int:
    return sum(1 for letter in office.letters if letter["Message-ID"].strip().startswith(f"<{row.pk}."))
