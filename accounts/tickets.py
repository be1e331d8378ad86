"""Tickets for sockets, for programs that can set no header: good once, for half a minute."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from accounts.models import ServiceToken, SocketTicket, TokenSession
from accounts.tokens import LONGEST, digest
from accounts.transactions import retried

LIVES = timedelta(seconds=30)


class WrongTicket(Exception):
    """No such ticket, or it was used, or its half minute is over."""


@retried
def issue(holder: TokenSession | ServiceToken, *, now: datetime) -> str:
    """A ticket for whoever showed this token."""
    ticket = secrets.token_urlsafe(32)
    of = {"session": holder} if isinstance(holder, TokenSession) else {"service": holder}
    SocketTicket.objects.create(digest=digest(ticket), expires_at=now + LIVES, **of)
    return ticket


@retried
def take(ticket: str, *, now: datetime) -> TokenSession | ServiceToken:
    """Whose ticket this is, the first time it is shown. Raises WrongTicket.

    Whether the session or the program still lives is asked as for any socket: `tokens.living`, `ServiceToken.objects.living`.
    """
    if len(ticket) > LONGEST:
        raise WrongTicket
    kept = SocketTicket.objects.filter(digest=digest(ticket), used_at=None, expires_at__gt=now)
    if not kept.update(used_at=now):
        raise WrongTicket
    row = SocketTicket.objects.select_related("session__user", "service").get(digest=digest(ticket))
    holder = row.session or row.service
    assert holder is not None  # the database holds it
    return holder
