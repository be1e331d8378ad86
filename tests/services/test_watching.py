"""The steps that a watcher takes: each in its own boundary, and a beat that says which of them fail."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from monitoring.models import WatcherBeat
from monitoring.services import escalation, watching
from monitoring.services.watching import Tally, turn
from tests.services.alerting import raised, take

pytestmark = pytest.mark.django_db


class Work:
    """A heap of work: each call does one piece, and notes when."""

    def __init__(self, pieces: int, name: str = "work") -> None:
        self.left, self.calls, self.__name__ = pieces, 0, name

    def __call__(self, *, now):
        self.calls += 1
        self.left -= 1
        return self.left >= 0


def test_a_turn_ends_when_no_step_finds_work(now):
    one, other = Work(3), Work(0)

    turn(clock=lambda: now, steps=[one, other])

    assert (one.left, one.calls, other.calls) == (-1, 4, 4)


def test_what_one_step_leaves_to_another_is_done_in_the_same_turn(now):
    inbox, done = ["letter"], []

    def send(*, now):
        done.extend(inbox[1:])
        del inbox[1:]
        return bool(done) and done.pop() == "answer" and done.append("sent") is None

    def answer(*, now):
        return len(inbox) == 1 and not done and inbox.append("answer") is None

    turn(clock=lambda: now, steps=[send, answer])

    assert done == ["sent"]


def test_endless_work_does_not_hold_a_turn_for_ever(now):
    endless = Work(10**9)

    tally = turn(clock=lambda: now, steps=[endless])

    assert endless.calls == watching.ROUNDS
    assert (tally.turns, tally.ended) == (1, watching.ROUNDS)


def test_each_step_is_told_the_time_anew(now):
    told = []

    def note(*, now):
        told.append(now)
        return len(told) < 3

    hours = iter(now + timedelta(hours=number) for number in range(3))
    turn(clock=lambda: next(hours), steps=[note])

    assert told == [now, now + timedelta(hours=1), now + timedelta(hours=2)]


def test_a_failing_step_is_counted_and_does_not_stop_the_others(now):
    def broken(*, now):
        raise ZeroDivisionError

    before, after = Work(2), Work(2)

    tally = turn(clock=lambda: now, steps=[before, broken, after])

    assert (before.left, after.left) == (-1, -1)
    assert (tally.failures, tally.failing, tally.turns) == (1, {"test_watching.broken"}, 1)


def test_a_step_that_keeps_failing_is_told_once_and_once_more_when_it_works(now, caplog):
    faults = [OSError("gone")] * 3

    def shaky(*, now):
        if faults:
            raise faults.pop()
        return False

    tally = Tally()
    for _ in range(4):
        turn(clock=lambda: now, steps=[shaky], tally=tally)

    told = [(record.levelno, record.getMessage()) for record in caplog.records]
    assert told == [
        (logging.ERROR, "the step test_watching.shaky failed; the others go on"),
        (logging.WARNING, "the step test_watching.shaky works again"),
    ]
    assert (tally.failures, tally.failing) == (3, set())


def test_a_beat_adds_up_what_the_lanes_did(now):
    watching.beat("icu-1:7", started_at=now, tallies=[Tally(turns=3, failures=1), Tally(turns=4, failing={"a.send"})])

    written = WatcherBeat.objects.aged().get()
    assert (written.name, written.turns, written.failures, written.failing) == ("icu-1:7", 7, 1, "a.send")
    assert timedelta(0) <= written.age < timedelta(minutes=1)


def test_a_watcher_whose_step_fails_is_not_taken_for_one_that_watches(now):
    watching.beat("one:1", started_at=now, tallies=[Tally(failing={"alerts.confirm"})])
    assert not WatcherBeat.objects.ages().exists()

    watching.beat("two:1", started_at=now, tallies=[Tally()])
    assert WatcherBeat.objects.ages().count() == 1


def test_a_beat_from_before_the_clock_was_set_back_says_nothing(now):
    watching.beat("dead:1", started_at=now, tallies=[])
    WatcherBeat.objects.update(beat_at=F("beat_at") + timedelta(hours=1))

    assert not WatcherBeat.objects.aged().exists()


def test_watchers_gone_for_a_day_are_forgotten(now):
    for name, age in (("old:1", timedelta(days=2)), ("young:1", timedelta(hours=2))):
        WatcherBeat.objects.create(name=name, started_at=now - age, beat_at=now - age)

    turn(clock=lambda: now)

    assert [beat.name for beat in WatcherBeat.objects.all()] == ["young:1"]
    assert not watching.tidy(now=now)


def test_a_turn_that_finds_no_work_writes_nothing(noor, ada, now):
    """On SQLite a write that finds nothing keeps every device waiting all the same."""
    take(raised(ada, now), noor, now)
    raised(ada, now, condition="heart_rate_high")
    escalation.advance(now=now)

    with CaptureQueriesContext(connection) as seen:
        watching.turn(clock=lambda: now)

    assert len(seen) > 5
    assert [query["sql"] for query in seen if not query["sql"].startswith(("SELECT", "SAVEPOINT", "RELEASE"))] == []
