"""Staff tokens: a session of one hour for each person, and for each sign-in a family of refresh tokens.

Every verb that changes them holds the person's row, so that two of them are one after the other on every engine.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts import access_tokens, audit, sealing
from accounts.access_tokens import WrongToken
from accounts.fields import SealedField
from accounts.models import Deed, RefreshFamily, RefreshToken, TokenSession, User
from accounts.models.second_factor import is_missing
from accounts.transactions import retried

log = logging.getLogger(__name__)

HOUR = timedelta(hours=1)
REFRESH_LIVES = timedelta(days=7)
FAMILY_LIVES = timedelta(days=30)  # then the person signs in again, however diligently the device has refreshed
LONGEST = 200  # letters; ours have 43
SEALED = SealedField.of(RefreshToken, "sealed")


class SessionOver(WrongToken):
    """Signed out, expired, deactivated, or another password since."""

    code = "session_over"
    sentence = "The session is over: refresh, or sign in again."


class WrongRefreshToken(Exception):
    """No refresh token that is good now."""


@dataclass(frozen=True, slots=True)
class Pair:
    """`expires_at` is the end of the session."""

    access_token: str
    refresh_token: str
    expires_at: datetime


@retried
def sign_in(user: User, *, at: datetime) -> Pair:
    """Tokens for one device more of a person who has shown who he is; within the hour the session stays the same."""
    person = _held(user.pk)
    family = RefreshFamily.objects.create(
        user=person, password_mark=mark_of(person), started_at=at, expires_at=at + FAMILY_LIVES
    )
    audit.record(Deed.SIGNED_IN, by=person, at=at, about=f"user:{person.login}", detail={"tokens": family.pk})
    return _pair(person, family, at=at)


def renew(token: str, *, at: datetime) -> Pair:
    """The next tokens of a device. Raises WrongRefreshToken; a token that was used before ends its family and the session."""
    pair = _renew(token, at=at)  # whose transaction is over, and kept what it ended
    if pair is None:
        raise WrongRefreshToken
    return pair


@retried
def _renew(token: str, *, at: datetime) -> Pair | None:
    row = _refresh_token(token)
    if row is None:
        return None
    person = _held(row.family.user_id)
    family = RefreshFamily.objects.get(pk=row.family_id)
    if family.ended_at or family.expires_at <= at or not _may(person, at) or not _is_of(family, person):
        return None
    if RefreshToken.objects.filter(pk=row.pk, used_at=None, expires_at__gt=at).update(used_at=at):
        return _pair(person, family, at=at)
    if RefreshToken.objects.filter(pk=row.pk, used_at=None).exists():
        return None  # it has expired
    RefreshFamily.objects.filter(pk=family.pk).update(ended_at=at)
    _end_session(person, at=at)
    audit.record(Deed.TOKEN_REUSED, by=None, at=at, about=f"user:{person.login}", detail={"tokens": family.pk})
    return None


@retried
def sign_out(user: User, *, at: datetime) -> None:
    """The person leaves: the session is over at once, and so are the refresh tokens of all of his devices."""
    end_all(user, at=at)
    audit.record(Deed.SIGNED_OUT, by=user, at=at, about=f"user:{user.login}")


@retried
def end_all(user: User, *, at: datetime) -> None:
    """No token that this person holds is good any more."""
    _held(user.pk)
    _end_session(user, at=at)
    RefreshFamily.objects.filter(user=user, ended_at=None).update(ended_at=at)


@retried
def end_family(family: RefreshFamily, *, at: datetime) -> None:
    """One device signs in again, and the others refresh: the session is the same for all of them."""
    person = _held(family.user_id)
    _end_session(person, at=at)
    if RefreshFamily.objects.filter(pk=family.pk, ended_at=None).update(ended_at=at):
        audit.record(Deed.SIGNED_OUT, by=person, at=at, about=f"user:{person.login}", detail={"tokens": family.pk})


def bearer(text: str, *, now: datetime) -> TokenSession:
    """The session of who shows this access token, by one query. Raises WrongToken, with its code and sentence."""
    claims = access_tokens.read(text, now=now)
    session = TokenSession.objects.living(now).select_related("user").filter(pk=claims.sid).first()
    if session is None or str(session.user_id) != claims.sub or not _is_of(session, session.user):
        raise SessionOver
    return session


def holder(token: str, *, at: datetime) -> User:
    """Who holds this refresh token, which stays unused. Raises WrongRefreshToken."""
    row = _refresh_token(token)
    if row is None or row.used_at or row.expires_at <= at or row.family.ended_at or not _is_of(row.family, row.family.user):
        raise WrongRefreshToken
    return row.family.user


def living(sessions: Collection[int], *, now: datetime) -> dict[int, User]:
    """Which of these sessions still live, and whose they are: one query, for whoever serves many sockets."""
    rows = TokenSession.objects.living(now).filter(pk__in=sessions).select_related("user")
    return {row.pk: row.user for row in rows if _is_of(row, row.user)}


def mark_of(user: User) -> str:
    """Changes with the password."""
    return user.get_session_auth_hash()


def digest(token: str) -> str:
    """A token is random enough to be found by a quick hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def _held(key: int) -> User:
    return User.objects.select_for_update().get(pk=key)


def _is_of(row: TokenSession | RefreshFamily, person: User) -> bool:
    """Whether the person still has the password under which this began."""
    return hmac.compare_digest(row.password_mark, mark_of(person))


def _may(person: User, at: datetime) -> bool:
    """Active, and with the second factor that a ward asks for: it is shown when signing in."""
    return person.is_active and not is_missing(person, at)


def _pair(person: User, family: RefreshFamily, *, at: datetime) -> Pair:
    session = _session(person, at=at)
    token = secrets.token_urlsafe(32)
    row = RefreshToken(family=family, digest=digest(token), created_at=at)
    row.expires_at = min(at + REFRESH_LIVES, family.expires_at)
    SEALED.put(row, token)
    row.save()
    return Pair(access_tokens.issue(session, now=at), token, session.expires_at)


def _session(person: User, *, at: datetime) -> TokenSession:
    """The one that lives, or a new one. One that would end too late began before our clock was set back."""
    latest_end = at + HOUR + access_tokens.AHEAD
    last = TokenSession.objects.living(at).filter(user=person, expires_at__lte=latest_end).order_by("-pk").first()
    if last and _is_of(last, person):
        return last
    _end_session(person, at=at)
    return TokenSession.objects.create(user=person, password_mark=mark_of(person), started_at=at, expires_at=at + HOUR)


def _end_session(person: User, *, at: datetime) -> None:
    TokenSession.objects.filter(user=person, ended_at=None).update(ended_at=at)


def _refresh_token(token: str) -> RefreshToken | None:
    """The row of this token, whether it is good or not."""
    if not token.isascii() or len(token) > LONGEST:
        return None
    row = RefreshToken.objects.select_related("family__user").filter(digest=digest(token)).first()
    if row is None:
        return None
    try:
        kept = SEALED.text(row)
    except sealing.Unreadable as fault:
        log.error("a refresh token cannot be read: %s", fault)
        return None
    return row if hmac.compare_digest(kept, token) else None
