"""The second factor: asked for by wards, shown at the door, good once; and half a login opens nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from accounts import factors, sessions, tokens
from accounts.factors import Wanted
from accounts.models import AuditEntry, Membership, SecondFactor, Session, TokenSession, Ward
from accounts.sessions import SessionStore
from tests.access.authenticator import set_up, shown, with_password
from tests.conftest import PASSWORD, signed_in

MINUTE = timedelta(minutes=1)


@pytest.fixture
def strict(north: Ward) -> Ward:
    """North asks for a second factor."""
    Ward.objects.filter(pk=north.pk).update(second_factor=True)
    north.refresh_from_db()
    return north


def is_let_in(client: Client, path: str = "/notices/") -> bool:
    return client.get(path).status_code == 200


def deeds() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("what", flat=True))


class TestTheDoor:
    def test_the_password_alone_leads_to_the_question_for_a_code(self, noor, now):
        set_up(noor, now)

        client, answer = with_password(noor, next="/notices/")

        assert answer["Location"] == "/accounts/code/?next=%2Fnotices%2F"
        assert not is_let_in(client)

    def test_password_and_code_let_in_and_lead_on(self, noor, now):
        phone, _ = set_up(noor, now)
        client, _ = with_password(noor)

        answer = client.post("/accounts/code/", {"code": phone.code(now), "next": "/notices/"})

        assert answer["Location"] == "/notices/"
        assert is_let_in(client)
        assert Session.objects.get(user=noor).second_factor_at >= now
        assert AuditEntry.objects.get(what="signed_in").detail == {"second_factor": True}

    def test_the_session_gets_another_key_at_each_step(self, noor, now):
        phone, _ = set_up(noor, now)
        client = Client()
        keys = []
        for path, form in [
            ("/accounts/login/", {"username": "noor", "password": PASSWORD}),
            ("/accounts/code/", {"code": phone.code(now)}),
        ]:
            client.post(path, form)
            keys.append(client.cookies["sessionid"].value)

        assert len(set(keys)) == 2
        assert SessionStore(keys[0]).get("_auth_user_id") is None

    def test_a_wrong_code_is_told_counted_and_in_the_trail(self, noor, now):
        phone, _ = set_up(noor, now)
        client, _ = with_password(noor)

        answer = client.post("/accounts/code/", {"code": phone.wrong(now)})

        assert "not the code of now" in answer.content.decode()
        assert not is_let_in(client)
        assert set(deeds()) >= {"second_factor_refused", "sign_in_refused"}

    def test_five_wrong_codes_shut_out_as_passwords_do(self, noor, now):
        phone, _ = set_up(noor, now)
        client, _ = with_password(noor)

        statuses = [client.post("/accounts/code/", {"code": phone.wrong(now)}).status_code for _ in range(5)]

        assert statuses == [200] * 4 + [429]
        assert client.post("/accounts/code/", {"code": phone.code(now)}).status_code == 429
        assert with_password(noor)[1].status_code == 429

    def test_the_password_counts_no_longer_than_ten_minutes(self, noor, now):
        phone, _ = set_up(noor, now)
        client, _ = with_password(noor)

        with time_machine.travel(now + 11 * MINUTE, tick=False):
            answer = client.post("/accounts/code/", {"code": phone.code(now + 11 * MINUTE)})

        assert answer["Location"] == "/accounts/login/"

    def test_another_password_meanwhile_ends_it(self, noor, now):
        phone, _ = set_up(noor, now)
        client, _ = with_password(noor)
        noor.set_password("another one of these")
        noor.save()

        assert client.post("/accounts/code/", {"code": phone.code(now)})["Location"] == "/accounts/login/"

    def test_a_deactivated_person_ends_it(self, noor, now):
        phone, _ = set_up(noor, now)
        client, _ = with_password(noor)
        noor.is_active = False
        noor.save()

        assert client.post("/accounts/code/", {"code": phone.code(now)})["Location"] == "/accounts/login/"

    def test_a_code_without_a_password_is_sent_to_the_door(self, noor, now):
        phone, _ = set_up(noor, now)

        assert Client().post("/accounts/code/", {"code": phone.code(now)})["Location"] == "/accounts/login/"

    @pytest.mark.parametrize("code", ["9" * 41, "12\x0034", "x" * 1_000_000])
    def test_what_no_browser_sends_is_refused(self, noor, now, code):
        set_up(noor, now)
        client, _ = with_password(noor)

        assert client.post("/accounts/code/", {"code": code}).status_code == 400


class TestAskedFor:
    def test_who_has_none_is_led_to_set_it_up_before_anything_else(self, noor, strict):
        client, answer = with_password(noor, next="/notices/")

        assert answer["Location"] == "/accounts/second-factor/?next=%2Fnotices%2F"
        assert not is_let_in(client)

    def test_and_is_let_in_with_it(self, noor, strict, now):
        client, _ = with_password(noor)
        phone = shown(client.get("/accounts/second-factor/"))

        answer = client.post("/accounts/second-factor/", {"code": phone.code(now), "next": "/notices/"})

        assert answer.status_code == 200
        assert answer.content.decode().count("<code>") == 10
        assert 'href="/notices/"' in answer.content.decode()
        assert is_let_in(client)
        assert factors.wanted(noor, now=now) == Wanted.CODE

    def test_a_wrong_code_sets_nothing_up_and_the_picture_stays(self, noor, strict, now):
        client, _ = with_password(noor)
        phone = shown(client.get("/accounts/second-factor/"))

        again = shown(client.post("/accounts/second-factor/", {"code": phone.wrong(now)}))

        assert again.totp.secret == phone.totp.secret
        assert not SecondFactor.objects.exists()

    def test_who_has_one_cannot_set_up_another_with_the_password_alone(self, noor, strict, now):
        set_up(noor, now)
        client, _ = with_password(noor)

        assert client.get("/accounts/second-factor/")["Location"] == "/accounts/code/"
        assert client.post("/accounts/second-factor/", {"code": "000000"})["Location"] == "/accounts/code/"

    def test_administrators_are_asked_as_well(self, root, strict):
        assert with_password(root)[1]["Location"] == "/accounts/second-factor/"

    def test_people_of_other_wards_are_not(self, eve, strict):
        assert with_password(eve)[1]["Location"] == "/"

    def test_nor_who_works_there_no_more(self, noor, strict, now):
        Membership.objects.update(ends_at=now - MINUTE)

        assert with_password(noor)[1]["Location"] == "/"

    def test_a_session_from_before_opens_nothing_once_a_ward_asks(self, noor, north):
        client = signed_in(noor)
        assert is_let_in(client)

        Ward.objects.update(second_factor=True)

        assert not is_let_in(client)
        assert Session.objects.get(user=noor).ending == "second_factor"
        assert "second factor is asked of you" in client.get("/", follow=True).content.decode()

    def test_nor_once_the_person_works_in_a_ward_that_asks(self, eve, strict):
        client = signed_in(eve)
        Membership.objects.create(user=eve, ward=strict, role="nurse")

        assert not is_let_in(client, "/wards/south/")

    def test_nor_does_a_staff_token(self, noor, north, now):
        pair = tokens.sign_in(noor, at=now)
        bearer = {"headers": {"Authorization": f"Bearer {pair.access_token}"}}
        assert Client().get("/auth/me", **bearer).status_code == 200

        Ward.objects.update(second_factor=True)

        assert Client().get("/auth/me", **bearer).status_code == 401
        body = {"refresh_token": pair.refresh_token}
        assert Client().post("/auth/refresh-token", body, content_type="application/json").status_code == 401

    def test_living_sessions_are_whole_ones(self, noor, north, now):
        signed_in(noor)
        later = now + timedelta(seconds=1)
        assert Session.objects.living(later).count() == 1

        Ward.objects.update(second_factor=True)

        assert Session.objects.living(later).count() == 0


class TestHalfALogin:
    """Deny by default: no page, no API and no deed, whichever there is or will be."""

    def halves(self, noor, now):
        set_up(noor, now)
        return with_password(noor)[0]

    def test_it_opens_what_a_stranger_opens_and_the_question_for_the_code(self, noor, ada, now):
        half, stranger = self.halves(noor, now), Client()
        paths = [f"/{path}" for path in _paths()]

        opened = {path for path in paths if half.get(path).status_code == 200 != stranger.get(path).status_code}

        assert len(paths) > 20
        assert opened == {"/accounts/code/"}

    def test_nor_the_api(self, noor, ada, now):
        client = self.halves(noor, now)

        assert client.get("/api/v1/patients/P-ADA/thresholds").status_code == 401
        assert client.get("/auth/me").status_code == 401
        assert client.post("/accounts/here").status_code == 401

    def test_it_is_no_living_session(self, noor, now):
        self.halves(noor, now)

        assert not Session.objects.living(now).exists()
        assert not Session.objects.filter(user=noor).exists()


class TestTokens:
    def sign_in(self, **more: str):
        body = {"id": "noor", "password": PASSWORD} | more
        return Client().post("/auth/login", body, content_type="application/json")

    def test_a_program_sends_the_code_with_the_password(self, noor, now):
        phone, _ = set_up(noor, now)

        assert self.sign_in(otp=phone.code(now)).status_code == 200

    def test_without_one_it_is_told_so(self, noor, now):
        set_up(noor, now)

        answer = self.sign_in()

        assert (answer.status_code, answer.json()["code"]) == (401, "second_factor_required")
        assert not TokenSession.objects.exists()

    def test_a_wrong_one_is_401_and_counts(self, noor, now):
        phone, _ = set_up(noor, now)

        answers = [self.sign_in(otp=phone.wrong(now)) for _ in range(5)]

        assert (answers[0].status_code, answers[0].json()["code"]) == (401, "wrong_code")
        assert (answers[-1].status_code, answers[-1].json()["code"]) == (429, "locked_out")
        assert self.sign_in(otp=phone.code(now)).status_code == 429

    def test_who_must_set_one_up_does_so_in_a_browser(self, noor, strict):
        answer = self.sign_in()

        assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_missing")


class TestCost:
    def test_that_a_login_is_whole_is_asked_with_the_session(self, noor, now):
        set_up(noor, now)
        client = signed_in(noor)
        store = SessionStore(client.cookies["sessionid"].value)
        store[sessions.SECOND_FACTOR] = now.isoformat()
        store.save()

        with CaptureQueriesContext(connection) as asked:
            SessionStore(store.session_key).load()

        assert len(asked) == 1


def _paths() -> list[str]:
    """Every address that takes no parameter."""
    found: list[str] = []

    def walk(patterns: Any, before: str = "") -> None:
        for each in patterns:
            route = before + str(getattr(each.pattern, "_route", each.pattern.regex.pattern))
            if hasattr(each, "url_patterns"):
                walk(each.url_patterns, route)
            elif "<" not in route and "(" not in route:
                found.append(route.replace("^", "").replace("$", "").replace("\\Z", "").replace("\\", ""))

    walk(get_resolver().url_patterns)
    return found
