"""Signing in and out in a browser: the session gets another key, and the trail says who it was."""

from __future__ import annotations

from datetime import datetime

from django.contrib import auth
from django.db import transaction
from django.http import HttpRequest

from accounts import audit
from accounts.models import Deed, User

BACKEND = "accounts.backends.Passwords"


@transaction.atomic
def sign_in(request: HttpRequest, person: User, *, at: datetime) -> None:
    """The person has shown all that is asked of him."""
    auth.login(request, person, backend=BACKEND)
    audit.record(Deed.SIGNED_IN, by=person, at=at, about=f"user:{person.login}")


@transaction.atomic
def sign_out(request: HttpRequest, *, at: datetime) -> None:
    person = request.user
    auth.logout(request)
    if isinstance(person, User):
        audit.record(Deed.SIGNED_OUT, by=person, at=at, about=f"user:{person.login}")
