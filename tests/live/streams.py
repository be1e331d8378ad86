"""The event stream without a network: a client that keeps what it was told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.utils import timezone

from accounts import tokens
from accounts.models import User
from medql.asgi import application

PATIENCE = 60.0
ALERTS = ("ALERT_NEW", "ALERT_UPDATED", "ALERT_ACK", "ALERT_ESCALATED", "ALERT_RESOLVED")

Frame = dict[str, Any]


class Stream:
    """A program's socket."""

    def __init__(self, query: str = "", **headers: str) -> None:
        told = {"host": "localhost"} | headers
        pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in told.items()]
        self.socket = WebsocketCommunicator(application, f"/ws?{query}", headers=pairs)
        self.last = ""  # the id to resume from

    async def __aenter__(self) -> Stream:
        accepted, _ = await self.socket.connect(timeout=PATIENCE)
        assert accepted
        return self

    async def __aexit__(self, *problem: object) -> None:
        await self.socket.disconnect(timeout=PATIENCE)

    async def next(self, *types: str, within: float = PATIENCE) -> Frame:
        """The next frame, of one of these types if told."""
        async with asyncio.timeout(within):
            while True:
                frame: Frame = json.loads(await self.socket.receive_from(timeout=within))
                self.last = frame["id"] or self.last
                if not types or frame["type"] in types:
                    return frame

    async def alert(self) -> tuple[str, str]:
        """Type of the next alert event, and what happened."""
        frame = await self.next(*ALERTS)
        return frame["type"], frame["data"]["event"]["what"]

    async def say(self, **frame: Any) -> None:
        await self.socket.send_to(text_data=json.dumps(frame))

    async def begin(self) -> Frame:
        """Begin with the present state, here that of one ward."""
        await self.say(type="resume")
        return await self.next("present")

    async def answer(self, text: str | bytes) -> tuple[str, str]:
        """Type of the answer to this frame, and the code of an error."""
        await (self.socket.send_to(text_data=text) if isinstance(text, str) else self.socket.send_to(bytes_data=text))
        frame = await self.next("error", "pong", "connect")
        return frame["type"], frame["data"].get("code", "")

    async def silent(self, seconds: float = 0.5) -> bool:
        return bool(await self.socket.receive_nothing(timeout=seconds))

    async def closed_with(self) -> int:
        while True:
            message = await self.socket.receive_output(timeout=PATIENCE)
            if message["type"] == "websocket.close":
                code: int = message["code"]
                return code


def access_token(user: User) -> str:
    return tokens.sign_in(user, at=timezone.now()).access_token


async def heard_by(user: User, query: str = "") -> Stream:
    """A socket with a token of this person."""
    token = await database_sync_to_async(access_token)(user)
    return Stream(query, authorization=f"Bearer {token}")


def data(frame: Mapping[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(frame["data"][name] for name in names)
