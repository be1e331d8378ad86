"""The sockets: who may watch, and nothing else; what they see is the feed's."""

from __future__ import annotations

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from accounts.models import User, Ward
from monitoring import feeds

NOT_SIGNED_IN = 4401
NOT_FOUND = 4404


class WardBoard(AsyncWebsocketConsumer):
    """/ws/wards/{slug}/: the ward board in HTML; first everything, then what changed."""

    ward_id: int | None = None

    async def connect(self) -> None:
        await self.accept()  # a refusal during the handshake cannot carry a code that a browser may read
        user = self.scope["user"]
        if not user.is_authenticated:
            await self.close(NOT_SIGNED_IN)
            return
        self.ward_id = await database_sync_to_async(_visible_ward)(user, self.scope["url_route"]["kwargs"]["slug"])
        if self.ward_id is None:
            await self.close(NOT_FOUND)
            return
        feeds.join(self.ward_id, self)

    async def show(self, text: str) -> None:
        await self.send(text)

    async def disconnect(self, code: int) -> None:
        if self.ward_id is not None:
            await feeds.leave(self.ward_id, self)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """A board only listens; what a client says is not read."""


class NoSuchSocket(AsyncWebsocketConsumer):
    """Any other path: accepted, then closed with the code that says so."""

    async def connect(self) -> None:
        await self.accept()
        await self.close(NOT_FOUND)


def _visible_ward(user: User, slug: str) -> int | None:
    return Ward.objects.visible_to(user).filter(slug=slug).values_list("pk", flat=True).first()
