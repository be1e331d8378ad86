"""My account: where I am signed in, and what I change of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import factors, tokens
from accounts.models import AuditEntry, SecondFactor, Session, Ward
from tests.access.authenticator import set_up, shown, with_password
from tests.conftest import PASSWORD, signed_in

NEW = "another sentence of mine"


def is_let_in(client: Client) -> bool:
    return client.get("/notices/").status_code == 200


def session_of(client: Client) -> Session:
    """The row behind a browser: the newest, for who signed in last."""
    return Session.objects.order_by("-pk")[0]


class TestPage:
    def test_it_shows_who_one_is_and_where_one_works(self, noor):
        page = signed_in(noor).get("/accounts/me/").content.decode()

        assert "noor@example.org" in page
        assert "North as nurse" in page

    def test_it_shows_every_browser_and_program_and_which_is_this_one(self, noor, now):
        firefox = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"
        elsewhere = Client(REMOTE_ADDR="10.7.7.7", headers={"User-Agent": firefox})
        elsewhere.post("/accounts/login/", {"username": "noor", "password": PASSWORD})
        tokens.sign_in(noor, at=now)

        page = signed_in(noor).get("/accounts/me/").content.decode()

        assert "Firefox on Windows" in page
        assert "10.7.7.7" in page
        assert page.count("this one") == 1 + page.count("End all but this one")
        assert "A program with your password" in page

    def test_nothing_of_anybody_else(self, noor, dora):
        signed_in(dora)

        assert signed_in(noor).get("/accounts/me/").content.decode().count("last seen") == 1

    def test_nothing_that_is_over(self, noor, now):
        signed_in(noor)
        Session.objects.update(seen_at=now - timedelta(minutes=16))

        assert signed_in(noor).get("/accounts/me/").content.decode().count("last seen") == 1

    def test_ten_browsers_cost_no_more_queries_than_one(self, noor):
        client = signed_in(noor)

        def queries() -> int:
            with CaptureQueriesContext(connection) as asked:
                client.get("/accounts/me/")
            return len(asked)

        first = queries()
        for _ in range(9):
            signed_in(noor)

        assert queries() == first <= 8

    @pytest.mark.parametrize("path", ["me/", "me/password/", "second-factor/remove/", "second-factor/codes/"])
    def test_a_stranger_is_sent_to_the_door(self, db, path):
        assert Client().get(f"/accounts/{path}")["Location"].startswith("/accounts/login/")


class TestEnding:
    def test_one_browser(self, noor):
        other, here = signed_in(noor), Client()
        theirs = session_of(other)
        here.force_login(noor)

        here.post("/accounts/me/end", {"session": theirs.pk})

        assert not is_let_in(other)
        assert is_let_in(here)
        entry = AuditEntry.objects.get(what="sessions_ended")
        assert (entry.user, entry.detail) == (noor, {"count": 1, "why": "by_person"})

    def test_this_one_ends_by_signing_out(self, noor):
        client = signed_in(noor)

        client.post("/accounts/me/end", {"session": session_of(client).pk})

        assert is_let_in(client)

    def test_nobody_elses(self, noor, dora):
        doras = signed_in(dora)
        key = session_of(doras).pk

        assert signed_in(noor).post("/accounts/me/end", {"session": key}).status_code == 404
        assert is_let_in(doras)

    @pytest.mark.parametrize("key", ["0", "-1", "x", "9" * 5000, "٣", "1\0"])
    @pytest.mark.parametrize("field", ["session", "program"])
    def test_a_key_that_is_none_is_404(self, noor, field, key):
        assert signed_in(noor).post("/accounts/me/end", {field: key}).status_code == 404

    def test_one_program(self, noor, now):
        kept, ended = tokens.sign_in(noor, at=now), tokens.sign_in(noor, at=now)
        family = noor.refresh_families.order_by("-pk")[0]

        signed_in(noor).post("/accounts/me/end", {"program": family.pk})

        with pytest.raises(tokens.WrongRefreshToken):
            tokens.renew(ended.refresh_token, at=now)
        assert tokens.renew(kept.refresh_token, at=now)

    def test_all_but_this_one(self, noor, now):
        other, here = signed_in(noor), signed_in(noor)
        pair = tokens.sign_in(noor, at=now)

        here.post("/accounts/me/end-others")

        assert not is_let_in(other)
        assert is_let_in(here)
        with pytest.raises(tokens.WrongRefreshToken):
            tokens.renew(pair.refresh_token, at=now)

    @pytest.mark.parametrize("path", ["me/end", "me/end-others"])
    def test_it_takes_a_post_with_the_token(self, noor, path):
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(noor)

        assert strict.post(f"/accounts/{path}").status_code == 403
        assert signed_in(noor).get(f"/accounts/{path}").status_code == 405


class TestPassword:
    def change(self, client: Client, old: str = PASSWORD, new: str = NEW, again: str = NEW):
        return client.post("/accounts/me/password/", {"password": old, "new_password": new, "again": again})

    def test_another_one_signs_out_everywhere_else(self, noor, now):
        other, here = signed_in(noor), signed_in(noor)
        pair = tokens.sign_in(noor, at=now)
        key = here.cookies["sessionid"].value

        assert self.change(here)["Location"] == "/accounts/me/"

        assert not is_let_in(other)
        assert is_let_in(here)
        assert here.cookies["sessionid"].value != key
        with pytest.raises(tokens.WrongRefreshToken):
            tokens.renew(pair.refresh_token, at=now)
        assert Client().login(username="noor", password=NEW)
        assert [entry.what for entry in AuditEntry.objects.filter(user=noor).order_by("-pk")[:2]] == [
            "password_changed",
            "sessions_ended",
        ]

    @pytest.mark.parametrize(
        ("old", "new", "again", "fault"),
        [
            ("a wrong password", NEW, NEW, "not your password"),
            (PASSWORD, NEW, "something else entirely", "not the same"),
            (PASSWORD, "short", "short", "too short"),
            (PASSWORD, "password2026!", "password2026!", "common word"),
            (PASSWORD, "noor@example.org!!", "noor@example.org!!", "too similar"),
            (PASSWORD, "", "", "required"),
        ],
    )
    def test_what_is_wrong_is_named(self, noor, old, new, again, fault):
        client = signed_in(noor)

        assert fault in self.change(client, old, new, again).content.decode()
        assert Client().login(username="noor", password=PASSWORD)

    def test_guessing_the_old_one_shuts_out_as_at_the_door(self, noor):
        client = signed_in(noor)

        assert [self.change(client, old="a wrong one").status_code for _ in range(5)] == [200] * 4 + [429]
        assert self.change(client).status_code == 429

    def test_a_weak_new_one_costs_no_attempt(self, noor):
        client = signed_in(noor)

        for _ in range(6):
            assert self.change(client, old="a wrong one", new="short", again="short").status_code == 200

    @pytest.mark.parametrize("field", ["password", "new_password", "again"])
    @pytest.mark.parametrize("value", ["x" * 1_000_000, "nul\0nul"])
    def test_what_no_browser_sends_is_refused(self, noor, field, value):
        form = {"password": PASSWORD, "new_password": NEW, "again": NEW} | {field: value}

        assert signed_in(noor).post("/accounts/me/password/", form).status_code == 400

    def test_the_administrations_own_way_leads_here(self, root):
        assert signed_in(root).get("/admin/password_change/")["Location"] == "/accounts/me/password/"


class TestSecondFactor:
    def test_it_is_set_up_with_the_password_and_the_others_are_signed_out(self, noor, now):
        other, here = signed_in(noor), signed_in(noor)
        phone = shown(here.get("/accounts/second-factor/"))

        page = here.post("/accounts/second-factor/", {"code": phone.code(now), "password": PASSWORD})

        assert page.content.decode().count("<code>") == 10
        assert is_let_in(here)
        assert not is_let_in(other)
        assert AuditEntry.objects.filter(what="second_factor_set", user=noor).count() == 1
        assert "10 recovery codes left" in here.get("/accounts/me/").content.decode()

    def test_not_without_the_password(self, noor, now):
        here = signed_in(noor)
        phone = shown(here.get("/accounts/second-factor/"))

        page = here.post("/accounts/second-factor/", {"code": phone.code(now), "password": "a wrong one"})

        assert "not your password" in page.content.decode()
        assert not SecondFactor.objects.exists()

    def whole(self, noor, now):
        phone, codes = set_up(noor, now)
        client, _ = with_password(noor)
        client.post("/accounts/code/", {"code": codes[0]})
        return client, phone

    def test_it_is_given_up_with_password_and_code(self, noor, now):
        client, phone = self.whole(noor, now)

        answer = client.post("/accounts/second-factor/remove/", {"code": phone.code(now), "password": PASSWORD})

        assert answer["Location"] == "/accounts/second-factor/"
        assert factors.wanted(noor, now=now) == factors.Wanted.NOTHING
        assert AuditEntry.objects.filter(what="second_factor_removed", user=noor).count() == 1

    @pytest.mark.parametrize(("right_code", "password"), [(False, PASSWORD), (True, "a wrong one")])
    def test_not_with_one_of_them(self, noor, now, right_code, password):
        client, phone = self.whole(noor, now)
        code = phone.code(now) if right_code else phone.wrong(now)

        client.post("/accounts/second-factor/remove/", {"code": code, "password": password})

        assert SecondFactor.objects.exists()

    def test_where_a_ward_asks_for_one_the_next_is_set_up_at_once(self, noor, north, now):
        client, phone = self.whole(noor, now)
        Ward.objects.update(second_factor=True)
        client.post("/accounts/second-factor/remove/", {"code": phone.code(now), "password": PASSWORD})

        new = shown(client.get("/accounts/second-factor/"))
        client.post("/accounts/second-factor/", {"code": new.code(now), "password": PASSWORD})

        assert is_let_in(client)
        assert with_password(noor)[1]["Location"] == "/accounts/code/"

    def test_new_recovery_codes_take_the_password(self, noor, now):
        client, _ = self.whole(noor, now)

        assert client.post("/accounts/second-factor/codes/", {"password": "a wrong one"}).content.decode().count("<code>") == 0
        assert client.post("/accounts/second-factor/codes/", {"password": PASSWORD}).content.decode().count("<code>") == 10

    @pytest.mark.parametrize("path", ["remove/", "codes/"])
    def test_who_has_none_has_none_to_change(self, noor, path):
        assert signed_in(noor).get(f"/accounts/second-factor/{path}")["Location"] == "/accounts/me/"

    def test_the_picture_is_drawn_without_a_style_or_a_script(self, noor):
        page = signed_in(noor).get("/accounts/second-factor/").content.decode()

        drawing = page[page.index("<svg") : page.index("</svg>")]
        assert "style" not in drawing
        assert "<script" not in drawing
