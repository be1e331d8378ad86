"""One feed for each ward and face that this process shows: draws what changed once, however many viewers, and hands it to all.

The database is the truth. A message only hurries; the ward's change number, compared every BEAT seconds, finds what a lost
message should have told. A pulse follows each comparison that worked: a board without pulses knows that it is blind.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Collection
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.db.models import Subquery
from django.utils import timezone

from accounts.models import Ward
from monitoring import board
from monitoring.board import Face
from monitoring.models import WatcherBeat
from monitoring.realtime import group_of

log = logging.getLogger(__name__)

BEAT = 2.0  # seconds between two looks at the change number: a lost message costs no more than that and a redraw
PAUSE = 0.25  # seconds between two redraws: forty beds that change together are drawn together


TRY_AGAIN = 1013


class Viewer(Protocol):
    async def show(self, text: str) -> None: ...

    async def close(self, code: int) -> None: ...


class Feed:
    """The viewers of one ward with one face in this process, and the task that serves them."""

    def __init__(self, ward_id: int, face: Face) -> None:
        self.ward_id = ward_id
        self.face = face
        self.viewers: set[Viewer] = set()
        self.newcomers: set[Viewer] = set()
        self.changed: set[int] = set()
        self.everything = False
        self.undrawn_since: float | None = None
        self.wake = asyncio.Event()
        self.drawn: dict[str, str] = {}
        self.numbers = _Numbers()
        self.task = asyncio.create_task(self._serve())

    def join(self, viewer: Viewer) -> None:
        """The viewer gets the whole board first, then what changes."""
        self.newcomers.add(viewer)
        self.wake.set()

    def leave(self, viewer: Viewer) -> None:
        self.viewers.discard(viewer)
        self.newcomers.discard(viewer)

    @property
    def is_deserted(self) -> bool:
        return not self.viewers and not self.newcomers

    async def _serve(self) -> None:
        try:
            await self._work()
        finally:
            # However it ended: whoever still watches connects anew and gets another feed, instead of a board that stands still.
            for viewer in self.viewers | self.newcomers:
                await self._drop(viewer)

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._compare())
            tasks.create_task(self._redraw())

    async def _listen(self) -> None:
        """Hear which beds changed. When the channel layer fails the change number still tells, a little later."""
        layer = get_channel_layer()
        while True:
            try:
                channel = await layer.new_channel()
                await layer.group_add(group_of(self.ward_id), channel)
                try:
                    while True:
                        self._hear(await layer.receive(channel))
                finally:
                    await self._unsubscribe(channel)
            except Exception:  # whatever the layer's driver raises: log it, subscribe anew
                log.exception("ward %s: the channel layer failed", self.ward_id)
                await asyncio.sleep(BEAT)

    async def _unsubscribe(self, channel: str) -> None:
        """A layer that fails or hangs here must not swallow the end of the feed: who leaves would wait for ever."""
        try:
            async with asyncio.timeout(BEAT):
                await get_channel_layer().group_discard(group_of(self.ward_id), channel)
        except Exception:  # whatever the layer's driver raises
            log.warning("ward %s: the channel layer kept a dead subscription", self.ward_id, exc_info=True)

    def _hear(self, message: dict[str, Any]) -> None:
        self.numbers.hear(message["number"])
        self.changed.update(message["beds"])
        self.undrawn_since = self.undrawn_since or time.monotonic()
        self.wake.set()

    async def _compare(self) -> None:
        """Look whether a message was lost, and give the pulse that says: this board is true."""
        while True:
            await asyncio.sleep(BEAT)
            try:
                number, watched = await database_sync_to_async(_number_and_beat)(self.ward_id)
            except Exception:  # whatever the driver raises: no pulse, so that every board says that it is blind
                log.exception("ward %s: the database did not answer", self.ward_id)
                self.everything = True
                continue
            if self.numbers.missing(number):
                self.everything = True
            if self.everything:
                self.wake.set()
            elif not self._is_behind():
                await self._tell(self.viewers, _pulse(watched=watched))

    def _is_behind(self) -> bool:
        """Something that was heard has waited too long to be drawn: the board is not true any more."""
        return self.undrawn_since is not None and time.monotonic() - self.undrawn_since > 2 * BEAT

    async def _redraw(self) -> None:
        while True:
            await self.wake.wait()
            self.wake.clear()
            newcomers, changed, everything = self.newcomers.copy(), self.changed.copy(), self.everything
            self.changed.clear()
            self.everything = False
            try:
                await self._draw(newcomers, None if everything or newcomers else changed)
                self.undrawn_since = time.monotonic() if self.changed else None
            except Exception:  # whatever the driver or a template raises: the next beat draws everything
                log.exception("ward %s could not be drawn", self.ward_id)
                self.everything = True
            await asyncio.sleep(PAUSE)

    async def _draw(self, newcomers: set[Viewer], beds: Collection[int] | None) -> None:
        number, fragments = await database_sync_to_async(board.draw)(self.ward_id, beds, now=timezone.now(), face=self.face)
        if beds is None:
            self.numbers.start(number)
        different = {name: html for name, html in fragments.items() if self.drawn.get(name) != html}
        self.drawn.update(fragments)
        if different:
            await self._tell(self.viewers, board.partials(different))
        if newcomers:
            await self._tell(newcomers, board.partials(fragments))
            await self._tell(newcomers, _pulse())  # the page itself said who watches
            self.viewers |= newcomers & self.newcomers  # who left meanwhile is in neither
            self.newcomers -= newcomers

    async def _tell(self, viewers: Collection[Viewer], text: str) -> None:
        for viewer in list(viewers):
            try:
                await viewer.show(text)
            except Exception:  # whatever a dying socket raises: it must not keep the others from seeing
                log.exception("ward %s: a viewer was lost", self.ward_id)
                await self._drop(viewer)

    async def _drop(self, viewer: Viewer) -> None:
        """Send a viewer away, so that it connects anew."""
        self.leave(viewer)
        try:
            await viewer.close(TRY_AGAIN)
        except Exception:  # it is gone already
            log.debug("ward %s: a viewer could not be told", self.ward_id, exc_info=True)


class _Numbers:
    """Which change numbers of the ward this feed knows of: it was told, or drew the whole ward after them."""

    def __init__(self) -> None:
        self.known = 0
        self.ahead: set[int] = set()

    def start(self, number: int) -> None:
        self.known = number
        self.ahead = {heard for heard in self.ahead if heard > number}

    def hear(self, number: int) -> None:
        self.ahead.add(number)

    def missing(self, number: int) -> bool:
        while self.known + 1 in self.ahead:
            self.known += 1
        self.ahead = {heard for heard in self.ahead if heard > self.known}
        return self.known < number


_feeds: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[int, Face], Feed]] = WeakKeyDictionary()


def join(ward_id: int, face: Face, viewer: Viewer) -> None:
    feeds = _feeds.setdefault(asyncio.get_running_loop(), {})
    feed = feeds.get((ward_id, face))
    if feed is None or feed.task.done():
        feed = feeds[ward_id, face] = Feed(ward_id, face)
    feed.join(viewer)


async def leave(ward_id: int, face: Face, viewer: Viewer) -> None:
    """The last viewer ends the feed."""
    feeds = _feeds.get(asyncio.get_running_loop(), {})
    feed = feeds.get((ward_id, face))
    if feed is None:
        return
    feed.leave(viewer)
    if feed.is_deserted:
        del feeds[ward_id, face]
        feed.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await feed.task


def viewers() -> int:
    """How many sockets this process serves."""
    return sum(len(feed.viewers | feed.newcomers) for feeds in list(_feeds.values()) for feed in list(feeds.values()))


def _number_and_beat(ward_id: int) -> tuple[int, float | None]:
    """The ward's change number, and how many seconds ago a watcher beat: without one a board lacks what only a watcher sees."""
    beat = Subquery(WatcherBeat.objects.ages()[:1])
    number, age = Ward.objects.annotate(beat=beat).values_list("change_number", "beat").get(pk=ward_id)
    return number, None if age is None else age.total_seconds()


def _pulse(**facts: Any) -> str:
    return json.dumps({"pulse": round(time.time(), 3)} | facts)
