"""Signing in and out in a browser, and what of it is asked again before something weighty.

Where a second factor is asked for, the password alone is half a login: it opens no page, no API and no socket, since nobody
is signed in yet; the session only remembers for a few minutes who has shown his password.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib import auth
from django.contrib.auth.hashers import make_password
from django.contrib.auth.signals import user_login_failed
from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from accounts import audit, factors, lockout, sessions
from accounts.factors import TooMany, WrongCode
from accounts.models import Deed, Session, User

BACKEND = "accounts.backends.Passwords"
HALF = "half a login"
HALF_LIVES = timedelta(minutes=10)


def begin(request: HttpRequest, person: User, *, at: datetime) -> None:
    """The password was right, and more is asked for."""
    request.session.cycle_key()
    request.session[HALF] = {"user": person.pk, "mark": person.get_session_auth_hash(), "at": at.isoformat()}


def half(request: HttpRequest, *, now: datetime) -> User | None:
    """Who has shown his password here a few minutes ago, and still has it."""
    kept = request.session.get(HALF)
    if not kept or abs(now - datetime.fromisoformat(kept["at"])) > HALF_LIVES:
        return None
    person = User.objects.filter(pk=kept["user"], is_active=True).first()
    return person if person and constant_time_compare(kept["mark"], person.get_session_auth_hash()) else None


@transaction.atomic
def sign_in(request: HttpRequest, person: User, *, at: datetime, second_factor: bool = False) -> None:
    """The person has shown all that is asked of him."""
    request.session.pop(HALF, None)
    auth.login(request, person, backend=BACKEND)
    if second_factor:
        request.session[sessions.SECOND_FACTOR] = at.isoformat()
    audit.record(Deed.SIGNED_IN, by=person, at=at, about=f"user:{person.login}", detail={"second_factor": second_factor})


def show_code(request: HttpRequest, person: User, code: str, *, at: datetime) -> None:
    """A code beside the password. Raises WrongCode, which counts as a wrong password does, or TooMany."""
    until = lockout.until(person.login, lockout.address_of(request), now=at)
    if until:
        raise TooMany(until)
    try:
        factors.show(person, code, at=at)
    except (WrongCode, TooMany):
        user_login_failed.send(__name__, credentials={"username": person.login, "shown": "code"}, request=request)
        raise


@transaction.atomic
def sign_out(request: HttpRequest, *, at: datetime) -> None:
    person = request.user
    auth.logout(request)
    if isinstance(person, User):
        audit.record(Deed.SIGNED_OUT, by=person, at=at, about=f"user:{person.login}")


def change_password(person: User, password: str, *, by: User, at: datetime, request: HttpRequest | None = None) -> None:
    """With another password every session of the person is over, but the one in which he changes it himself."""
    person.password = make_password(password)  # slow, and so before the transaction
    with transaction.atomic():
        person.save(update_fields=["password"])
        here = None
        if request is not None:
            auth.update_session_auth_hash(request, person)
            here = sessions.of(request).row
        sessions.end_all(person, by=by, at=at, but=here, why=Session.Ending.PASSWORD)
        audit.record(Deed.PASSWORD_CHANGED, by=by, at=at, about=f"user:{person.login}")
