"""The socket of the event stream: who may hear, and what he says; what he is told is the listener's and the feed's."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Collection
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.core.exceptions import TooManyFieldsSent
from django.db import DatabaseError
from django.http import QueryDict
from django.utils import timezone

from accounts import audit, hearings
from accounts.hearings import Hearing
from accounts.models import Ward
from accounts.visits import NotSignedIn, NotYours
from monitoring import guard
from monitoring.models import Patient
from monitoring.stream import asking, cursors, feed, reading, telling, turns
from monitoring.stream.asking import Asked, Pace, Ping, Resume, Subscribe, Unsubscribe, Wrong
from monitoring.stream.cursors import Position
from monitoring.stream.listener import CATCH_UP, Listener
from monitoring.stream.outbox import Outbox

NOT_SIGNED_IN = 4401
NOT_FOUND = 4404
RESTART = 1012
TOO_BUSY = 1013

WAIT = 1.0  # seconds for a first `resume`; whoever says nothing begins with the present state
FAREWELL = 0.2  # seconds in which the last frame leaves
MOST_HEARERS = 500  # of one process
MOST_OF_ONE = 50  # of them, of one person or program
PAGE = "stream"
LONGEST = 200  # letters of what is said of others
KNOWN = ("after", "ticket", "token")  # parameters of the address
NOT_REPLAYED = "Of these wards nothing can be replayed. What you may hear begins with its present state: read on from the list."

log = logging.getLogger(__name__)
_open_of: Counter[tuple[str, int]] = Counter()  # sockets of this process, by who hears


class EventStream(AsyncWebsocketConsumer):
    """/ws: events in JSON, for programs. See docs/api.md."""

    entry: Hearing | None = None
    listener: Listener | None = None
    _unasked: asyncio.Task[None] | None = None  # begins for who has not asked to

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._pace = Pace()
        try:
            await super().__call__(scope, receive, send)
        except asyncio.CancelledError:  # the process ends, as soon as nobody keeps it
            await self.close(RESTART)
            await asyncio.sleep(FAREWELL)
            raise
        finally:
            await self._leave()

    async def connect(self) -> None:
        await self.accept()  # a refusal during the handshake cannot carry a code that a client may read
        try:
            entry, wards = await turns.in_turn(self._ask)
        except NotSignedIn:
            await self.close(NOT_SIGNED_IN)
        except NotYours:
            await self.close(NOT_FOUND)
        except DatabaseError:
            log.exception("nobody could be let in to the event stream")
            await self.close(TOO_BUSY)
        else:
            await self._come_in(entry, wards)

    async def reconsider(self) -> None:
        """The guard says that this hearing is over, or is another by now."""
        listener, before = self.listener, self.entry
        if listener is None or before is None:
            return
        try:
            entry, wards = await turns.in_turn(self._ask, before)
        except NotSignedIn:
            await self.drop(NOT_SIGNED_IN)
        except NotYours:
            await self.drop(NOT_FOUND)
        else:
            if self.listener is listener:  # it has not gone meanwhile
                self.entry = entry
                listener.may_hear(wards)

    async def drop(self, code: int) -> None:
        await self.close(code)
        self._spawn(self._leave())

    async def disconnect(self, code: int) -> None:
        await self._leave()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        listener = self.listener
        if listener is None:
            return
        if not self._pace.takes():
            await self._slow_down(listener)
            return
        try:
            await self._answer(asking.read(text_data), listener)
        except Wrong as wrong:
            listener.say(telling.error(wrong.code, wrong.detail))
        except DatabaseError:
            log.exception("a client of the event stream got no answer")
            await self.drop(TOO_BUSY)

    def _ask(self, before: Hearing | None = None) -> tuple[Hearing, dict[int, str]]:
        """Who comes in, or may stay, and the wards that he may hear."""
        now = timezone.now()
        try:
            entry = hearings.again(before, now=now) if before else hearings.by_socket(self.scope, now=now)
        except NotYours as refusal:
            audit.refused(by=refusal.who, at=now, about=f"socket {self.scope['path']}", detail={"code": NOT_FOUND})
            raise
        for ward in entry.wards:
            audit.saw(by=entry.who, at=now, ward=ward, page=PAGE)
        return entry, dict(Ward.objects.filter(pk__in=entry.wards).values_list("pk", "slug"))

    async def _come_in(self, entry: Hearing, wards: dict[int, str]) -> None:
        if feed.hearers() >= MOST_HEARERS or _open_of[_name(entry)] >= MOST_OF_ONE:
            await self.close(TOO_BUSY)
            return
        self.entry = entry
        _open_of[_name(entry)] += 1
        outbox = Outbox(self.base_send, overflow=lambda: self._spawn(self.drop(TOO_BUSY)))
        self.listener = Listener(outbox, wards, drop=self.drop)
        guard.watch(self)
        if unknown := sorted(_query(self.scope).keys() - set(KNOWN)):
            self.listener.say(telling.error("unknown_field", f"There is no such parameter: {', '.join(unknown)[:LONGEST]}"))
        if after := _query(self.scope).get("after", ""):
            await self._resume(after, self.listener)
        else:
            self._unasked = self._spawn(self._begin_unasked(self.listener))

    async def _begin_unasked(self, listener: Listener) -> None:
        await asyncio.sleep(WAIT)
        if not listener.has_begun:
            listener.begin({}, show=listener.wards)

    async def _answer(self, asked: Asked, listener: Listener) -> None:
        match asked:
            case Ping():
                listener.say(telling.envelope("pong", data={}))
            case Resume(after):
                await self._resume(after, listener)
            case Subscribe(wards, patients):
                there = await self._named(wards, patients, listener)
                choice = listener.choice.with_more(*there)
                if choice.is_too_large:
                    raise Wrong("too_many", "These are too many wards and patients for one socket.")
                listener.choose(choice)
            case Unsubscribe(wards, patients):
                there = await self._named(wards, patients, listener)
                listener.choose(listener.choice.without(*there, of=listener.wards))

    async def _resume(self, after: str | None, listener: Listener) -> None:
        """Of wards that are lost, nothing is told but that; the others go on from where he was."""
        if self._unasked:  # else it would begin while the database is asked, and tell what the replay then tells again
            self._unasked.cancel()
        said: dict[str, Position] = {}
        try:
            said = cursors.read(after) if after else {}
            positions = await turns.in_turn(reading.believe, said, listener.wards)
            unheard = said.keys() - set(listener.wards.values())
        except cursors.BadCursor:
            positions, unheard = listener.positions, {*said, *listener.wards.values()}
        if unheard:
            listener.say(telling.error("bad_cursor", NOT_REPLAYED, wards=sorted(unheard), address=CATCH_UP))
        listener.begin(positions, show=listener.wards)

    async def _named(
        self, wards: Collection[str], patients: Collection[str], listener: Listener
    ) -> tuple[dict[int, str], dict[int, str]]:
        """The wards and patients of these names, id → name. Raises Wrong where one is not there, or not for this client."""
        if not wards and not patients:
            raise Wrong("bad_frame", "Name wards, patients or both.")
        there = {pk: slug for pk, slug in listener.wards.items() if slug in set(wards)}
        found = await turns.in_turn(self._patients, patients) if patients else {}
        missing = sorted({*wards, *patients} - {*there.values(), *found.values()})
        if missing:
            raise Wrong("not_found", f"Not there, or not yours: {', '.join(missing)[:200]}. Nothing was changed.")
        return there, found

    def _patients(self, names: Collection[str]) -> dict[int, str]:
        assert self.entry
        who, now = self.entry.who, timezone.now()
        found = dict(Patient.objects.visible_to(who).filter(patient_id__in=set(names)).values_list("pk", "patient_id"))
        for name in found.values():
            audit.saw(by=who, at=now, patient=name, page=PAGE)
        return found

    async def _slow_down(self, listener: Listener) -> None:
        """Of a flood the first frame is answered, and a client that does not stop is closed."""
        if self._pace.beyond == 1:
            listener.say(telling.error("too_many_frames", f"At most {asking.EACH_SECOND:g} frames a second."))
        elif self._pace.beyond > asking.PATIENCE:
            await self.drop(TOO_BUSY)

    async def _leave(self) -> None:
        listener, entry, self.listener, self.entry = self.listener, self.entry, None, None
        if listener is None or entry is None:
            return
        _open_of[_name(entry)] -= 1
        guard.forget(self)
        await listener.end()
        for task in self._tasks - {asyncio.current_task()}:
            task.cancel()

    def _spawn(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _name(entry: Hearing) -> tuple[str, int]:
    return type(entry.who).__name__, entry.who.pk


def _query(scope: dict[str, Any]) -> QueryDict:
    try:
        return QueryDict(scope["query_string"])
    except TooManyFieldsSent:
        return QueryDict()
