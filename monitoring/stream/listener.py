"""One who hears: what he missed, the present state, then what happens, with nothing lost or doubled where they meet."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping

from monitoring.stream import cursors, feed, reading, telling, turns
from monitoring.stream.choice import EVERYTHING, Choice
from monitoring.stream.cursors import Position
from monitoring.stream.outbox import Outbox
from monitoring.stream.telling import Readings, Told

log = logging.getLogger(__name__)

MOST_MISSED = 1_000  # alert events that are replayed; a ward that does not fit is read from the list
PIECE = 100  # of them that wait at a time for who reads slowly
CATCH_UP = "/api/v1/alerts?state=all"


Drop = Callable[[int], Awaitable[None]]


class Listener:
    """Where one socket is in each ward, and how it gets from there to what happens now.

    While it catches up, it reads for itself, and what the feed tells is not for it. It is live when it has come as far as the
    feed in every ward: from then on it takes from the feed what lies behind its own position, and nothing else.
    """

    def __init__(self, outbox: Outbox, wards: Mapping[int, str], *, drop: Drop) -> None:
        """`wards` are those that one may hear, id → slug."""
        self.wards = dict(wards)
        self.choice: Choice = EVERYTHING
        self.positions: dict[int, Position] = {}
        self.has_begun = False
        self.is_live = False
        self._drop = drop
        self._outbox = outbox
        self._unshown: set[int] = set()  # wards whose present state is owed
        self._task: asyncio.Task[None] | None = None
        self._feed = feed.join(self)
        self._greet()

    def hear(self, told: Told) -> None:
        if self.is_live and told.ward in self.wards and told.position > self.positions[told.ward]:
            self._tell(told)

    def hear_readings(self, readings: Readings) -> None:
        if not self.is_live or readings.ward not in self.wards:
            return
        whole = self.choice.is_everything or readings.ward in self.choice.wards
        for frame in readings.frames if whole else readings.of(self.choice.patients):
            self._outbox.put(frame)

    def say(self, frame: str) -> None:
        self._outbox.put(frame)

    def begin(self, after: Mapping[int, Position], *, show: Collection[int]) -> None:
        """Tell what lies behind `after`, the present state of the wards to `show`, and then what happens.

        A ward without a position begins now.
        """
        self._stop()
        self.has_begun = True
        self.positions = dict(after)  # at once: whatever interrupts the catching up goes on from there
        self._unshown |= set(show)
        self._task = asyncio.create_task(self._catch_up())

    def choose(self, choice: Choice) -> None:
        self.choice = choice
        self._greet()
        if self.has_begun:
            self.begin(self.positions, show=self.wards)

    def may_hear(self, wards: Mapping[int, str]) -> None:
        """Others than until now: what was lost is told no more, what is new begins with its present state."""
        new = wards.keys() - self.wards.keys()
        self.wards = dict(wards)
        self.choice = self.choice.within(wards)
        self._unshown &= wards.keys()
        self._greet()
        if self.has_begun:
            self.begin(self.positions, show=new)

    async def drop(self, code: int, /) -> None:
        await self._drop(code)

    async def end(self) -> None:
        self._stop()
        await feed.leave(self)
        self._outbox.end()

    def _greet(self) -> None:
        told = {"wards": sorted(self.wards.values()), "subscribed": self.choice.as_told()}
        self.say(telling.envelope("connect", data=told))

    def _stop(self) -> None:
        self.is_live = False
        if self._task:
            self._task.cancel()

    def _tell(self, told: Told) -> None:
        self.positions[told.ward] = told.position
        if self.choice.wants(told.ward, told.patient):
            self.say(told.frame(self._cursor()))

    async def _catch_up(self) -> None:
        try:
            await self._replay()
            await self._feed.follow(self.wards)
            await self._show()
            while not self._is_level():
                await self._feed.follow(self.wards)
                await self._replay()
                await self._show()
            self.is_live = True
        except Exception:  # whatever the driver raises: it connects anew, and resumes
            log.exception("a listener could not be told what it missed")
            await self.drop(feed.TRY_AGAIN)

    def _cursor(self) -> str:
        return cursors.written({self.wards[ward]: position for ward, position in self.positions.items()})

    def _is_level(self) -> bool:
        told = self._feed.positions
        return all(ward in told and self.positions[ward] >= told[ward] for ward in self.wards)

    async def _replay(self) -> None:
        missed = await turns.in_turn(reading.missed, dict(self.positions), self.wards, most=MOST_MISSED, choice=self.choice)
        self.positions = missed.positions
        for place, told in enumerate(missed.told):
            if place % PIECE == 0:
                await self._outbox.room()
            self._tell(told)
        # What was not chosen is not told, and behind: nobody asks for it again.
        self.positions = {ward: max(position, missed.last[ward]) for ward, position in self.positions.items()}
        if missed.skipped:
            self._unshown |= missed.skipped
            self._say_gap(missed.skipped)

    def _say_gap(self, wards: Collection[int]) -> None:
        """After what is replayed: who is cut before it is told of it again, and the list that he then reads is newer."""
        slugs = sorted(self.wards[ward] for ward in wards)
        address = CATCH_UP + (f"&ward={slugs[0]}" if len(slugs) == 1 else "")
        told = {"more_than": MOST_MISSED, "wards": slugs, "address": address}
        self.say(telling.envelope("gap", id=self._cursor(), data=told))

    async def _show(self) -> None:
        cursor = self._cursor()
        found = await turns.in_turn(reading.present, set(self._unshown), choice=self.choice)
        for each in found:
            await self._outbox.room()
            for frame in each.frames(cursor):
                self.say(frame)
        self._unshown.clear()
