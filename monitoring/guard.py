"""Sockets obey: every few seconds each one's pass is looked at again, all of a process together.

Who signed out, lost a role or a key, or was not there for a while, watches no further with what let him in; the socket asks
anew, and goes on as what it still may be: a wall without names, a stream of fewer wards, or nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from typing import Protocol
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async
from django.utils import timezone

from accounts import hearings, visits
from accounts.hearings import Hearing
from accounts.visits import Pass

log = logging.getLogger(__name__)

EVERY = 3.0  # seconds


class Guarded(Protocol):
    @property
    def entry(self) -> Pass | Hearing | None: ...

    async def reconsider(self) -> None:
        """The pass no longer stands: ask for another, or go."""


class Guard:
    """The guarded sockets of one event loop, and the task that looks at their passes."""

    def __init__(self) -> None:
        self.sockets: set[Guarded] = set()
        self.task: asyncio.Task[None] = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while self.sockets:
            await asyncio.sleep(EVERY)
            try:
                await self.look()
            except Exception:  # whatever the driver raises: without a database no board says anything new, and each says so
                log.exception("the passes of %s sockets could not be looked at", len(self.sockets))

    async def look(self) -> None:
        passes = {socket.entry for socket in self.sockets if socket.entry}
        fallen = await database_sync_to_async(_fallen)(passes)
        for socket in [each for each in self.sockets if each.entry in fallen]:
            try:
                await socket.reconsider()
            except Exception:  # whatever a dying socket raises: the others are looked at all the same
                log.exception("a socket whose pass fell could not be told")


def _fallen(passes: Collection[Pass | Hearing]) -> set[Pass | Hearing]:
    now = timezone.now()
    boards = [each for each in passes if isinstance(each, Pass)]
    streams = [each for each in passes if isinstance(each, Hearing)]
    return {*visits.fallen(boards, now=now), *(hearings.fallen(streams, now=now) if streams else ())}


_guards: WeakKeyDictionary[asyncio.AbstractEventLoop, Guard] = WeakKeyDictionary()


def watch(socket: Guarded) -> None:
    loop = asyncio.get_running_loop()
    guard = _guards.get(loop)
    if guard is None or guard.task.done():
        guard = _guards[loop] = Guard()
    guard.sockets.add(socket)


def forget(socket: Guarded) -> None:
    """The last socket ends the guard; one that the guard itself sends away leaves it to end by itself."""
    guard = _guards.get(asyncio.get_running_loop())
    if guard is None:
        return
    guard.sockets.discard(socket)
    if not guard.sockets and asyncio.current_task() is not guard.task:
        del _guards[asyncio.get_running_loop()]
        guard.task.cancel()
