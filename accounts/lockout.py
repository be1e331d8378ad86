"""Who guesses passwords is shut out: one login from one address, for a while.

Not an address alone: a ward shares its computers. Not a login alone: nobody shuts a nurse out from elsewhere. The counting
is django-axes'; its settings name the functions here.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import audit, origin
from accounts.models import Deed, User

UNKNOWN = "unknown:"


def login_of(request: HttpRequest | None, credentials: dict[str, Any] | None) -> str:
    """The person's login, however he wrote it. The counting asks several times a request, and the database once."""
    word = str((credentials or {}).get("username") or "")
    known: dict[str, str] = request.__dict__.setdefault("logins_asked_for", {}) if request else {}
    if word not in known:
        known[word] = _login_of(word)
    return known[word]


def _login_of(word: str) -> str:
    """Of what is nobody's login a hash: people type their password there."""
    try:
        return User.objects.get_by_natural_key(word).login
    except User.DoesNotExist:
        return UNKNOWN + hashlib.sha256(word.lower().encode()).hexdigest()[:16]


def address_of(request: HttpRequest) -> str | None:
    return origin.here().address or None


def failures(login: str, address: str | None, *, now: datetime) -> QuerySet[AccessAttempt]:
    """What still counts against this login from this address; a row for each browser that was used."""
    return AccessAttempt.objects.filter(username=login, ip_address=address, attempt_time__gte=now - settings.AXES_COOLOFF_TIME)


def until(login: str, address: str | None, *, now: datetime) -> datetime | None:
    """When this login may be tried again from this address; None when that is now."""
    rows = failures(login, address, now=now).order_by("attempt_time")
    left = sum(row.failures_since_start for row in rows)
    if left < settings.AXES_FAILURE_LIMIT:
        return None
    for row in rows:
        left -= row.failures_since_start
        if left < settings.AXES_FAILURE_LIMIT:
            return row.attempt_time + settings.AXES_COOLOFF_TIME
    return None


@transaction.atomic
def lift(login: str, address: str | None, *, by: User, at: datetime) -> None:
    """An administrator knows the person, and lets him try again."""
    AccessAttempt.objects.filter(username=login, ip_address=address).delete()
    audit.record(Deed.LOCKOUT_LIFTED, by=by, at=at, about=f"user:{login}", detail={"from": address or ""})
