"""What nobody can use any more is forgotten in bounded batches, and what somebody can is not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts import old_tokens, tickets, tokens
from accounts.models import RefreshFamily, RefreshToken, SocketTicket, TokenSession
from monitoring.services import watching

DAY = timedelta(days=1)
KINDS = (SocketTicket, RefreshToken, RefreshFamily, TokenSession)


@pytest.fixture
def signed_in(noor, now):
    pair = tokens.sign_in(noor, at=now)
    tickets.issue(TokenSession.objects.get(), now=now)
    return pair


def counts():
    return [kind.objects.count() for kind in KINDS]


def test_everything_goes_when_its_time_is_over(signed_in, now):
    for at, left in ((0, [1, 1, 1, 1]), (1, [0, 1, 1, 1]), (8, [0, 0, 1, 0]), (31, [0, 0, 0, 0])):
        old_tokens.forget(now=now + at * DAY)
        assert counts() == left


def test_a_used_token_stays_to_tell_a_thief(signed_in, now):
    tokens.renew(signed_in.refresh_token, at=now)
    old_tokens.forget(now=now + 6 * DAY)

    with pytest.raises(tokens.WrongRefreshToken):
        tokens.renew(signed_in.refresh_token, at=now + 6 * DAY)

    assert RefreshFamily.objects.get().ended_at == now + 6 * DAY


def test_it_goes_on_in_batches(monkeypatch, noor, now):
    monkeypatch.setattr(old_tokens, "BATCH", 2)
    session = TokenSession.objects.create(user=noor, password_mark="", started_at=now, expires_at=now + DAY)
    for _ in range(5):
        tickets.issue(session, now=now)

    left = []
    while old_tokens.forget(now=now + DAY):
        left.append(SocketTicket.objects.count())

    assert left == [3, 1, 0]


def test_where_nothing_is_old_nothing_is_written(signed_in, now, django_assert_num_queries):
    with django_assert_num_queries(len(KINDS)) as seen:
        assert not old_tokens.forget(now=now)

    assert {query["sql"].split()[0] for query in seen.captured_queries} == {"SELECT"}


def test_the_watcher_does_it():
    assert old_tokens.forget in watching.STEPS
