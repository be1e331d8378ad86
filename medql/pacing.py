"""Answers that leave while they are written: no faster than the connection takes them, and cut off where they break or stand.

Daphne keeps in memory whatever the network does not take yet. And where an application fails in the midst of its answer, it
begins a second one, fails over that itself, and leaves the connection open: the client waits for the rest for ever.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from daphne.http_protocol import WebRequest

from monitoring.stream.outbox import Flow

log = logging.getLogger(__name__)

Send = Callable[[Any], Awaitable[None]]

PATIENCE = 120.0  # seconds in which a connection that is full has to take what waits


class Paced:
    """Stands around the ASGI application that answers HTTP."""

    def __init__(self, inner: Callable[..., Awaitable[None]]) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        answer = _Answer(send, scope["path"])
        try:
            await self.inner(scope, receive, answer.send)
        except Exception:
            if not answer.is_open:
                raise
            log.exception("the answer to %s broke off", scope["path"])
        finally:
            if answer.is_open:
                answer.cut()


class _Answer:
    """One answer, from its first line to its end. `is_open`: it has begun, and has not come to its end."""

    def __init__(self, send: Send, path: str) -> None:
        self._send = send
        self._path = path
        self._request = send.args[0] if isinstance(send, partial) and send.args else None
        self._flow: Flow | None = None
        self.is_open = False

    async def send(self, message: dict[str, Any]) -> None:
        is_last = message["type"] == "http.response.body" and not message.get("more_body")
        if is_last:
            self._let_go()
        self.is_open = not is_last
        await self._send(message)
        if message.get("more_body"):
            await self._room()

    def cut(self) -> None:
        """Without the end that tells a client that this was all, and at once: who does not read would never let it close."""
        self._let_go()
        if isinstance(self._request, WebRequest) and self._request.channel:
            self._request.channel.transport.abortConnection()

    async def _room(self) -> None:
        """Wait until the connection takes more; one that is gone takes everything, and one that stays full is gone."""
        if self._flow is None:
            self._flow = Flow()
            if isinstance(self._request, WebRequest) and self._request.channel:
                self._request.registerProducer(self._flow, True)
        try:
            await asyncio.wait_for(self._flow.is_open.wait(), PATIENCE)
        except TimeoutError:
            log.warning("the answer to %s was cut off: it was not taken for %g s", self._path, PATIENCE)
            self._flow.is_open.set()
            self.cut()

    def _let_go(self) -> None:
        if isinstance(self._request, WebRequest) and self._request.channel and self._request.producer:
            self._request.unregisterProducer()
