"""An authenticator in somebody's hand."""

from __future__ import annotations

import html
import re
from datetime import datetime, timedelta
from typing import Any

import pyotp
from django.test import Client

from accounts import factors
from accounts.models import User
from tests.conftest import PASSWORD

STEP = timedelta(seconds=factors.STEP)


class Authenticator:
    """The app on a phone: it knows the secret and the time."""

    def __init__(self, secret: str) -> None:
        self.totp = pyotp.TOTP(secret)

    def code(self, at: datetime) -> str:
        return self.totp.at(at)

    def wrong(self, at: datetime) -> str:
        """A code of none of the steps around now."""
        near = {self.code(at + step * STEP) for step in range(-3, 4)}
        return next(f"{number:06}" for number in range(10) if f"{number:06}" not in near)


def set_up(user: User, at: datetime) -> tuple[Authenticator, list[str]]:
    """The person has one since a while, and its recovery codes."""
    secret = factors.new_secret()
    phone = Authenticator(secret)
    before = at - timedelta(hours=1)
    return phone, factors.set_up(user, secret, code=phone.code(before), at=before)


def shown(page: Any) -> Authenticator:
    """The authenticator that has read the secret from the page."""
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", html.unescape(page.content.decode()))
    assert secret
    return Authenticator(secret[1].replace(" ", ""))


def with_password(user: User, **more: str) -> tuple[Client, Any]:
    """A browser in which the password was shown, and what the door said."""
    client = Client()
    return client, client.post("/accounts/login/", {"username": user.login, "password": PASSWORD} | more)
