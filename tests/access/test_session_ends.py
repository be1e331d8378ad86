"""How a session ends, what is left of it, and when that is forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth import SESSION_KEY
from django.db import IntegrityError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import links, old_sessions, sessions
from accounts.models import AuditEntry, Deed, OneTimeLink, Session, User
from accounts.sessions import SessionStore
from tests.access.test_sessions import HOUR, MINUTE, Ending, hers, is_let_in, rewind
from tests.conftest import signed_in


class TestEnd:
    def test_signing_out_ends_it_for_whoever_knows_the_key(self, noor):
        client = signed_in(noor)
        copy = Client()
        copy.cookies["sessionid"] = client.cookies["sessionid"].value

        client.post("/accounts/logout/")

        assert not is_let_in(copy)
        assert (hers(noor).ending, hers(noor).session_data) == (Ending.SIGNED_OUT, "")

    def test_all_of_a_person_end_and_nobody_elses(self, noor, dora, now):
        one, other, doras = signed_in(noor), signed_in(noor), signed_in(dora)

        assert sessions.end_all(noor, by=noor, at=now) == 2

        assert not is_let_in(one)
        assert not is_let_in(other)
        assert is_let_in(doras)

    def test_the_trail_says_whose_sessions_were_ended_and_by_whom(self, noor, root, now):
        signed_in(noor)

        sessions.end_all(noor, by=root, at=now, why=Ending.BY_ADMINISTRATOR)
        sessions.end_all(noor, by=root, at=now, why=Ending.BY_ADMINISTRATOR)

        entry = AuditEntry.objects.get(what=Deed.SESSIONS_ENDED)
        assert (entry.user, entry.about) == (root, "user:noor")
        assert entry.detail == {"count": 1, "why": "by_administrator"}

    def test_all_but_one(self, noor, now):
        one, other = signed_in(noor), signed_in(noor)
        kept = SessionStore(one.cookies["sessionid"].value)
        kept.load()

        assert sessions.end_all(noor, by=noor, at=now, but=kept.row) == 1

        assert is_let_in(one)
        assert not is_let_in(other)

    def test_living_are_those_that_open_something(self, noor, dora, now):
        for _ in range(4):
            signed_in(noor)
        idle, old, ended, _ = Session.objects.order_by("pk")
        signed_in(dora)
        User.objects.filter(pk=dora.pk).update(is_active=False)
        rewind(idle, seen=15 * MINUTE)
        rewind(old, begun=12 * HOUR)
        Session.objects.filter(pk=ended.pk).end(at=now, why=Ending.SIGNED_OUT)

        assert Session.objects.living(now + timedelta(seconds=1)).count() == 1

    def test_a_session_that_is_over_says_why(self, noor, now):
        with pytest.raises(IntegrityError):
            Session.objects.create(session_key="k", expire_date=now, ended_at=now)

    @pytest.mark.parametrize("by", [SessionStore.clear_expired, lambda: old_sessions.forget(now=timezone.now())])
    def test_what_ended_a_week_ago_is_forgotten(self, noor, now, by):
        signed_in(noor)
        by()
        assert Session.objects.exists()
        Session.objects.update(expire_date=now - MINUTE)

        by()

        assert not Session.objects.exists()

    def test_a_turn_that_finds_nothing_old_writes_nothing(self, noor, now):
        signed_in(noor)
        links.make(noor, by=None, at=now)

        with CaptureQueriesContext(connection) as asked:
            assert not old_sessions.forget(now=now)

        assert [query["sql"][:6] for query in asked] == ["SELECT", "SELECT"]
        assert old_sessions.forget(now=now + timedelta(days=9))
        assert not OneTimeLink.objects.exists()

    def test_what_is_written_after_the_end_is_another_session(self, noor, now):
        key = signed_in(noor).cookies["sessionid"].value
        sessions.end_all(noor, by=noor, at=now)
        store = SessionStore(key)

        store["word"] = "later"
        store.save()

        assert store.session_key != key
        assert dict(SessionStore(store.session_key).items()) == {"word": "later"}

    def test_who_was_ended_while_he_asked_writes_nothing_more(self, noor, now):
        store = SessionStore(signed_in(noor).cookies["sessionid"].value)
        store["word"] = "now"
        sessions.end_all(noor, by=noor, at=now)

        with pytest.raises(sessions.UpdateError):
            store.save()


class TestFaded:
    def store(self, client: Client) -> SessionStore:
        return SessionStore(client.cookies["sessionid"].value)

    def test_the_ward_stays_when_the_person_has_gone(self, noor, north):
        client = signed_in(noor)
        store = self.store(client)
        store.load()
        store.show(north)
        rewind(hers(noor), seen=15 * MINUTE)

        faded = self.store(client).faded

        assert (faded.ward, faded.ending) == (north, Ending.IDLE)
        assert self.store(client).get(SESSION_KEY) is None

    def test_not_while_somebody_is_there(self, noor):
        assert self.store(signed_in(noor)).faded is None

    def test_nothing_is_left_of_who_signed_out(self, noor, now):
        client = signed_in(noor)
        key = client.cookies["sessionid"].value
        client.post("/accounts/logout/")

        assert SessionStore(key).faded is None

    def test_the_cookie_stays_though_there_is_nobody(self, noor):
        client = signed_in(noor)
        rewind(hers(noor), seen=15 * MINUTE)

        assert "sessionid" not in client.get("/").cookies

    def test_the_same_ward_is_written_once(self, noor, north):
        store = self.store(signed_in(noor))
        store.load()
        store.show(north)

        with CaptureQueriesContext(connection) as asked:
            store.show(north)

        assert len(asked) == 0
