"""Where the stream reads the database: in threads of its own, a few at a time.

What Channels runs without more ado goes one after the other through a single thread, where the boards are drawn: a hundred
clients that come back together would keep every board waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async

AT_ONCE = 2  # clients that are read for

P = ParamSpec("P")
T = TypeVar("T")

_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


async def at_once(deed: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """For everybody who hears."""
    result: T = await database_sync_to_async(deed, thread_sensitive=False)(*args, **kwargs)
    return result


async def in_turn(deed: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """For one client."""
    turn = _turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE))
    async with turn:
        return await at_once(deed, *args, **kwargs)
