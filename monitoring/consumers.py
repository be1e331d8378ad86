"""The sockets: who may watch, and nothing else; what they see is the feed's."""

from __future__ import annotations

import json

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.utils import timezone

from accounts import audit, visits
from accounts.visits import Pass
from monitoring import feeds, guard
from monitoring.board import Face

NOT_SIGNED_IN = 4401
NOT_FOUND = 4404
CHANGED = 1012


class WardBoard(AsyncWebsocketConsumer):
    """/ws/wards/{slug}/: the ward board in HTML; first everything, then what changed.

    A person sees names, a kiosk and a board whose person is gone see none. The face may change while the socket is open.
    """

    entry: Pass | None = None
    gone = False

    async def connect(self) -> None:
        await self.accept()  # a refusal during the handshake cannot carry a code that a browser may read
        await self.reconsider()

    async def reconsider(self) -> None:
        """Come in by what one may be now; who may be nothing any more is sent away with the reason."""
        before, self.entry = self.entry, None
        try:
            entry = await database_sync_to_async(self._ask)(before)
        except visits.NotSignedIn:
            await self._go(before, NOT_SIGNED_IN)
        except visits.NotYours:
            await self._go(before, NOT_FOUND)
        else:
            await self._change(before, entry)

    async def show(self, text: str) -> None:
        await self.send(text)

    async def disconnect(self, code: int) -> None:
        self.gone = True
        await self._leave(self.entry)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """A board only listens; what a client says is not read."""

    def _ask(self, before: Pass | None) -> Pass:
        now, slug = timezone.now(), self.scope["url_route"]["kwargs"]["slug"]
        try:
            entry = visits.by_socket(slug, scope=self.scope, now=now, before=before)
        except visits.NotYours as refusal:
            audit.refused(by=refusal.who, at=now, about=f"socket {self.scope['path']}", detail={"code": NOT_FOUND})
            raise
        audit.saw(by=entry.actor, at=now, ward=entry.ward, page="board")
        return entry

    async def _change(self, before: Pass | None, entry: Pass) -> None:
        await self._leave(before)
        if self.gone:  # while the pass was looked up
            return
        if before and before.is_named and entry.is_named:  # in another role: its page shows what may be done, so it loads anew
            await self.send(json.dumps({"reload": True}))
            await self.close(CHANGED)
            return
        self.entry = entry
        await self.send(json.dumps({"face": _face(entry)}))
        feeds.join(entry.ward.pk, _face(entry), self)
        guard.watch(self)

    async def _go(self, before: Pass | None, code: int) -> None:
        await self._leave(before)
        await self.close(code)

    async def _leave(self, entry: Pass | None) -> None:
        self.entry = None
        guard.forget(self)
        if entry:
            await feeds.leave(entry.ward.pk, _face(entry), self)


class NoSuchSocket(AsyncWebsocketConsumer):
    """Any other path: accepted, then closed with the code that says so."""

    async def connect(self) -> None:
        await self.accept()
        await self.close(NOT_FOUND)


def _face(entry: Pass) -> Face:
    return Face.NAMED if entry.is_named else Face.KIOSK
