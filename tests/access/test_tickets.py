"""A ticket opens one socket, once, within half a minute."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from accounts import service_tokens, tickets, tokens
from accounts.models import ServiceToken, SocketTicket, TokenSession
from accounts.tickets import WrongTicket
from tests.access.bearers import login, post, refused


@pytest.fixture
def bearer(noor):
    return login("noor").json()["access_token"]


def test_who_shows_a_token_gets_a_ticket_for_the_same_session(bearer):
    answer = post("ws-ticket", bearer=bearer)

    assert (answer.status_code, answer.json()["expires_in"]) == (201, 30)
    assert answer.headers["Cache-Control"] == "no-store"
    assert tickets.take(answer.json()["ticket"], now=timezone.now()) == TokenSession.objects.get()


def test_it_is_good_once(bearer):
    ticket = post("ws-ticket", bearer=bearer).json()["ticket"]
    tickets.take(ticket, now=timezone.now())

    with pytest.raises(WrongTicket):
        tickets.take(ticket, now=timezone.now())


def test_it_is_good_for_half_a_minute(noor, now):
    session = _session(noor, now)
    in_time, late = tickets.issue(session, now=now), tickets.issue(session, now=now)

    assert tickets.take(in_time, now=now + timedelta(seconds=29)) == session
    with pytest.raises(WrongTicket):
        tickets.take(late, now=now + timedelta(seconds=30))


def test_of_two_sockets_at_once_one_gets_in(transactional_db, noor, now):
    ticket = tickets.issue(_session(noor, now), now=now)

    def knock(_):
        try:
            return tickets.take(ticket, now=now)
        except WrongTicket:
            return None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert len([one for one in pool.map(knock, range(4)) if one]) == 1


def test_a_program_gets_one_as_well(north, root, now):
    program = ServiceToken(name="research")
    token = service_tokens.issue(program, wards=[north], by=root, at=now)

    ticket = post("ws-ticket", bearer=token).json()["ticket"]

    assert tickets.take(ticket, now=timezone.now()) == program


@pytest.mark.parametrize("ticket", ["", "x", "\x00", "é", "x" * 100_000])
def test_what_is_no_ticket_opens_nothing(db, now, ticket):
    with pytest.raises(WrongTicket):
        tickets.take(ticket, now=now)


def test_a_stranger_gets_none(db):
    assert refused(post("ws-ticket")) == (401, "not_authenticated")


def test_the_ticket_itself_is_kept_nowhere(noor, now):
    ticket = tickets.issue(_session(noor, now), now=now)

    assert ticket not in str(list(SocketTicket.objects.values_list()))


def _session(noor, now):
    return TokenSession.objects.create(
        user=noor, password_mark=tokens.mark_of(noor), started_at=now, expires_at=now + timedelta(hours=1)
    )
