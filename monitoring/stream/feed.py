"""One feed for each process: reads what happened once, however many hear it, and hands it to all.

As for the boards (monitoring/feeds.py) the database is the truth: a message only hurries, the wards' change numbers find what
a lost one should have told.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Collection, Mapping
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from channels.layers import get_channel_layer

from monitoring.realtime import Vitals, group_of, vitals_in
from monitoring.stream import reading, turns
from monitoring.stream.cursors import Position
from monitoring.stream.telling import Readings, Told

log = logging.getLogger(__name__)

BEAT = 2.0  # seconds between two looks at the change numbers: a lost message costs no more than that and a look
PAUSE = 0.1  # seconds between two looks: what happens together is read together
AT_ONCE = 1_000  # alert events of one look
MOST_VITALS = 5_000  # of a ward in one look; of more it is said how many
TRY_AGAIN = 1013


class Hearer(Protocol):
    @property
    def wards(self) -> Collection[int]:
        """Of which wards it wants to be told."""

    def hear(self, told: Told) -> None: ...

    def hear_readings(self, readings: Readings) -> None: ...

    def drop(self, code: int, /) -> Awaitable[None]:
        """Send it away, so that it connects anew."""


class Feed:
    """The hearers of this process, the last event told of each of their wards, and the task that serves them."""

    def __init__(self) -> None:
        self.hearers: set[Hearer] = set()
        self.positions: dict[int, Position] = {}
        self._numbers: dict[int, int] = {}
        self._changed: set[int] = set()
        self._vitals: dict[int, tuple[list[Any], int]] = {}
        self._wake = asyncio.Event()
        self._channel: str | None = None
        self._subscribed: set[int] = set()  # wards of which the channel is told
        self.task = asyncio.create_task(self._serve())

    async def follow(self, wards: Collection[int]) -> None:
        """From now on whatever happens in these wards is told."""
        new = set(wards) - self.positions.keys()
        if not new:
            return
        await self._subscribe(new)
        positions = await turns.at_once(reading.newest, new)
        for ward, position in positions.items():
            self.positions.setdefault(ward, position)

    async def leave(self, hearer: Hearer) -> None:
        self.hearers.discard(hearer)
        for ward in self.positions.keys() - self._wanted():
            if ward not in self._wanted():  # while one ward is let go, somebody may come to the next
                await self._let_go(ward)

    async def _let_go(self, ward: int) -> None:
        self.positions.pop(ward, None)
        if self._channel:
            await _unsubscribe(self._channel, ward)
        self._subscribed.discard(ward)
        if ward in self._wanted():  # he came meanwhile, and what he asked for was just taken back
            await self._subscribe({ward})

    def _wanted(self) -> set[int]:
        return {ward for hearer in self.hearers for ward in hearer.wards}

    async def _serve(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen())
                tasks.create_task(self._compare())
                tasks.create_task(self._mend())
                tasks.create_task(self._tell())
        finally:
            # However it ended: whoever still hears connects anew and resumes, instead of a stream that stands still.
            for hearer in self.hearers.copy():
                await hearer.drop(TRY_AGAIN)

    async def _listen(self) -> None:
        layer = get_channel_layer()
        while True:
            try:
                channel = await layer.new_channel()
                self._channel, self._subscribed = channel, set()
                await self._subscribe(self.positions)
                self._changed.update(self.positions)  # what was told before
                while True:
                    self._note(await layer.receive(channel))
            except Exception:  # whatever the layer's driver raises: log it, subscribe anew
                log.exception("the channel layer of the event stream failed")
                await asyncio.sleep(BEAT)
            finally:
                for ward in self.positions.keys() | self._subscribed if self._channel else ():
                    await _unsubscribe(self._channel or "", ward)
                self._channel = None

    async def _subscribe(self, wards: Collection[int]) -> None:
        """A layer that fails or hangs costs the time until the next beat: the numbers are compared, and it is asked again."""
        channel, subscribed = self._channel, self._subscribed
        if not channel:
            return

        async def subscribe(ward: int) -> None:
            async with asyncio.timeout(BEAT):
                await get_channel_layer().group_add(group_of(ward), channel)
            subscribed.add(ward)

        asked = sorted(wards)
        answers = await asyncio.gather(*map(subscribe, asked), return_exceptions=True)
        for ward, answer in zip(asked, answers, strict=True):
            if isinstance(answer, Exception):  # whatever the layer's driver raises
                log.error("the event stream does not hear of ward %s at once", ward, exc_info=answer)

    async def _mend(self) -> None:
        """Subscribe to what could not be: vitals come by message alone."""
        while True:
            await asyncio.sleep(BEAT)
            await self._subscribe(self.positions.keys() - self._subscribed)

    def _note(self, message: Mapping[str, Any]) -> None:
        ward = int(message["ward"])
        self._changed.add(ward)
        vitals, untold = vitals_in(message)
        if vitals:
            known, more = self._vitals.get(ward, ([], 0))
            both = [*known, *vitals]
            self._vitals[ward] = both[:MOST_VITALS], more + untold + len(both[MOST_VITALS:])
        self._wake.set()

    async def _compare(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            try:
                numbers = await turns.at_once(reading.numbers, set(self.positions))
            except Exception:  # whatever the driver raises: asked again at the next beat
                log.exception("the event stream could not look at its wards")
                continue
            self._changed |= {ward for ward, number in numbers.items() if self._numbers.get(ward) != number}
            self._numbers = numbers
            if self._changed:
                self._wake.set()

    async def _tell(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            changed, self._changed = self._changed, set()
            vitals, self._vitals = self._vitals, {}
            try:
                told, readings = await turns.at_once(_look, dict(self.positions), changed, vitals)
            except Exception:  # whatever the driver raises: the events are read again, the vitals are in the database
                log.exception("the event stream could not be read")
                self._changed |= changed
            else:
                await self._hand_on(told, readings)
                if len(told) == AT_ONCE:
                    self._changed.update(self.positions)
                    self._wake.set()
            await asyncio.sleep(PAUSE)

    async def _hand_on(self, told: list[Told], readings: list[Readings]) -> None:
        """One after the other, each at once to everybody who is live by then; between them the loop has others to serve."""
        for event in told:
            if event.ward in self.positions:
                self.positions[event.ward] = event.position
            for hearer in list(self.hearers):
                hearer.hear(event)
            await asyncio.sleep(0)
        for each in readings:
            for hearer in list(self.hearers):
                hearer.hear_readings(each)
            await asyncio.sleep(0)


async def _unsubscribe(channel: str, ward: int) -> None:
    """A layer that fails or hangs here must not swallow the end of the feed."""
    try:
        async with asyncio.timeout(BEAT):
            await get_channel_layer().group_discard(group_of(ward), channel)
    except Exception:  # whatever the layer's driver raises
        log.warning("ward %s: the channel layer kept a dead subscription", ward, exc_info=True)


def _look(
    positions: Mapping[int, Position], changed: Collection[int], named: Mapping[int, tuple[Vitals, int]]
) -> tuple[list[Told], list[Readings]]:
    told = reading.after({ward: positions[ward] for ward in changed if ward in positions}, most=AT_ONCE)
    if any(event.has_come for event in told):
        # The ward that it left may not have spoken yet. Whoever hears both must not be told last that the alert is gone.
        told = reading.after(positions, most=AT_ONCE)
    return told, reading.readings(named) if named else []


_feeds: WeakKeyDictionary[asyncio.AbstractEventLoop, Feed] = WeakKeyDictionary()


def join(hearer: Hearer) -> Feed:
    """The feed of this process, which begins with its first hearer."""
    feed = _feeds.get(asyncio.get_running_loop())
    if feed is None or feed.task.done():
        feed = _feeds[asyncio.get_running_loop()] = Feed()
    feed.hearers.add(hearer)
    return feed


async def leave(hearer: Hearer) -> None:
    """The last hearer ends the feed."""
    feed = _feeds.get(asyncio.get_running_loop())
    if feed is None or hearer not in feed.hearers:
        return
    await feed.leave(hearer)
    if not feed.hearers:
        _feeds.pop(asyncio.get_running_loop(), None)
        feed.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await feed.task


def hearers() -> int:
    """How many streams this process serves."""
    return sum(len(feed.hearers) for feed in list(_feeds.values()))
