"""Who may look at a ward's board, and with which face: a person with names, a wall without.

A person is let in by his session or token. A kiosk is let in by its key, in a cookie. A browser whose person is gone keeps
the board that it showed, without names, for as long as a session may last: nobody should find a dark screen in the morning.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.core.exceptions import TooManyFieldsSent
from django.http import HttpRequest, QueryDict
from django.utils import timezone

from accounts import access, keys, service_tokens, sessions, tickets, tokens
from accounts.access_tokens import WrongToken
from accounts.models import Device, ServiceToken, Session, TokenSession, User, Ward


class NotSignedIn(Exception):
    """Nobody has said who he is."""


class NotYours(Exception):
    """There is no such ward, or it is not for these eyes: those of `who`."""

    def __init__(self, who: User | Device | ServiceToken) -> None:
        super().__init__(str(who))
        self.who = who


@dataclass(frozen=True, slots=True)
class Pass:
    """By what somebody was let in to a ward: exactly one of a browser's session, a staff token's session and a kiosk's key."""

    ward: Ward
    user: User | None = None
    roles: frozenset[str] = frozenset()
    session_id: int | None = None
    token_id: int | None = None
    kiosk: Device | None = None
    key: str = field(default="", repr=False)

    @property
    def is_named(self) -> bool:
        return self.user is not None

    @property
    def actor(self) -> User | Device | None:
        return self.user or self.kiosk


def into(slug: str, *, request: HttpRequest, now: datetime, before: Pass | None = None) -> Pass:
    """The best way in for whoever asks: as a person, else as a kiosk, else to the board that faded.

    That is the one that the browser showed last or, for an open socket, the one that it was let in to before.
    Raises NotSignedIn, NotYours.
    """
    ways = (_as_person(slug, request), _as_kiosk(slug, request), _as_faded(slug, request, now, before))
    for way in ways:
        if found := next(way, None):
            return found
    who = known(request)
    raise NotYours(who) if who else NotSignedIn


def known(request: HttpRequest) -> User | Device | None:
    """Who it is that asks, whether let in or not."""
    return request.user if isinstance(request.user, User) else kiosk_of(request)


def by_socket(slug: str, *, scope: dict[str, Any], now: datetime, before: Pass | None = None) -> Pass:
    """As into, and besides by a program's access token or ticket, which counts once: then the session behind it does.

    Raises NotSignedIn, NotYours.
    """
    shown = None if before else holder(scope, now)
    if shown is None:
        return into(slug, request=as_request(scope), now=now, before=before)
    if isinstance(shown, ServiceToken):
        raise NotYours(shown)  # a board is for eyes
    ward = Ward.objects.visible_to(shown.user).filter(slug=slug).first()
    if ward is None:
        raise NotYours(shown.user)
    return Pass(ward, user=shown.user, roles=access.roles_in(shown.user, ward), token_id=shown.pk)


def kiosk_of(request: HttpRequest) -> Device | None:
    """The kiosk whose key this browser carries; none when there is no key, or none that opens anything."""
    key = request.COOKIES.get(settings.KIOSK_COOKIE_NAME, "")
    return kiosk_with(key) if key else None


def kiosk_with(key: str) -> Device | None:
    """The kiosk of this key; keys of other devices open no board."""
    try:
        device = keys.device_of(key)
    except (keys.WrongKey, keys.RevokedKey):
        return None
    if device.kind != Device.Kind.KIOSK:
        return None
    keys.note_use(key, at=timezone.now())
    return device


def as_request(scope: dict[str, Any]) -> HttpRequest:
    """A socket asks like a page: with the cookies of its browser."""
    request = HttpRequest()
    request.COOKIES = scope["cookies"]
    request.session = sessions.SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    request.user = get_user(request)
    return request


def fallen(passes: Collection[Pass], *, now: datetime) -> set[Pass]:
    """Those of these passes that let nobody in any more: few queries however many there are."""
    standing = _walls_that_stand([each for each in passes if each.key])
    standing |= _sessions_that_stand([each for each in passes if each.session_id], now)
    standing |= _tokens_that_stand([each for each in passes if each.token_id], now)
    return set(passes) - standing


def holder(scope: dict[str, Any], now: datetime, *, token_in_address: bool = False) -> TokenSession | ServiceToken | None:
    """Who shows a token in the header or, where that is allowed, in the address, or a ticket there.

    None where nothing is shown. Raises NotSignedIn for what is no good.
    """
    header = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    kind, _, shown = header.partition(" ")
    try:
        asked = QueryDict(scope["query_string"])
        token = shown if kind.lower() == "bearer" else asked.get("token") if token_in_address else None
        if token is not None:
            token = token.strip()
            return (service_tokens if service_tokens.is_one(token) else tokens).bearer(token, now=now)
        ticket = asked.get("ticket")
        return tickets.take(ticket, now=now) if ticket else None
    except (WrongToken, tickets.WrongTicket, TooManyFieldsSent):
        raise NotSignedIn from None


def _sessions_that_stand(passes: Collection[Pass], now: datetime) -> set[Pass]:
    rows = Session.objects.judged(now).select_related("user").in_bulk({each.session_id for each in passes})
    roles = access.roles_of({row.user_id for row in rows.values() if row.user_id}, now=now)
    standing = set()
    for each in passes:
        row = rows.get(each.session_id or 0)
        has = roles.get((row.user_id or 0, each.ward.pk)) if row else None
        if row and has and (has == each.roles and _is_living(row, each.user, now) if each.is_named else _is_faded(row, now)):
            standing.add(each)
    return standing


def _tokens_that_stand(passes: Collection[Pass], now: datetime) -> set[Pass]:
    living = tokens.living([each.token_id for each in passes if each.token_id], now=now)
    roles = access.roles_of({user.pk for user in living.values()}, now=now)
    holders = {each: user.pk for each in passes if (user := living.get(each.token_id or 0))}
    return {each for each, person in holders.items() if roles.get((person, each.ward.pk)) == each.roles}


def _walls_that_stand(passes: Collection[Pass]) -> set[Pass]:
    walls = {key: kiosk_with(key) for key in {each.key for each in passes}}
    devices = [wall.pk for wall in walls.values() if wall]
    shown = set(Device.wards.through.objects.filter(device__in=devices).values_list("device", "ward"))
    return {each for each in passes if (wall := walls[each.key]) and (wall.pk, each.ward.pk) in shown}


def _is_living(row: Session, user: User | None, now: datetime) -> bool:
    return row.user == user and not row.is_over and row.why_over(now) is None


def _is_faded(row: Session, now: datetime) -> bool:
    fading = row.ending in sessions.FADING if row.is_over else row.why_over(now) is not None
    return fading and now - (row.ended_at or now) < settings.SESSION_LIFETIME


def _as_person(slug: str, request: HttpRequest) -> Iterator[Pass]:
    user = request.user
    if not isinstance(user, User):
        return
    ward = Ward.objects.visible_to(user).filter(slug=slug).first()
    row = sessions.of(request).row
    if ward and row:
        yield Pass(ward, user=user, roles=access.roles_in(user, ward), session_id=row.pk)


def _as_kiosk(slug: str, request: HttpRequest) -> Iterator[Pass]:
    kiosk = kiosk_of(request)
    ward = kiosk.wards.filter(slug=slug).first() if kiosk else None
    if ward:
        yield Pass(ward, kiosk=kiosk, key=request.COOKIES[settings.KIOSK_COOKIE_NAME])


def _as_faded(slug: str, request: HttpRequest, now: datetime, before: Pass | None) -> Iterator[Pass]:
    row = sessions.of(request).faded
    if row is None or row.user is None or not _is_faded(row, now):
        return
    ward = before.ward if before and before.session_id == row.pk else row.ward
    if ward and ward.slug == slug and Ward.objects.visible_to(row.user).filter(pk=ward.pk).exists():
        yield Pass(ward, session_id=row.pk)
