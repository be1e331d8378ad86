"""What nobody should send to /auth/: a clear 4xx each time, nothing kept, and never a 500."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from accounts.models import RefreshToken, SocketTicket, User
from tests.access.bearers import fields, login, me, post, refused
from tests.audit.trail import trail
from tests.conftest import PASSWORD

DOORS = ["register", "login", "refresh-token", "logout", "ws-ticket"]
WITH_BODY = ["register", "login", "refresh-token", "logout"]


@pytest.mark.parametrize("door", ["register", "login", "refresh-token"])
@pytest.mark.parametrize(
    "body", ["", "nonsense", "[]", "7", "null", '"text"', "{", '{"id": "\\ud800"}', "[" * 10_000, b"\xff\xfe"]
)
def test_what_is_no_object_is_400(db, door, body):
    assert refused(post(door, body)) == (400, "malformed")


@pytest.mark.parametrize("door", WITH_BODY)
def test_a_megabyte_is_413_before_anything_is_hashed(db, monkeypatch, door):
    monkeypatch.setattr("accounts.models.User.set_password", lambda *_: pytest.fail("hashed"))

    answer = post(door, {"id": "noor", "name": "Noor", "password": "x" * 1_000_000, "refresh_token": "y"})

    assert refused(answer) == (413, "too_large")


def test_a_long_password_is_named_and_not_shown(db):
    answer = post("login", {"id": "noor", "password": "x" * 1025})

    assert fields(answer) == ["password"]
    assert "xxxx" not in answer.content.decode()


@pytest.mark.parametrize(
    "word", ["no\x00or", "\x00", "noor\n", "a@b\x00", "' OR 1=1 --", "%", "noor@example.org\u2028", "x" * 254]
)
def test_an_id_that_nobody_can_have_is_401(noor, word):
    assert refused(login(word)) == (401, "wrong_login")


@pytest.mark.parametrize("password", ["\x00", "correct horse battery\x00", "\u202e", "🐎" * 200])
def test_neither_is_a_password_cut_short(noor, password):
    assert refused(login("noor", password)) == (401, "wrong_login")


@pytest.mark.parametrize(
    "body", [{"id": "noor"}, {"password": "x"}, {}, {"id": 1, "password": ["x"]}, {"id": "noor", "password": None}]
)
def test_what_is_missing_or_of_another_kind_is_named(db, body):
    assert fields(post("login", body)) == [name for name in ("id", "password") if not isinstance(body.get(name), str)]


def test_a_field_that_is_not_ours_is_named(db):
    assert fields(post("login", {"id": "noor", "password": "x", "role": "administrator"})) == ["role"]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_other_methods_are_405(db, door, method):
    answer = getattr(Client(), method)(f"/auth/{door}", headers={"Authorization": ""})

    assert answer.status_code == (401 if door == "ws-ticket" else 405)
    assert set(answer.json()) == {"detail", "code"}


@pytest.mark.parametrize(
    "path", ["/auth/", "/auth/login/x", "/auth//login", "/auth/../auth/login", "/auth/login%00", "/auth/logins"]
)
def test_an_address_that_is_not_ours_is_404_as_json(db, path):
    assert Client().post(path, {}, content_type="application/json").json() == {
        "detail": "There is nothing here.",
        "code": "not_found",
    }


@pytest.mark.parametrize("address", ["/auth/login", "/auth/login/"])
def test_a_slash_at_the_end_changes_nothing(noor, address):
    body = {"id": "noor", "password": "correct horse battery"}

    assert Client().post(address, body, content_type="application/json").status_code == 200


@pytest.mark.parametrize(
    "header", ["Basic bm9vcjpu", "Bearer", "bearer ", "Bearer\tx", "Token x", "\x7f", "Bearer " + "x" * 500_000]
)
def test_a_header_that_is_no_token_is_401(db, header):
    answer = Client().get("/auth/me", headers={"Authorization": header})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_refresh_token_is_no_access_token_nor_the_other_way_round(noor):
    device = login("noor").json()

    assert refused(me(device["refresh_token"])) == (401, "invalid_token")
    assert refused(post("refresh-token", {"refresh_token": device["access_token"]})) == (401, "invalid_refresh_token")


def test_a_form_is_taken_for_what_it_is(noor):
    answer = Client().post("/auth/login", {"id": "noor", "password": "correct horse battery"})

    assert refused(answer) == (400, "malformed")


def test_json_is_read_whatever_it_is_called(noor):
    body = json.dumps({"id": "noor", "password": "correct horse battery"})

    assert Client().post("/auth/login", body, content_type="text/plain").status_code == 200


class TestShutOut:
    """As in a browser: five wrong passwords for one login from one address."""

    def guess(self, times, login="noor", address="10.1.1.1", password="a wrong password"):
        body = {"id": login, "password": password}
        return [Client().post("/auth/login", body, content_type="application/json", REMOTE_ADDR=address) for _ in range(times)]

    def test_who_guesses_is_429_and_told_when_to_come_back(self, noor):
        answers = [*self.guess(6), *self.guess(1, password=PASSWORD)]

        assert [answer.status_code for answer in answers] == [401, 401, 401, 401, 429, 429, 429]
        assert refused(answers[-1]) == (429, "locked_out")
        assert 0 < int(answers[-1].headers["Retry-After"]) <= 15 * 60
        assert not RefreshToken.objects.exists()

    def test_others_get_in_from_there_and_she_from_elsewhere(self, noor, dora):
        self.guess(6)

        assert self.guess(1, login="dora", password=PASSWORD)[0].status_code == 200
        assert self.guess(1, address="10.2.2.2", password=PASSWORD)[0].status_code == 200

    def test_a_good_password_in_between_begins_the_count_anew(self, noor):
        for _ in range(3):
            assert {answer.status_code for answer in self.guess(4)} == {401}
            assert self.guess(1, password=PASSWORD)[0].status_code == 200

    def test_the_page_and_the_token_door_count_together(self, noor):
        self.guess(5)
        page = Client().post("/accounts/login/", {"username": "noor", "password": PASSWORD}, REMOTE_ADDR="10.1.1.1")

        assert page.status_code == 429

    def test_a_refresh_goes_on_meanwhile(self, noor):
        token = login("noor").json()["refresh_token"]
        self.guess(6, address="127.0.0.1")

        assert post("refresh-token", {"refresh_token": token}).status_code == 200


def test_twenty_registrations_an_hour_from_one_address(db, now):
    address = "10.9.9.9"

    def register(place, address=address):
        body = {"id": f"nina{place}", "password": "a violin in the rain", "name": "Nina"}
        return Client().post("/auth/register", body, content_type="application/json", REMOTE_ADDR=address)

    with time_machine.travel(now, tick=False):  # all of them in one hour
        answers = [register(place) for place in range(21)]
        of_another = register(22, "10.9.9.8")

    assert [answer.status_code for answer in answers] == [201] * 20 + [429]
    assert refused(answers[-1]) == (429, "too_many_registrations")
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 3600
    assert of_another.status_code == 201


def test_what_is_shown_that_is_no_token_is_written_down_boundedly(noor):
    for _ in range(50):
        me("x.y.z")
    post("refresh-token", {"refresh_token": "x"})

    rows = [row for row in trail("what", "about", "detail") if row[0] == "refused"]
    assert rows == [("refused", "token", {"why": "invalid_token"})] * 20


def test_an_expired_token_is_not(noor):
    with time_machine.travel(datetime.now(UTC) - timedelta(minutes=10)):
        token = login("noor").json()["access_token"]

    assert refused(me(token)) == (401, "token_expired")
    assert "refused" not in trail("what")


def test_nothing_of_it_is_kept(noor):
    for door in DOORS:
        post(door, {"id": "x" * 300, "password": "", "refresh_token": "\x00"}, bearer="x.y.z")

    assert not RefreshToken.objects.exists()
    assert not SocketTicket.objects.exists()
    assert list(User.objects.values_list("login", flat=True)) == ["noor"]
