"""A watcher at work: threads that take the steps of services/watching.py about once a second, and one that beats.

The beat has a thread of its own, so that slow work does not delay it; it is written only while the steps move, so that a
watcher that hangs falls silent.
"""

from __future__ import annotations

import atexit
import logging
import os
import socket
import threading
import time
from collections.abc import Sequence

from django.conf import settings
from django.db import connection, connections
from django.utils import timezone

from monitoring.services import watching
from monitoring.services.watching import Step, Tally

log = logging.getLogger(__name__)

PACE = 1.0  # seconds between two turns
LONGEST_PAUSE = 5.0  # seconds between two tries while the database does not answer
BEAT_EVERY = 2.0  # seconds
ENDS_WITHIN = 8.0  # seconds that a step under way is given to finish
STEP_TAKES = 10.0  # seconds: a step that takes longer hangs
SLOW_STEP_TAKES = 60.0


def host() -> str:
    return socket.gethostname()[:100]


class Outage:
    """The database does not answer: told once, however many threads find out.

    `asked`: when a thread asked it, by the steady clock. An answer to an older question than the present state says nothing.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changed_at = time.monotonic()
        self._is_away = False

    def begin(self, error: Exception, *, asked: float) -> None:
        with self._lock:
            if not self._is_away and asked >= self._changed_at:
                self._is_away, self._changed_at = True, time.monotonic()
                log.error("the database does not answer, nobody is watched until it does: %s", error)

    def end(self, *, asked: float) -> None:
        with self._lock:
            if self._is_away and asked >= self._changed_at:
                log.warning("the database answers again after %.0f s", time.monotonic() - self._changed_at)
                self._is_away, self._changed_at = False, time.monotonic()


class Lane:
    """Steps that one thread takes in turn. A step that takes more than `patience` seconds hangs."""

    def __init__(self, steps: Sequence[Step], patience: float) -> None:
        self.steps, self.patience = steps, patience
        self.tally = Tally()
        self._tries = 0
        self._moved: tuple[int, int] = (0, 0)
        self._moved_at = time.monotonic()

    def run(self, ending: threading.Event, outage: Outage) -> None:
        pause = 0.0
        while not ending.wait(pause):
            pause = PACE if self._turn(outage) else min(2 * pause or PACE, LONGEST_PAUSE)

    def stood_still(self, at: float) -> float:
        """Seconds, at this moment of the steady clock, since the last step ended or was tried in vain."""
        moved = (self.tally.ended, self._tries)
        if moved != self._moved:
            self._moved, self._moved_at = moved, at
        return at - self._moved_at

    def _turn(self, outage: Outage) -> bool:
        asked = time.monotonic()
        try:
            connection.ensure_connection()
        except Exception as error:  # whatever the driver raises
            self._tries += 1
            outage.begin(error, asked=asked)
            return False
        outage.end(asked=asked)
        try:
            watching.turn(clock=timezone.now, steps=self.steps, tally=self.tally)
        finally:
            connections.close_all()
        return True


class Watcher:
    """One watcher of this process: `start` it, and `end` it in order."""

    def __init__(self, lanes: Sequence[Lane] | None = None) -> None:
        self.name = f"{host()}:{os.getpid()}"
        self.started_at = timezone.now()
        self.ending = threading.Event()
        slow = [*([step] for step in watching.SLOW_STEPS), watching.HOUSE_STEPS]
        given = lanes or (Lane(watching.STEPS, STEP_TAKES), *(Lane(steps, SLOW_STEP_TAKES) for steps in slow))
        self.lanes = [lane for lane in given if lane.steps]
        self._outage = Outage()
        self._told_still = False
        # Daemons: a step that hangs must not keep its process from ending.
        self._threads = [
            threading.Thread(target=lane.run, args=(self.ending, self._outage), name="watcher", daemon=True)
            for lane in self.lanes
        ] + [threading.Thread(target=self._beat, name="watcher's beat", daemon=True)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self, patience: float = ENDS_WITHIN) -> bool:
        """Begin no step any more, and let those under way finish. False: one did not within `patience` seconds."""
        self.ending.set()
        deadline = time.monotonic() + patience
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def overdue(self) -> float:
        """Seconds beyond its patience that a lane has stood still; zero and less: all of them move."""
        at = time.monotonic()
        return max(lane.stood_still(at) - lane.patience for lane in self.lanes)

    def _beat(self) -> None:
        pause = 0.1  # until the first turn is done, which takes no time
        while not self.ending.wait(pause):
            if self._moves() and all(lane.tally.ended for lane in self.lanes):
                pause = BEAT_EVERY
                self._write()

    def _moves(self) -> bool:
        if self.overdue() <= 0:
            self._told_still = False
            return True
        if not self._told_still:
            self._told_still = True
            log.error("the watcher hangs in %s and beats no more", ", ".join(lane.tally.at or "?" for lane in self.lanes))
        return False

    def _write(self) -> None:
        asked = time.monotonic()
        try:
            watching.beat(self.name, started_at=self.started_at, tallies=[lane.tally for lane in self.lanes])
        except Exception as error:  # whatever the driver raises: the boards see that the beat is missing
            self._outage.begin(error, asked=asked)
        finally:
            connections.close_all()


def embed() -> None:
    """Watch in a thread of this web process, if the settings say so. It ends before the interpreter does."""
    if settings.WATCH:
        watcher = Watcher()
        watcher.start()
        atexit.register(watcher.end, patience=2.0)
