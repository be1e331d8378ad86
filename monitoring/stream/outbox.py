"""What waits to be sent to one socket: bounded, so that whoever does not read costs neither memory nor anybody else's time.

Channels sends without a word of whether it arrives: daphne keeps in memory what the network does not take. Twisted says so to
a producer that registers with the connection, and that is asked here (docs/adr/0008-event-stream.md).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from daphne.ws_protocol import WebSocketProtocol
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

MOST_FRAMES = 1_000
MOST_LETTERS = 4_000_000

Send = Callable[[Any], Awaitable[None]]


@implementer(IPushProducer)
class Flow:
    """Whether the connection takes more: it says stop when 64 kB wait in it, and go on when they have left."""

    def __init__(self) -> None:
        self.is_open = asyncio.Event()
        self.is_open.set()

    def pauseProducing(self) -> None:
        self.is_open.clear()

    def resumeProducing(self) -> None:
        self.is_open.set()

    def stopProducing(self) -> None:
        self.is_open.set()


def flow_of(send: Send) -> Flow:
    """The flow of the connection behind an ASGI `send` of daphne's; of any other server's one that is always open.

    Daphne leaves the HTTP connection registered, which would stop hearing a client that does not read: ours takes its place.
    """
    flow = Flow()
    protocol = send.args[0] if isinstance(send, partial) and send.args else None
    if isinstance(protocol, WebSocketProtocol) and protocol.transport:
        protocol.unregisterProducer()
        protocol.registerProducer(flow, True)
    return flow


class Outbox:
    """Frames in their order, sent as fast as the connection takes them. Over the bound `overflow` is called, once."""

    def __init__(self, send: Send, *, overflow: Callable[[], object]) -> None:
        self._send = send
        self._flow = flow_of(send)
        self._overflow = overflow
        self._frames: deque[str] = deque()
        self._letters = 0
        self._filled, self._emptied = asyncio.Event(), asyncio.Event()
        self._is_over = False
        self._task = asyncio.create_task(self._run())

    def put(self, frame: str) -> None:
        if self._is_over:
            return
        self._frames.append(frame)
        self._letters += len(frame)
        self._filled.set()
        if len(self._frames) > MOST_FRAMES or self._letters > MOST_LETTERS:
            self._is_over = True
            self._frames.clear()
            self._overflow()

    async def room(self) -> None:
        """Wait until everything that was put has been handed on."""
        while self._frames and not self._is_over:
            self._emptied.clear()
            await self._emptied.wait()

    def end(self) -> None:
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._frames:
                await self._flow.is_open.wait()
                if not self._frames:  # it has overflowed meanwhile
                    break
                frame = self._frames.popleft()
                self._letters -= len(frame)
                await self._send({"type": "websocket.send", "text": frame})
            self._emptied.set()
