"""Staff tokens: three minutes, one hour, seven days; several devices; what ends them."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from accounts import sealing, tokens
from accounts.models import AuditEntry, Deed, RefreshFamily, RefreshToken, TokenSession
from tests.access.bearers import get, login, me, post, refresh, refused
from tests.conftest import PASSWORD, signed_in

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def clock(now):
    with time_machine.travel(now, tick=False) as moving:
        yield moving


def deeds(*what: Deed) -> list[str]:
    return list(AuditEntry.objects.filter(what__in=what).order_by("pk").values_list("what", flat=True))


class TestLogin:
    @pytest.mark.parametrize("word", ["noor", "noor@example.org", "NOOR", "Noor@Example.org"])
    def test_by_login_or_e_mail_one_gets_two_tokens_for_an_hour(self, noor, clock, now, word):
        answer = login(word)

        assert answer.status_code == 200
        assert sorted(answer.json()) == ["access_token", "expires_at", "refresh_token", "token_type"]
        assert answer.json()["token_type"] == "bearer"
        assert datetime.fromisoformat(answer.json()["expires_at"]) == now + HOUR
        assert answer.headers["Cache-Control"] == "no-store"
        assert me(answer.json()["access_token"]).json()["id"] == "noor"

    @pytest.mark.parametrize(("word", "password"), [("nobody", PASSWORD), ("noor", "wrong"), ("nobody@example.org", PASSWORD)])
    def test_an_unknown_id_and_a_wrong_password_are_the_same_401(self, noor, word, password):
        answer = login(word, password)

        assert refused(answer) == (401, "wrong_login")
        assert answer.headers["WWW-Authenticate"] == "Bearer"

    def test_a_letter_that_only_resembles_is_another_login(self, noor):
        assert refused(login("nóor")) == (401, "wrong_login")

    def test_who_left_does_not_get_in(self, noor):
        noor.is_active = False
        noor.save()

        assert refused(login("noor")) == (401, "wrong_login")

    def test_a_second_login_within_the_hour_answers_the_same_session_with_a_fresh_token(self, noor, clock):
        first = login("noor").json()
        clock.shift(59 * MINUTE)
        second = login("noor").json()

        assert second["expires_at"] == first["expires_at"]
        assert second["access_token"] != first["access_token"]
        assert second["refresh_token"] != first["refresh_token"]
        assert me(second["access_token"]).status_code == 200
        assert TokenSession.objects.count() == 1

    def test_a_login_after_the_hour_starts_another_session(self, noor, clock, now):
        login("noor")
        clock.shift(HOUR)

        assert datetime.fromisoformat(login("noor").json()["expires_at"]) == now + 2 * HOUR

    def test_two_logins_at_once_share_a_session(self, transactional_db, noor):
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: _closing(lambda: login("noor")), range(4)))

        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.json()["expires_at"] for answer in answers}) == 1
        assert TokenSession.objects.count() == 1

    def test_an_unknown_login_costs_a_password_hash_as_well(self, db, monkeypatch):
        hashed = []
        monkeypatch.setattr("accounts.models.User.set_password", lambda user, password: hashed.append(password))

        login("nobody", "a guess")

        assert hashed == ["a guess"]


class TestRefresh:
    def test_within_the_hour_the_end_stays_and_the_access_token_is_new(self, noor, clock):
        first = login("noor").json()
        clock.shift(30 * MINUTE)
        second = refresh(first["refresh_token"]).json()

        assert second["expires_at"] == first["expires_at"]
        assert second["access_token"] != first["access_token"]
        assert me(second["access_token"]).status_code == 200
        assert refused(me(first["access_token"])) == (401, "token_expired")

    def test_after_the_hour_the_end_is_new_without_a_login(self, noor, clock, now):
        first = login("noor").json()
        clock.shift(HOUR + MINUTE)
        second = refresh(first["refresh_token"]).json()

        assert datetime.fromisoformat(second["expires_at"]) == now + 2 * HOUR + MINUTE
        assert me(second["access_token"]).status_code == 200

    def test_a_refresh_token_lives_seven_days_and_its_heir_seven_more(self, noor, clock):
        token = login("noor").json()["refresh_token"]
        for _ in range(2):
            clock.shift(7 * DAY - MINUTE)
            token = refresh(token).json()["refresh_token"]
        clock.shift(7 * DAY)

        assert refused(refresh(token)) == (401, "invalid_refresh_token")

    def test_after_thirty_days_a_person_signs_in_again(self, noor, clock):
        token = login("noor").json()["refresh_token"]
        for _ in range(5):
            clock.shift(6 * DAY)
            answer = refresh(token)
            token = answer.json().get("refresh_token", token)

        assert refused(answer) == (401, "invalid_refresh_token")

    def test_a_token_shown_twice_ends_its_family_and_the_session_and_is_written_down(self, noor, clock):
        first = login("noor").json()
        second = refresh(first["refresh_token"]).json()

        assert refused(refresh(first["refresh_token"])) == (401, "invalid_refresh_token")

        assert refused(refresh(second["refresh_token"])) == (401, "invalid_refresh_token")
        assert refused(me(second["access_token"])) == (401, "session_over")
        assert deeds(Deed.TOKEN_REUSED) == ["token_reused"]
        assert AuditEntry.objects.get(what=Deed.TOKEN_REUSED).about == "user:noor"

    def test_one_that_expired_unused_is_no_theft(self, noor, clock):
        first, other = login("noor").json(), login("noor").json()
        clock.shift(7 * DAY)
        login("noor")

        assert refused(refresh(first["refresh_token"])) == (401, "invalid_refresh_token")
        assert not RefreshFamily.objects.exclude(ended_at=None).exists()
        assert deeds(Deed.TOKEN_REUSED) == []
        assert other

    def test_theft_on_one_device_leaves_the_other_its_way_back(self, noor):
        phone, desk = login("noor").json(), login("noor").json()
        refresh(phone["refresh_token"])
        refresh(phone["refresh_token"])

        assert refused(me(desk["access_token"])) == (401, "session_over")
        assert me(refresh(desk["refresh_token"]).json()["access_token"]).status_code == 200

    def test_one_device_refreshes_and_the_other_goes_on(self, noor, clock):
        phone, desk = login("noor").json(), login("noor").json()
        clock.shift(MINUTE)
        for _ in range(3):
            phone = refresh(phone["refresh_token"]).json()

        assert me(phone["access_token"]).status_code == me(desk["access_token"]).status_code == 200
        assert refresh(desk["refresh_token"]).status_code == 200

    def test_of_two_at_once_with_one_token_one_wins_and_it_counts_as_theft(self, transactional_db, noor):
        token = login("noor").json()["refresh_token"]

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: _closing(lambda: refresh(token)), range(4)))

        assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]
        won = next(answer.json() for answer in answers if answer.status_code == 200)
        assert refused(refresh(won["refresh_token"])) == (401, "invalid_refresh_token")
        assert deeds(Deed.TOKEN_REUSED) == ["token_reused"]
        assert login("noor").status_code == 200

    def test_many_devices_refresh_at_once_and_all_go_on(self, transactional_db, noor):
        devices = [login("noor").json()["refresh_token"] for _ in range(4)]

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda token: _closing(lambda: refresh(token)), devices))

        assert {answer.status_code for answer in answers} == {200}
        assert TokenSession.objects.count() == 1

    @pytest.mark.parametrize("token", ["x", "é", "\x00", "x" * 1024, "svc-a.b"])
    def test_a_token_that_never_was_is_401(self, noor, token):
        assert refused(refresh(token)) == (401, "invalid_refresh_token")


class TestEnds:
    def test_logout_ends_the_session_and_every_refresh_token_at_once(self, noor, dora):
        desk, phone, hers = login("noor").json(), login("noor").json(), login("dora").json()

        assert post("logout", bearer=desk["access_token"]).status_code == 204

        for device in (desk, phone):
            assert refused(me(device["access_token"])) == (401, "session_over")
            assert refused(refresh(device["refresh_token"])) == (401, "invalid_refresh_token")
        assert me(hers["access_token"]).status_code == 200
        assert deeds(Deed.SIGNED_OUT) == ["signed_out"]

    def test_logout_by_the_refresh_token_when_the_other_has_expired(self, noor, clock):
        device = login("noor").json()
        clock.shift(10 * MINUTE)

        assert post("logout", {"refresh_token": device["refresh_token"]}).status_code == 204
        assert refused(refresh(device["refresh_token"])) == (401, "invalid_refresh_token")

    @pytest.mark.parametrize("body", [None, {"refresh_token": "x"}])
    def test_nobody_cannot_log_out(self, db, body):
        assert refused(post("logout", body)) == (401, "not_authenticated")

    def test_who_is_deactivated_is_out_at_once(self, noor):
        device = login("noor").json()

        noor.is_active = False
        noor.save()
        assert refused(me(device["access_token"])) == (401, "session_over")
        assert refused(refresh(device["refresh_token"])) == (401, "invalid_refresh_token")

    def test_another_password_ends_all_by_whichever_way_it_came(self, noor):
        device = login("noor").json()

        noor.set_password("another good password")
        noor.save()

        assert refused(me(device["access_token"])) == (401, "session_over")
        assert refused(refresh(device["refresh_token"])) == (401, "invalid_refresh_token")
        assert tokens.living([TokenSession.objects.get().pk], now=datetime.now(UTC)) == {}
        assert me(login("noor", "another good password").json()["access_token"]).status_code == 200

    def test_all_of_a_person_can_be_ended(self, noor, now):
        device = login("noor").json()

        tokens.end_all(noor, at=now)

        assert refused(me(device["access_token"])) == (401, "session_over")
        assert refused(refresh(device["refresh_token"])) == (401, "invalid_refresh_token")

    def test_sockets_ask_for_many_sessions_by_one_query(self, noor, dora, vera, django_assert_num_queries):
        for person in (noor, dora, vera):
            login(person.login)
        ids = list(TokenSession.objects.values_list("pk", flat=True))
        tokens.end_all(vera, at=datetime.now(UTC))

        with django_assert_num_queries(1):
            found = tokens.living([*ids, 4711], now=datetime.now(UTC))

        assert sorted(user.login for user in found.values()) == ["dora", "noor"]


class TestAtRest:
    def test_a_refresh_token_is_kept_sealed_and_found_by_its_hash(self, noor):
        token = login("noor").json()["refresh_token"]

        row = RefreshToken.objects.get()
        assert token not in f"{row.digest} {row.sealed}"
        assert row.digest == hashlib.sha256(token.encode()).hexdigest()
        assert sealing.unseal(row.sealed, about=f"accounts.refresh_token:{row.digest}") == token

    def test_a_row_that_was_tampered_with_opens_nothing(self, noor, dora, caplog):
        token, _ = login("noor").json()["refresh_token"], login("dora")
        hers = RefreshToken.objects.get(family__user=dora)

        RefreshToken.objects.filter(family__user=noor).update(sealed=hers.sealed)

        assert refused(refresh(token)) == (401, "invalid_refresh_token")
        assert token not in caplog.text

    def test_no_token_is_in_any_column_log_or_audit_row(self, noor, caplog):
        caplog.set_level("DEBUG")
        device = login("noor").json()
        refresh(device["refresh_token"])
        refresh(device["refresh_token"])
        me(device["access_token"] + "x")

        kept = str([list(model.objects.values_list()) for model in (RefreshToken, RefreshFamily, TokenSession, AuditEntry)])
        for secret in (device["refresh_token"], device["access_token"], PASSWORD):
            assert secret not in kept
            assert secret not in caplog.text

    def test_the_same_password_is_hashed_differently(self, noor, dora):
        assert noor.check_password(PASSWORD) and dora.check_password(PASSWORD)
        assert noor.password != dora.password


class TestMe:
    def test_who_and_where_and_until_when(self, noor, clock, now):
        answer = me(login("noor").json()["access_token"]).json()

        assert answer == {
            "id": "noor",
            "kind": "person",
            "name": "Noor",
            "email": "noor@example.org",
            "administrator": False,
            "wards": [{"ward": "north", "role": "nurse"}],
            "expires_at": answer["expires_at"],
        }
        assert datetime.fromisoformat(answer["expires_at"]) == now + HOUR

    def test_the_alias_and_a_browser_say_the_same(self, noor):
        token = login("noor").json()["access_token"]

        assert get("/api/v1/staff/me", bearer=token).json() == me(token).json()
        assert signed_in(noor).get("/auth/me").json() == me(token).json() | {"expires_at": None}

    def test_a_stranger_is_401(self, client, db):
        answer = client.get("/auth/me")

        assert refused(answer) == (401, "not_authenticated")
        assert answer.headers["WWW-Authenticate"] == "Bearer"

    def test_a_bad_token_is_not_saved_by_a_browser_that_is_signed_in(self, noor):
        answer = signed_in(noor).get("/auth/me", headers={"Authorization": "Bearer x"})

        assert refused(answer) == (401, "invalid_token")

    def test_it_costs_the_token_and_the_wards(self, noor, django_assert_num_queries):
        token = login("noor").json()["access_token"]

        with django_assert_num_queries(2):
            me(token)


def _closing(ask):
    """In a thread, whose connection nobody else would close."""
    try:
        return ask()
    finally:
        connections.close_all()


def test_a_login_takes_a_constant_number_of_queries(noor):
    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            login("noor")
        return len(seen)

    login("noor")

    assert cost() == cost() < 15
