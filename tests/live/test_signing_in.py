"""A real daphne while several people sign in: hashing their passwords stands before nobody else."""

from __future__ import annotations

import threading
from http.client import HTTPConnection
from urllib.parse import urlencode

import pytest
import requests
from django.contrib.auth.hashers import make_password

from accounts import hashing
from accounts.models import User
from tests.conftest import PASSWORD, signed_in
from tests.live.processes import PATIENCE, Server, running

pytestmark = pytest.mark.django_db(transaction=True)

SIGNING_IN = 3
LONG = 100  # iterations: each of these hashes takes seconds


class Visitor(threading.Thread):
    """Somebody who signs in: `sent` when his form has left, and an event when he is answered."""

    def __init__(self, server: Server, events: list[str], password: str = PASSWORD) -> None:
        super().__init__()
        self.password = password
        self.link = HTTPConnection("127.0.0.1", server.port, timeout=3 * PATIENCE)
        self.token = requests.get(f"{server.url}/accounts/login/", timeout=PATIENCE).cookies["csrftoken"]
        self.events = events
        self.sent = threading.Event()
        self.status = self.wait = 0

    def run(self) -> None:
        form = urlencode({"username": "noor", "password": self.password, "csrfmiddlewaretoken": self.token})
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"csrftoken={self.token}"}
        self.link.request("POST", "/accounts/login/", form, headers)
        self.sent.set()
        answer = self.link.getresponse()
        self.status, self.wait = answer.status, int(answer.headers.get("Retry-After", 0))
        self.events.append("told")
        self.link.close()


def test_while_passwords_are_hashed_others_are_answered(noor, north, monkeypatch):
    monkeypatch.setattr(hashing.Argon2, "time_cost", LONG)
    User.objects.filter(pk=noor.pk).update(password=make_password(PASSWORD, hasher=hashing.Argon2()))
    monkeypatch.undo()
    noor.refresh_from_db()
    cookie = {"sessionid": signed_in(noor).cookies["sessionid"].value}
    events: list[str] = []

    with running(HASHES_AT_ONCE=str(SIGNING_IN)) as server:
        visitors = [Visitor(server, events) for _ in range(SIGNING_IN)]
        for visitor in visitors:
            visitor.start()
            assert visitor.sent.wait(PATIENCE)
        for path in ("/health", "/wards/north/", "/health", "/wards/north/"):
            assert requests.get(f"{server.url}{path}", cookies=cookie, timeout=PATIENCE).status_code == 200
            events.append("answered")
        for visitor in visitors:
            visitor.join()

    assert events == ["answered"] * 4 + ["told"] * SIGNING_IN
    assert [visitor.status for visitor in visitors] == [302] * SIGNING_IN
    noor.refresh_from_db()
    assert "t=2," in noor.password


def test_many_guesses_at_once_are_all_counted(noor):
    """A race between them opens nothing, and breaks nothing."""
    with running() as server:
        events: list[str] = []
        guesses = [Visitor(server, events, password="a wrong password") for _ in range(12)]
        for guess in guesses:
            guess.start()
        for guess in guesses:
            guess.join()
        last = Visitor(server, events)
        last.run()

    assert {guess.status for guess in guesses} <= {200, 429}
    assert last.status == 429
    assert 0 < last.wait <= 15 * 60
