"""Sessions of browsers: the engine behind Django's `request.session`, who is still there, and how sessions end.

A session ends when nobody did anything for a while (SESSION_IDLE), when it is too old (SESSION_LIFETIME), or by hand.
Only what a person does counts: a page that asks by itself keeps nobody signed in (`automatic`).
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.db import OperationalError, transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts import audit, origin, tokens
from accounts.agents import browser_of
from accounts.models import Deed, Session, User, Ward
from accounts.models.session import KEPT_FOR

log = logging.getLogger(__name__)

SEEN_EVERY = timedelta(minutes=1)  # that somebody is there is written no more often
# What ends a session before a running board: that goes on, without names (accounts/visits.py).
FADING = {Session.Ending.IDLE, Session.Ending.TOO_OLD, Session.Ending.SECOND_FACTOR}
SECOND_FACTOR = "second factor shown at"  # in what a session holds

View = TypeVar("View", bound=Callable[..., Any])


class SessionStore(SessionBase):
    """Django's view of one `Session`: found by the hash of its key, empty once it is over.

    The cookie of a session that is over stays: its row says why there is none any more, and which board faded.
    """

    if TYPE_CHECKING:  # Django's own inside, which its type stubs leave out

        def _get_session(self, no_load: bool = False) -> dict[str, Any]: ...

        def _get_new_session_key(self) -> str: ...

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self.row: Session | None = None
        self.user_agent = ""

    def load(self) -> dict[str, Any]:
        now = timezone.now()
        row = self.row = Session.objects.judged(now).filter(session_key=_hash(self.session_key or "")).first()
        if row is None:
            self._session_key = None
            return {}
        _end_if_over(row, now=now)
        return {} if row.is_over else self.decode(row.session_data)

    def exists(self, session_key: str) -> bool:
        return Session.objects.filter(session_key=_hash(session_key)).exists()

    def create(self) -> None:
        self._session_cache: dict[str, Any] = {}
        self._begin({})
        self.modified = True

    def save(self, must_create: bool = False) -> None:
        """What is written after the end of a session goes into one of its own."""
        content = self._get_session(no_load=must_create)
        if must_create or self.row is None or self.row.is_over:
            self._begin(content)
        else:
            self._write(self.row, content)

    def delete(self, session_key: str | None = None) -> None:
        Session.objects.filter(session_key=_hash(session_key or self.session_key or "")).end(
            at=timezone.now(), why=Session.Ending.SIGNED_OUT
        )
        self.row = None

    def cycle_key(self) -> None:
        """Another key for the same session; the one that was known so far opens nothing any more."""
        content = self._get_session()
        key = self._get_new_session_key()
        if self.row and Session.objects.filter(pk=self.row.pk, ended_at=None).update(session_key=_hash(key)):
            self._session_key = key
            self.modified = True
        else:
            self.create()
        self._session_cache = content

    @classmethod
    def clear_expired(cls) -> None:
        Session.objects.filter(expire_date__lt=timezone.now()).delete()

    def touch(self, *, now: datetime) -> None:
        """A person did something. The row says so at most once a minute, and is mended when the clock was set back."""
        row = self.row
        if row and not row.is_over and abs(now - row.seen_at) >= SEEN_EVERY:
            self._note(row, seen_at=now)

    def show(self, ward: Ward) -> None:
        """This browser shows the board of this ward, which stays on the screen when its session fades."""
        if self.row and not self.row.is_over and self.row.ward_id != ward.pk:
            self._note(self.row, ward=ward)
            self.row.ward = ward

    @property
    def faded(self) -> Session | None:
        """The session of this browser that nobody ended: the person is gone, `ward` is the board that it showed."""
        self._get_session()
        return self.row if self.row and self.row.is_over and self.row.ending in FADING else None

    @property
    def ending(self) -> Session.Ending | None:
        """Why this browser has no session any more, if it had one."""
        self._get_session()
        return Session.Ending(self.row.ending) if self.row and self.row.is_over else None

    def _note(self, row: Session, **columns: Any) -> None:
        try:
            Session.objects.filter(pk=row.pk, ended_at=None).update(**columns)
        except OperationalError:
            # The page is more than the note behind it: the next act, a minute from now at most, is noted instead.
            log.warning("session %s: that somebody is there was not noted", row.pk, exc_info=True)

    def _begin(self, content: dict[str, Any]) -> None:
        now = timezone.now()
        self._session_key = self._get_new_session_key()
        columns = self._columns(content) | self._whereabouts(now)
        self.row = Session.objects.create(session_key=_hash(self.session_key or ""), **columns)

    def _write(self, row: Session, content: dict[str, Any]) -> None:
        columns = self._columns(content)
        if columns["user_id"] not in (None, row.user_id):  # a session begins when its person signs in
            columns |= self._whereabouts(timezone.now())
        if not Session.objects.filter(pk=row.pk, ended_at=None).update(**columns):
            raise UpdateError
        for name, value in columns.items():
            setattr(row, name, value)

    def _columns(self, content: dict[str, Any]) -> dict[str, Any]:
        person, shown = content.get(SESSION_KEY), content.get(SECOND_FACTOR)
        return {
            "session_data": self.encode(content),
            "user_id": int(person) if person else None,
            "second_factor_at": datetime.fromisoformat(shown) if shown else None,
        }

    def _whereabouts(self, now: datetime) -> dict[str, Any]:
        return {
            "created_at": now,
            "seen_at": now,
            "expire_date": now + KEPT_FOR,
            "address": origin.here().address,
            "agent": browser_of(self.user_agent),
        }


@transaction.atomic
def end_all(
    user: User,
    *,
    by: User,
    at: datetime,
    but: Session | None = None,
    why: Session.Ending = Session.Ending.BY_PERSON,
) -> int:
    """End every session of a person, of browsers but one if told, and of tokens; says how many browsers that were."""
    theirs = Session.objects.filter(user=user)
    count = (theirs.exclude(pk=but.pk) if but else theirs).end(at=at, why=why)
    tokens.end_all(user, at=at)
    if count:
        audit.record(Deed.SESSIONS_ENDED, by=by, at=at, about=f"user:{user.login}", detail={"count": count, "why": why.value})
    return count


@transaction.atomic
def end_one(session: Session, *, by: User, at: datetime, why: Session.Ending = Session.Ending.BY_PERSON) -> None:
    if session.user and Session.objects.filter(pk=session.pk).end(at=at, why=why):
        about, detail = f"user:{session.user.login}", {"count": 1, "why": why.value}
        audit.record(Deed.SESSIONS_ENDED, by=by, at=at, about=about, detail=detail)


def automatic(view: View) -> View:
    """Of a view that pages ask by themselves: that it is asked does not mean that somebody is there."""
    view.is_automatic = True  # type: ignore[attr-defined]
    return view


def is_by_hand(request: HttpRequest, view: Callable[..., Any]) -> bool:
    """Whether a person asks: everything that changes something, and every page, but what is `automatic`.

    A fragment that a page fetches (htmx) and an API that it reads are the page's own doing; `accounts/here` speaks for the
    person who sits before it.
    """
    if getattr(view, "is_automatic", False):
        return False
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        return True
    return request.method == "GET" and "HX-Request" not in request.headers and not request.path.startswith("/api/")


def of(request: HttpRequest) -> SessionStore:
    session = request.session
    assert isinstance(session, SessionStore)
    return session


def _end_if_over(row: Session, *, now: datetime) -> None:
    """Written as soon as it is seen, so that a clock that is set back wakes nothing."""
    why = None if row.is_over else row.why_over(now)
    if why is None:
        return
    Session.objects.filter(pk=row.pk).end(at=now, why=why)
    row.ended_at, row.ending = now, why


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
