"""A session lives as long as a person is there, and no longer than a shift."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth import SESSION_KEY
from django.core.checks import run_checks
from django.db import OperationalError, connection
from django.db.models import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.agents import browser_of
from accounts.models import Session, User
from accounts.sessions import SessionStore
from tests.conftest import PASSWORD, signed_in

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
Ending = Session.Ending


def hers(user: User) -> Session:
    return Session.objects.get(user=user)


def rewind(session: Session, *, seen: timedelta = timedelta(), begun: timedelta = timedelta()) -> None:
    """As if the session had been seen, and had begun, so much earlier."""
    Session.objects.filter(pk=session.pk).update(seen_at=session.seen_at - seen, created_at=session.created_at - begun)


def is_let_in(client: Client) -> bool:
    return client.get("/wards/north/").status_code == 200


class TestIdle:
    def test_who_did_nothing_for_a_quarter_of_an_hour_signs_in_again(self, noor):
        client = signed_in(noor)
        rewind(hers(noor), seen=15 * MINUTE)

        assert client.get("/wards/north/")["Location"] == "/accounts/login/?next=/wards/north/"
        assert hers(noor).ending == Ending.IDLE

    def test_a_minute_less_is_not_idle(self, noor):
        client = signed_in(noor)
        rewind(hers(noor), seen=14 * MINUTE)

        assert is_let_in(client)

    def test_looking_at_pages_keeps_one_signed_in(self, noor, now):
        client = signed_in(noor)
        rewind(hers(noor), seen=14 * MINUTE)

        client.get("/wards/north/")

        assert hers(noor).seen_at >= now

    def test_what_is_over_wakes_by_no_clock_that_is_set_back(self, noor):
        client = signed_in(noor)
        rewind(hers(noor), seen=15 * MINUTE)
        client.get("/")
        Session.objects.update(seen_at=hers(noor).seen_at + HOUR)

        assert not is_let_in(client)

    def test_a_time_in_the_future_is_mended_by_the_next_act(self, noor, now):
        client = signed_in(noor)
        rewind(hers(noor), seen=-HOUR)

        client.get("/wards/north/")

        assert hers(noor).seen_at < now + MINUTE

    def test_the_setting_holds(self, noor, settings):
        settings.SESSION_IDLE = 5 * MINUTE
        client = signed_in(noor)
        rewind(hers(noor), seen=6 * MINUTE)

        assert not is_let_in(client)

    def test_an_api_says_401(self, dora, ada):
        client = signed_in(dora)
        rewind(hers(dora), seen=15 * MINUTE)

        assert client.get("/api/v1/patients/P-ADA/thresholds").status_code == 401


class TestOnlyAPersonCounts:
    """Whatever a page asks by itself, it keeps nobody signed in."""

    def touches(self, client: Client, user: User, method: str, path: str, **more: object) -> bool:
        rewind(hers(user), seen=2 * MINUTE)
        before = hers(user).seen_at
        getattr(client, method)(path, **more)
        return hers(user).seen_at > before

    @pytest.mark.parametrize("path", ["/notices/", "/notices/count", "/push-worker.js", "/health", "/static/here.js"])
    def test_not_what_pages_ask_by_themselves(self, noor, path):
        assert not self.touches(signed_in(noor), noor, "get", path)

    def test_not_a_fragment_that_a_page_fetches(self, noor):
        assert not self.touches(signed_in(noor), noor, "get", "/wards/north/", headers={"HX-Request": "true"})

    def test_not_what_a_page_reads_of_the_api(self, dora, ada):
        assert not self.touches(signed_in(dora), dora, "get", "/api/v1/patients/P-ADA/thresholds")

    @pytest.mark.parametrize("path", ["/", "/wards/north/", "/wards/west/"])
    def test_but_every_page_that_one_opens(self, noor, path):
        assert self.touches(signed_in(noor), noor, "get", path)

    def test_and_every_deed(self, noor):
        assert self.touches(signed_in(noor), noor, "post", "/notices/seen", data={"newest": "1"})

    def test_and_a_hand_on_the_pointer(self, noor):
        assert self.touches(signed_in(noor), noor, "post", "/accounts/here")


class TestHere:
    def test_it_says_nothing(self, noor):
        answer = signed_in(noor).post("/accounts/here")

        assert (answer.status_code, answer.content) == (204, b"")

    def test_a_stranger_is_told_so(self, db):
        answer = Client().post("/accounts/here")

        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    def test_it_takes_a_post_with_the_token(self, noor):
        client = Client(enforce_csrf_checks=True)
        client.force_login(noor)

        assert client.post("/accounts/here").status_code == 403
        assert client.get("/accounts/here").status_code == 405

    @pytest.mark.parametrize("path", ["/wards/north/", "/notices/", "/admin/"])
    def test_pages_of_who_is_signed_in_bring_the_script(self, root, north, path):
        assert "here.js" in signed_in(root).get(path).content.decode()

    def test_the_door_does_not(self, db):
        assert "here.js" not in Client().get("/accounts/login/").content.decode()


class TestLifetime:
    def test_after_twelve_hours_also_the_busiest_signs_in_again(self, noor):
        client = signed_in(noor)
        rewind(hers(noor), begun=12 * HOUR)

        assert not is_let_in(client)
        assert hers(noor).ending == Ending.TOO_OLD

    def test_it_is_counted_from_the_signing_in(self, noor):
        client = signed_in(noor)
        rewind(hers(noor), begun=12 * HOUR)

        client.post("/accounts/login/", {"username": "noor", "password": PASSWORD})

        assert is_let_in(client)

    @pytest.mark.parametrize(
        ("idle", "lifetime", "faults"),
        [
            (15 * MINUTE, 12 * HOUR, []),
            (2 * MINUTE, 24 * HOUR, []),
            (MINUTE, 12 * HOUR, ["accounts.E002"]),
            (0 * MINUTE, 12 * HOUR, ["accounts.E002"]),
            (61 * MINUTE, 12 * HOUR, ["accounts.E002"]),
            (15 * MINUTE, 25 * HOUR, ["accounts.E003"]),
            (15 * MINUTE, 0 * HOUR, ["accounts.E003"]),
        ],
    )
    def test_lengths_that_make_no_sense_are_refused(self, settings, idle, lifetime, faults):
        settings.SESSION_IDLE, settings.SESSION_LIFETIME = idle, lifetime

        assert [fault.id for fault in run_checks() if fault.id.startswith("accounts.E00")] == faults


class TestKeys:
    def test_the_database_holds_no_key_that_opens(self, noor):
        client = signed_in(noor)
        key = client.cookies["sessionid"].value

        assert hers(noor).session_key != key
        stolen = Client()
        stolen.cookies["sessionid"] = hers(noor).session_key
        assert not is_let_in(stolen)

    def test_signing_in_gives_another_key(self, noor):
        client = Client()
        store = SessionStore()
        store["seen before"] = True
        store.save()
        client.cookies["sessionid"] = store.session_key

        client.post("/accounts/login/", {"username": "noor", "password": PASSWORD})

        old = Client()
        old.cookies["sessionid"] = store.session_key
        assert is_let_in(client)
        assert not is_let_in(old)

    def test_another_key_keeps_the_session_and_its_age(self, noor):
        key = signed_in(noor).cookies["sessionid"].value
        rewind(hers(noor), begun=HOUR)
        before = hers(noor)
        store = SessionStore(key)

        store.cycle_key()
        store.save()

        after = hers(noor)
        assert (after.pk, after.created_at) == (before.pk, before.created_at)
        assert SessionStore(store.session_key).get(SESSION_KEY) == str(noor.pk)
        assert SessionStore(key).get(SESSION_KEY) is None

    def test_a_key_that_is_made_up_is_nobodys(self, noor):
        client = Client()
        client.cookies["sessionid"] = "a" * 32

        assert not is_let_in(client)

    def test_a_key_of_a_thousand_letters_is_nobodys(self, noor):
        client = Client()
        client.cookies["sessionid"] = "a" * 3000

        assert not is_let_in(client)


class TestCost:
    def queries(self, client: Client) -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get("/wards/north/")
        return len(asked)

    def test_that_somebody_is_there_is_one_query_once_a_minute(self, noor):
        client = signed_in(noor)
        self.queries(client)  # the first look also notes which board this browser shows
        usual = self.queries(client)
        rewind(hers(noor), seen=2 * MINUTE)

        assert self.queries(client) == usual + 1
        assert self.queries(client) == usual

    def test_a_stranger_costs_none(self, db):
        with CaptureQueriesContext(connection) as asked:
            Client().get("/accounts/login/")

        assert len(asked) == 0

    def test_a_busy_database_loses_the_note_and_not_the_page(self, noor, monkeypatch, caplog):
        client = signed_in(noor)
        rewind(hers(noor), seen=2 * MINUTE)
        before = hers(noor).seen_at

        def busy(*args: object, **kwargs: object) -> int:
            raise OperationalError("database is locked")

        monkeypatch.setattr(QuerySet, "update", busy)

        assert is_let_in(client)
        assert "was not noted" in caplog.text
        assert hers(noor).seen_at == before


class TestWhere:
    def test_it_is_known_by_address_and_browser(self, noor):
        firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
        client = Client(REMOTE_ADDR="10.1.2.3", headers={"User-Agent": firefox})

        client.post("/accounts/login/", {"username": "noor", "password": PASSWORD})

        assert (hers(noor).address, hers(noor).agent) == ("10.1.2.3", "Firefox on Windows")

    @pytest.mark.parametrize(
        ("user_agent", "name"),
        [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
                "Chrome on Linux",
            ),
            ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile Safari/604.1", "Safari on iPhone"),
            ("Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
            ("curl/8.0", "curl/8.0"),
            ("bad\n\0word" + "x" * 100, "badword" + "x" * 33),
            ("", ""),
        ],
    )
    def test_a_browser_is_called_by_its_name(self, user_agent, name):
        assert browser_of(user_agent) == name
