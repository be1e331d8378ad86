"""Signing in: who is let in, who is shut out and for how long, and what the trail says of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import hashers
from django.db import OperationalError
from django.test import Client

from accounts import audit
from accounts.models import AuditEntry, FailedSignIn, Session, User
from tests.admin.pages import act, address, said
from tests.conftest import PASSWORD, signed_in

MINUTE = timedelta(minutes=1)
HERE, ELSEWHERE = "10.1.1.1", "10.2.2.2"


def attempt(login: str = "noor", password: str = PASSWORD, at: str = HERE, client: Client | None = None, **more: str):
    return (client or Client()).post("/accounts/login/", {"username": login, "password": password} | more, REMOTE_ADDR=at)


def guess(times: int, login: str = "noor", at: str = HERE) -> list[int]:
    return [attempt(login, "a wrong password", at).status_code for _ in range(times)]


def trail() -> list[tuple[str, str]]:
    return list(AuditEntry.objects.order_by("pk").values_list("what", "about"))


class TestTheDoor:
    def test_it_leads_back_to_where_one_was(self, noor):
        assert attempt(next="/notices/")["Location"] == "/notices/"

    @pytest.mark.parametrize("outside", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
    def test_and_nowhere_else(self, noor, outside):
        assert attempt(next=outside)["Location"] == "/"

    def test_the_trail_says_who_came_and_went(self, noor):
        client = Client()

        attempt(client=client)
        client.post("/accounts/logout/", REMOTE_ADDR=HERE)

        entries = AuditEntry.objects.order_by("pk")
        assert [(entry.what, entry.user, entry.address) for entry in entries] == [
            ("signed_in", noor, HERE),
            ("signed_out", noor, HERE),
        ]

    def test_signing_out_empties_the_browsers_cache_and_keeps_its_cookies(self, noor):
        answer = signed_in(noor).post("/accounts/logout/")

        assert answer["Clear-Site-Data"] == '"cache"'
        assert Client().post("/accounts/logout/").status_code == 302

    def test_a_wrong_password_says_no_more_than_that(self, noor):
        known = attempt(password="a wrong password").content.decode()
        unknown = attempt("nobody", "a wrong password").content.decode()

        assert "do not belong together" in known
        assert "do not belong together" in unknown

    def test_a_wrong_password_is_in_the_trail_and_what_was_typed_is_not(self, noor):
        attempt("Noor@example.org", "a wrong password")
        attempt("my secret typed here", "a wrong password")

        whats, abouts = zip(*trail(), strict=True)
        assert set(whats) == {"sign_in_refused"}
        assert abouts[0] == "user:noor"
        assert "secret" not in abouts[1]
        assert not FailedSignIn.objects.filter(username__contains="secret").exists()

    def test_the_administration_has_no_door_of_its_own(self, noor, root):
        assert Client().get("/admin/login/?next=/admin/")["Location"] == "/accounts/login/?next=/admin/"
        assert Client().post("/admin/login/", {"username": "root", "password": PASSWORD}).status_code == 302
        assert not Session.objects.exists()

    def test_who_is_no_staff_is_told_so(self, noor):
        answer = signed_in(noor).get("/admin/", follow=True)

        assert answer.status_code == 403
        assert "does not open the administration" in answer.content.decode()

    @pytest.mark.parametrize(
        ("ending", "word"),
        [
            ("idle", "nobody used this screen"),
            ("too_old", "end of a long shift"),
            ("by_person", "from another one"),
            ("by_administrator", "An administrator"),
            ("password", "password was changed"),
        ],
    )
    def test_it_says_why_one_must_sign_in_again(self, noor, now, ending, word):
        client = signed_in(noor)
        Session.objects.filter(user=noor).update(ended_at=now, ending=ending)

        assert word in client.get("/", follow=True).content.decode()

    def test_there_is_nobody_before_the_first_was_invited(self, db):
        assert not User.objects.exists()

    @pytest.mark.parametrize("fault", [("database is locked",), (1205, "Lock wait timeout"), (1213, "Deadlock found")])
    def test_a_busy_database_asks_to_come_again(self, noor, monkeypatch, fault):
        def busy(*args: object, **kwargs: object) -> None:
            raise OperationalError(*fault)

        monkeypatch.setattr(audit, "record", busy)

        answer = attempt()

        assert (answer.status_code, answer["Retry-After"]) == (503, "5")

    def test_any_other_fault_stays_one(self, noor, monkeypatch):
        def broken(*args: object, **kwargs: object) -> None:
            raise OperationalError(2006, "Server has gone away")

        monkeypatch.setattr(audit, "record", broken)

        with pytest.raises(OperationalError):
            attempt()


class TestBadInput:
    """Refused as a request, audited, and nothing is hashed for it."""

    @pytest.fixture
    def hashes(self, monkeypatch) -> list[str]:
        seen: list[str] = []
        usual = hashers.MD5PasswordHasher.encode

        def noted(self: hashers.MD5PasswordHasher, password: str, salt: str) -> str:
            seen.append(password[:20])
            return usual(self, password, salt)

        monkeypatch.setattr(hashers.MD5PasswordHasher, "encode", noted)
        return seen

    @pytest.mark.parametrize(
        ("login", "password"),
        [
            ("noor", "x" * 1_000_000),
            ("noor", "x" * 257),
            ("noor", "pass\0word"),
            ("no\0or", PASSWORD),
            ("n" * 1_000_000, PASSWORD),
        ],
    )
    def test_what_can_be_no_password(self, noor, hashes, login, password):
        hashes.clear()

        assert attempt(login, password).status_code == 400
        assert hashes == []
        assert trail() == [("sign_in_refused", "")]

    def test_a_backend_that_is_asked_past_the_form_hashes_nothing_either(self, noor, hashes):
        hashes.clear()

        assert not Client().login(username="noor", password="x" * 1_000_000)
        assert hashes == []

    def test_an_unknown_login_costs_a_hash_as_any_other(self, noor, hashes):
        hashes.clear()
        attempt(password="a wrong password")
        known = len(hashes)

        attempt("nobody", "a wrong password")

        assert len(hashes) == 2 * known > 0

    @pytest.mark.parametrize("body", [{}, {"username": "noor"}, {"password": "x"}, {"username": "", "password": ""}])
    def test_an_empty_form_is_shown_again(self, noor, body):
        assert Client().post("/accounts/login/", body).status_code == 200

    def test_a_form_without_its_token_is_refused(self, noor):
        strict = Client(enforce_csrf_checks=True)

        assert attempt(client=strict).status_code == 403


class TestLockout:
    def test_five_wrong_passwords_shut_a_login_out_from_there(self, noor):
        assert guess(5) == [200, 200, 200, 200, 429]

        assert attempt().status_code == 429

    def test_the_page_says_when_to_come_back(self, noor):
        guess(5)

        answer = attempt()

        assert 0 < int(answer["Retry-After"]) <= 15 * 60
        assert "Try again in 15 min" in answer.content.decode()

    def test_nobody_shuts_a_nurse_out_from_elsewhere(self, noor):
        guess(5, at=ELSEWHERE)

        assert attempt(at=HERE).status_code == 302

    def test_others_sign_in_at_the_same_computer(self, noor, dora):
        guess(5)

        assert attempt("dora").status_code == 302

    def test_login_and_email_are_one(self, noor):
        assert guess(3) + guess(2, "NOOR@example.org") == [200, 200, 200, 200, 429]

    def test_another_browser_does_not_begin_anew(self, noor):
        for browser in "abcde":
            Client(headers={"User-Agent": browser}).post(
                "/accounts/login/", {"username": "noor", "password": "wrong"}, REMOTE_ADDR=HERE
            )

        assert attempt().status_code == 429

    def test_a_login_that_is_nobodys_is_shut_out_as_well(self, db):
        assert guess(5, "nobody")[-1] == 429

    def test_after_a_quarter_of_an_hour_it_opens(self, noor, now):
        guess(5)

        with time_machine.travel(now + 14 * MINUTE, tick=False):
            assert attempt().status_code == 429
        with time_machine.travel(now + 16 * MINUTE, tick=False):
            assert attempt().status_code == 302

    def test_trying_while_shut_out_makes_it_no_longer(self, noor, now):
        guess(5)
        with time_machine.travel(now + 10 * MINUTE, tick=False):
            guess(5)

        with time_machine.travel(now + 16 * MINUTE, tick=False):
            assert attempt().status_code == 302

    def test_success_makes_the_earlier_ones_good(self, noor):
        guess(4)
        attempt()

        assert guess(4) == [200] * 4
        assert attempt().status_code == 302

    def test_the_trail_has_each_failure_and_the_lockout_once(self, noor):
        guess(8)

        assert [what for what, _ in trail()].count("sign_in_refused") == 5
        assert [what for what, _ in trail()].count("locked_out") == 1

    def test_behind_proxies_it_is_the_clients_address_that_counts(self, noor, dora, settings):
        settings.PROXIES = 1
        proxied = {"REMOTE_ADDR": "10.9.9.9", "headers": {"X-Forwarded-For": HERE}}
        for _ in range(5):
            Client().post("/accounts/login/", {"username": "noor", "password": "wrong"}, **proxied)

        other = {"REMOTE_ADDR": "10.9.9.9", "headers": {"X-Forwarded-For": ELSEWHERE}}
        assert Client().post("/accounts/login/", {"username": "noor", "password": PASSWORD}, **proxied).status_code == 429
        assert Client().post("/accounts/login/", {"username": "noor", "password": PASSWORD}, **other).status_code == 302


class TestLifted:
    def test_an_administrator_sees_who_is_shut_out_and_lets_him_in(self, noor, root):
        guess(5)
        office = signed_in(root)
        page = office.get(address(FailedSignIn)).content.decode()
        assert "noor" in page
        assert HERE in page

        answer = act(office, FailedSignIn, "lift", FailedSignIn.objects.get())

        assert said(answer) == ["1 may try again."]
        assert attempt().status_code == 302
        entry = AuditEntry.objects.get(what="lockout_lifted")
        assert (entry.user, entry.about) == (root, "user:noor")

    def test_nothing_there_is_written_by_hand(self, noor, root):
        guess(1)
        office = signed_in(root)
        row = FailedSignIn.objects.get()

        assert office.get(address(FailedSignIn, "add")).status_code == 403
        assert office.post(address(FailedSignIn, "change", row.pk), {"username": "x"}).status_code == 403
        assert office.post(address(FailedSignIn, "delete", row.pk), {"post": "yes"}).status_code == 403

    def test_what_is_kept_of_an_attempt_holds_no_password(self, noor):
        attempt(password="a secret that was mistyped", next="/wards/north/")

        kept = FailedSignIn.objects.values().get()
        assert not [value for value in kept.values() if "secret" in str(value) or "wards" in str(value)]
