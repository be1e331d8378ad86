"""Watchers at work: in threads, as processes of their own, and killed."""

from __future__ import annotations

import io
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.utils import timezone

from monitoring import watcher
from monitoring.clinical.escalation import Way
from monitoring.management.commands import watch
from monitoring.models import Delivery, WatcherBeat
from monitoring.services import deliveries
from monitoring.services import watching as steps
from monitoring.services.channels import Sending
from monitoring.watcher import Lane, Watcher
from tests.live.processes import PATIENCE, database_url, running, wait_until, watching
from tests.live.roads import road_to
from tests.services.alerting import raised
from tests.services.outbox import queued, to_hook
from tests.services.receivers import post_office, receiver

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _quicker(monkeypatch):
    monkeypatch.setattr(watcher, "PACE", 0.02)
    monkeypatch.setattr(watcher, "BEAT_EVERY", 0.02)


@contextmanager
def at_work(*lanes: Lane) -> Iterator[Watcher]:
    working = Watcher(lanes)
    working.start()
    try:
        yield working
    finally:
        working.end()


def quiet(*, now):
    return False


class Hanging:
    """A step that hangs when it is told to, and goes on when it is let go."""

    __name__ = "hanging"

    def __init__(self) -> None:
        self.may_go, self.entered = threading.Event(), threading.Event()
        self.may_go.set()

    def __call__(self, *, now):
        if not self.may_go.is_set():
            self.entered.set()
        self.may_go.wait()
        return False

    def hang(self) -> None:
        self.may_go.clear()
        assert self.entered.wait(PATIENCE)


def turns() -> int:
    beat = WatcherBeat.objects.first()
    return beat.turns if beat else 0


def old_beat() -> WatcherBeat:
    """Work for the one step that is always there."""
    long_ago = timezone.now() - timedelta(days=2)
    return WatcherBeat.objects.create(name="gone:1", started_at=long_ago, beat_at=long_ago)


def is_forgotten() -> bool:
    return not WatcherBeat.objects.filter(name="gone:1").exists()


class TestInThreads:
    def test_a_watcher_that_hangs_stops_beating_and_beats_again_when_it_goes_on(self):
        step = Hanging()
        with at_work(Lane([step], patience=0.2)) as working:
            wait_until(lambda: turns() > 1, "it beats")

            step.hang()
            wait_until(lambda: working._told_still, "it finds itself hanging")
            wait_until(lambda: working.overdue() > 0.3, "the last beat under way is written")
            beaten = WatcherBeat.objects.get().beat_at
            wait_until(lambda: working.overdue() > 0.8, "time passes: many beats")
            assert WatcherBeat.objects.get().beat_at == beaten

            step.may_go.set()
            wait_until(lambda: WatcherBeat.objects.get().beat_at > beaten, "it beats again")

    def test_slow_steps_delay_neither_the_beat_nor_the_others(self):
        slow = Hanging()
        with at_work(Lane([quiet], patience=10), Lane([slow], patience=60)) as working:
            wait_until(lambda: turns() > 1, "it beats")
            slow.hang()
            before, beaten = working.lanes[0].tally.turns, turns()

            wait_until(lambda: working.lanes[0].tally.turns > before + 20, "the others go on")
            wait_until(lambda: turns() > beaten + 10, "it goes on beating")
            slow.may_go.set()

    def test_a_push_service_that_hangs_holds_up_no_letter_and_no_pager(self, north, noor, ada, settings, monkeypatch, now):
        never = threading.Event()
        monkeypatch.setitem(deliveries.CHANNELS, Way.PUSH, lambda rows: Sending(lambda: never.wait(PATIENCE) and None))
        with post_office() as office, receiver() as pager:
            office.use(settings)
            alert = raised(ada, now)
            hanging = queued(alert, now, Way.PUSH, user=noor)
            others = [queued(alert, now, Way.EMAIL, user=noor), to_hook(alert, north, pager.url, now)]

            with at_work(*Watcher().lanes):
                sent = Delivery.objects.filter(pk__in=[row.pk for row in others], state="sent")
                wait_until(lambda: sent.count() == 2, "the others are sent")
                hanging.refresh_from_db()
                assert (hanging.state, hanging.attempts) == ("waiting", 1)
                never.set()

    def test_a_step_that_fails_is_in_the_beat(self):
        def broken(*, now):
            raise ZeroDivisionError

        with at_work(Lane([broken, quiet], patience=10)):
            beat = wait_until(lambda: WatcherBeat.objects.filter(failures__gt=1).first(), "the failures are told")

        assert beat.failing == "test_watcher.broken"

    def test_it_ends_in_order_and_leaves_no_connection_open(self):
        with at_work(Lane([quiet], patience=10)) as working:
            wait_until(lambda: turns() > 1, "it beats")

            assert working.end()

        assert not any(thread.is_alive() for thread in working._threads)

    def test_while_the_database_is_away_it_waits_tells_once_and_goes_on_after(self, monkeypatch, caplog):
        away = threading.Event()
        connect = type(connections["default"]).connect

        def refused(self):
            if away.is_set() and threading.current_thread().name.startswith("watcher"):
                raise ConnectionError("no database")
            connect(self)

        monkeypatch.setattr(watcher, "LONGEST_PAUSE", 0.05)
        monkeypatch.setattr(type(connections["default"]), "connect", refused)
        with at_work(Lane([quiet], patience=10), Lane([quiet], patience=10)) as working:
            wait_until(lambda: turns() > 1, "it beats")
            away.set()
            wait_until(lambda: all(lane._tries > 5 for lane in working.lanes), "both lanes try in vain")
            beaten = turns()
            away.clear()
            wait_until(lambda: turns() > beaten, "it beats again")

        told = [record.getMessage() for record in caplog.records if record.name == "monitoring.watcher"]
        assert len(told) == 2
        assert "does not answer" in told[0] and "answers again" in told[1]


class TestAsProcess:
    def test_it_beats_and_ends_in_order_when_told_to(self):
        with watching() as process:
            process.send_signal(signal.SIGTERM)

            assert process.wait(PATIENCE) == 0

    def test_killed_and_started_anew_the_work_goes_on(self):
        with watching() as process:
            process.kill()
            process.wait(PATIENCE)
        old_beat()

        with watching():
            wait_until(is_forgotten, "the second one does the work")

    def test_two_at_once_do_no_harm_and_one_goes_on_alone(self):
        with watching() as one, watching() as other:
            assert WatcherBeat.objects.count() == 2
            one.kill()
            old_beat()

            wait_until(is_forgotten, "the other one does the work")
            assert other.poll() is None

    def test_a_web_process_watches_when_it_is_told_to_and_ends_with_it(self):
        with running(MEDQL_WATCH="true") as server:
            wait_until(WatcherBeat.objects.exists, "it beats")
            server.process.terminate()

            assert server.process.wait(PATIENCE) in (0, -signal.SIGTERM)

    def test_a_web_process_that_is_told_not_to_does_not(self):
        with running(MEDQL_WATCH="false") as server, watching() as process:
            wait_until(lambda: turns() > 1, "the watcher has worked a while")

            assert [beat.name.rpartition(":")[2] for beat in WatcherBeat.objects.all()] == [str(process.pid)]
            assert server.process.poll() is None

    @pytest.mark.mysql
    def test_it_survives_a_database_that_goes_away_and_comes_back(self):
        with road_to(connection.settings_dict) as road, watching(DATABASE_URL=database_url(port=road.port)) as process:
            road.close()
            assert any("the database does not answer" in line for line in process.stderr)  # reads as far as this line
            beaten = turns()

            road.open()
            wait_until(lambda: turns() > beaten, "it beats again")
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
            rest = process.stderr.read()

        assert "does not answer" not in rest
        assert "the database answers again" in rest


class TestCommand:
    def test_one_that_hangs_for_good_gives_up(self, monkeypatch):
        step = Hanging()
        step.may_go.clear()
        monkeypatch.setattr(steps, "STEPS", (step,))
        monkeypatch.setattr(watcher, "STEP_TAKES", 0.1)
        monkeypatch.setattr(watch, "GIVES_UP_AFTER", 0.1)
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            with pytest.raises(CommandError, match="A step hangs"):
                call_command("watch", stdout=io.StringIO())
        finally:
            step.may_go.set()
            for number, handler in handlers.items():
                signal.signal(number, handler)

    @pytest.mark.parametrize(
        ("name", "age", "refused"),
        [
            (f"{watcher.host()}:1", 3, ""),
            (f"{watcher.host()}:1", 16, r"has not beaten for \d+ s"),
            ("another:1", 3, "No watcher of this machine"),
        ],
    )
    def test_the_check_asks_for_a_young_beat_of_this_machine(self, now, name, age, refused):
        at = now - timedelta(seconds=age)
        WatcherBeat.objects.create(name=name, started_at=at, beat_at=at)

        if refused:
            with pytest.raises(CommandError, match=refused):
                call_command("watch", "--check")
        else:
            said = io.StringIO()
            call_command("watch", "--check", stdout=said)
            assert f"{name} beat" in said.getvalue()
