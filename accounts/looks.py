"""What was looked at and refused: kept in the process for about a second, then written together, so that no page waits for it.

Bounded, and never lost in silence: what finds no room is written at once, and where that fails too it is told in the log,
counted, and said in the trail as soon as it takes entries again.
"""

from __future__ import annotations

import atexit
import json
import logging
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DataError, IntegrityError, connections, transaction
from django.utils import timezone

from accounts import seals
from accounts.models import AuditEntry, ByKind, Deed, Door

log = logging.getLogger(__name__)

ROOM = 10_000  # entries that wait while the database does not answer
PIECE = 500  # entries in one statement, and what hurries the writer
SAME_LOOK = timedelta(minutes=1)  # the same person, page and patient again: one look
REFUSALS = 20  # of one actor that are written in WINDOW; the others are counted
WINDOW = timedelta(minutes=1)
REMEMBERED = 20_000  # looks that a next one is compared with
Facts = dict[str, Any]  # of an entry, by field
ACTOR = ("by_kind", "user_id", "device_id", "service_id")
LOOK = (*ACTOR, "ward_id", "patient", "about", "address", "door")


@dataclass(slots=True)
class _Flood:
    """The refusals of one actor since `first`."""

    first: Facts
    written: int = 0
    folded: int = 0

    def summary(self, now: datetime) -> Facts:
        own = {name: self.first[name] for name in (*ACTOR, "who", "address", "door") if name in self.first}
        detail = {"folded": self.folded, "since": self.first["at"].isoformat()}
        return {"at": now, "what": Deed.REFUSED, "about": "more of the same minute", "detail": detail} | own


class Buffer:
    """The entries of one process that wait to be written."""

    def __init__(self) -> None:
        self.lost = 0
        self._untold = 0  # of the lost ones: not yet said in the trail
        self._waiting: list[Facts] = []
        self._seen: dict[tuple[Any, ...], datetime] = {}
        self._floods: dict[tuple[Any, ...], _Flood] = {}
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def look(self, facts: Facts) -> None:
        """Somebody saw something; the same again within a minute is no other look."""
        with self._lock:
            key, at = _key(facts, LOOK), facts["at"]
            before = self._seen.get(key)
            if before is not None and timedelta(0) <= at - before < SAME_LOOK:
                return
            self._seen[key] = at
        self._add(facts)

    def refusal(self, facts: Facts) -> None:
        """Somebody was refused; the first of a minute are written, the others counted."""
        with self._lock:
            self._close_floods(facts["at"])
            flood = self._floods.setdefault(_key(facts, ACTOR), _Flood(facts))
            flood.written += 1
            if flood.written > REFUSALS:
                flood.folded += 1
                return
        self._add(facts)

    def flush(self, *, now: datetime | None = None) -> int:
        """Write what waits, in order, and say how many entries that were. What cannot be written waits on; raises why."""
        written = 0
        with self._writing:
            self._tidy(now or timezone.now())
            while piece := self._take():
                try:
                    self._write(piece)
                except BaseException:
                    with self._lock:
                        self._waiting[:0] = piece
                    raise
                written += len(piece)
        return written

    def forget(self) -> None:
        """As if nothing had been seen: for tests, which begin with an empty trail."""
        with self._lock:
            self._waiting, self._seen, self._floods, self.lost, self._untold = [], {}, {}, 0, 0

    def end(self) -> None:
        """The process ends: write what waits, or tell it in the log."""
        with self._lock:
            self._waiting += [flood.summary(timezone.now()) for flood in self._floods.values() if flood.folded]
            self._floods = {}
        try:
            self.flush()
        except Exception:
            log.exception("the last looks could not be written")
        for facts in self._waiting:
            self._lose(facts)

    def _add(self, facts: Facts) -> None:
        with self._lock:
            there_is_room = len(self._waiting) < ROOM
            if there_is_room:
                self._waiting.append(facts)
        if not there_is_room:
            self._write_at_once(facts)
        elif settings.LOOKS_EVERY:
            self._hurry()

    def _hurry(self) -> None:
        if len(self._waiting) >= PIECE:
            self._wake.set()
        if self._thread is None or not self._thread.is_alive():
            with self._lock:
                if self._thread is None or not self._thread.is_alive():  # the first, or of a process that forked
                    self._thread = threading.Thread(target=self._run, name="looks", daemon=True)
                    self._thread.start()

    def _write_at_once(self, facts: Facts) -> None:
        try:
            self._write([facts])
        except Exception:
            log.exception("an audit entry found no room and could not be written at once")
            self._lose(facts)

    def _run(self) -> None:
        fails = False
        while settings.LOOKS_EVERY:
            self._wake.wait(settings.LOOKS_EVERY)
            self._wake.clear()
            try:
                self.flush()
            except Exception:  # whatever the driver raises: what waits is tried again
                if not fails:
                    log.exception("what was looked at cannot be written, and waits")
                fails = True
            else:
                fails = False
            finally:
                connections.close_all()

    def _tidy(self, now: datetime) -> None:
        """Close the floods of the minute before, forget the looks of it, and say what was lost."""
        with self._lock:
            self._close_floods(now)
            self._seen = {key: at for key, at in self._seen.items() if now - at < SAME_LOOK}
            if len(self._seen) > REMEMBERED:
                self._seen = {}
            if self._untold:
                self._waiting.append(_lost(self._untold, now))
                self._untold = 0

    def _close_floods(self, now: datetime) -> None:
        over = [key for key, flood in self._floods.items() if now - flood.first["at"] >= WINDOW]
        closed = [self._floods.pop(key) for key in over]
        self._waiting += [flood.summary(now) for flood in closed if flood.folded]

    def _take(self) -> list[Facts]:
        with self._lock:
            piece, self._waiting = self._waiting[:PIECE], self._waiting[PIECE:]
        return piece

    def _write(self, piece: list[Facts]) -> None:
        try:
            with transaction.atomic():
                AuditEntry.objects.bulk_create(seals.marked(AuditEntry(**facts)) for facts in piece)
        except (DataError, IntegrityError):
            self._write_singly(piece)

    def _write_singly(self, piece: list[Facts]) -> None:
        """One that the database will never take must not hold up the others."""
        impossible = []
        with transaction.atomic():
            for facts in piece:
                try:
                    with transaction.atomic():
                        seals.marked(AuditEntry(**facts)).save()
                except (DataError, IntegrityError):
                    log.exception("an audit entry cannot be written")
                    impossible.append(facts)
        for facts in impossible:
            self._lose(facts)

    def _lose(self, facts: Facts) -> None:
        self.lost += 1
        self._untold += 1
        log.error("LOST FROM THE AUDIT: %s", json.dumps(facts, default=str, sort_keys=True))


def _lost(count: int, now: datetime) -> Facts:
    return {"at": now, "what": Deed.LOOKS_LOST, "by_kind": ByKind.MEDQL, "door": Door.COMMAND, "detail": {"count": count}}


def _key(facts: Facts, names: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(facts.get(name) for name in names)


buffer = Buffer()
atexit.register(buffer.end)
