"""Access tokens: what one says, who signed it, when; everything else is no token."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import jwt
import pytest

from accounts import access_tokens, keyring, tokens
from accounts.models import TokenSession
from tests.access.bearers import me, refused

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class TestAccessTokens:
    @pytest.fixture
    def session(self, noor, now):
        return TokenSession.objects.create(user=noor, password_mark=tokens.mark_of(noor), started_at=now, expires_at=now + HOUR)

    def forged(self, session, now, *, key=None, algorithm="HS256", kid=None, **claims):
        """Signed with our own key unless told: what a token says is judged besides."""
        good = jwt.decode(access_tokens.issue(session, now=now), options={"verify_signature": False})
        ours = keyring.derived(keyring.current(), access_tokens.PURPOSE)
        said = {name: value for name, value in (good | claims).items() if value is not None}
        return jwt.encode(said, key or ours, algorithm, headers={"kid": kid or keyring.current().id})

    def test_what_we_issue_is_good(self, session, now):
        assert me(self.forged(session, now)).status_code == 200

    def test_it_is_good_for_three_minutes(self, session, now):
        token = access_tokens.issue(session, now=now)

        assert tokens.bearer(token, now=now + 3 * MINUTE - timedelta(seconds=1)) == session
        with pytest.raises(access_tokens.Expired):
            tokens.bearer(token, now=now + 3 * MINUTE)

    def test_one_from_the_future_is_refused_but_for_what_clocks_differ(self, session, now):
        for ahead, good in ((2, True), (60, False)):
            token = access_tokens.issue(session, now=now + timedelta(seconds=ahead))
            assert (me(token).status_code == 200) is good

    @pytest.mark.parametrize(
        "claims",
        [
            {"aud": "aitrics"},
            {"aud": None},
            {"iss": "somebody"},
            {"iss": None},
            {"exp": None},
            {"iat": None},
            {"sub": None},
            {"sid": None},
            {"jti": None},
            {"iat": "now"},
            {"exp": 1e400},
            {"sid": "1 OR 1=1"},
            {"sub": 1},
        ],
        ids=str,
    )
    def test_one_that_says_something_else_is_refused(self, session, now, claims):
        assert refused(me(self.forged(session, now, **claims))) == (401, "invalid_token")

    def test_one_of_another_person_is_refused(self, session, now, dora):
        assert refused(me(self.forged(session, now, sub=str(dora.pk)))) == (401, "session_over")

    def test_one_of_a_session_that_never_was_is_refused(self, session, now):
        for other in (session.pk + 1, -1, 2**70):
            assert refused(me(self.forged(session, now, sid=other))) == (401, "session_over")

    @pytest.mark.parametrize("key", ["x" * 32, hashlib.sha256(b"medql").hexdigest()])
    def test_one_signed_by_somebody_else_is_refused(self, session, now, key):
        assert refused(me(self.forged(session, now, key=key))) == (401, "invalid_token")

    @pytest.mark.parametrize("algorithm", ["HS512", "none"])
    def test_the_algorithm_is_ours_to_choose(self, session, now, algorithm):
        key = "" if algorithm == "none" else keyring.derived(keyring.current(), access_tokens.PURPOSE) * 2
        token = jwt.encode(
            jwt.decode(access_tokens.issue(session, now=now), options={"verify_signature": False}),
            key,
            algorithm,
            headers={"kid": keyring.current().id},
        )

        assert refused(me(token)) == (401, "invalid_token")

    @pytest.mark.parametrize("kid", ["nobody", "../own", "a" * 500])
    def test_a_key_that_is_not_in_the_ring_is_refused(self, session, now, kid):
        assert refused(me(self.forged(session, now, kid=kid))) == (401, "invalid_token")

    @pytest.mark.parametrize(
        "text",
        [
            "",
            " ",
            "x",
            "x.y",
            "x.y.z",
            "...",
            "a b c",
            "é.é.é",
            "svc-",
            "svc-.",
            "svc-x.y",
            "Bearer x",
            "x" * 1_000_000,
            "e30.e30.e30",
            "W1tb" * 600 + ".e30.e30",
        ],
        ids=lambda text: text[:12],
    )
    def test_what_is_no_token_is_401(self, db, text):
        assert refused(me(text.encode().decode("latin-1")))[0] == 401

    def test_an_older_key_of_the_ring_is_still_good(self, settings, session, now):
        ring = settings.KEY_RING
        token = access_tokens.issue(session, now=now)

        settings.KEY_RING = (keyring.Key("new", bytes(range(32))), *ring)
        assert me(token).status_code == 200
        assert jwt.get_unverified_header(access_tokens.issue(session, now=now))["kid"] == "new"

        settings.KEY_RING = settings.KEY_RING[:1]
        assert refused(me(token)) == (401, "invalid_token")

    def test_it_says_no_more_than_it_must(self, session, now):
        said = jwt.decode(access_tokens.issue(session, now=now), options={"verify_signature": False})

        assert sorted(said) == ["aud", "exp", "iat", "iss", "jti", "sid", "sub"]

    def test_checking_one_is_one_query(self, session, now, django_assert_num_queries):
        token = access_tokens.issue(session, now=now)

        with django_assert_num_queries(1):
            assert tokens.bearer(token, now=now).user.login == "noor"

    def test_one_that_is_forged_or_expired_costs_none(self, session, now, django_assert_num_queries):
        expired = access_tokens.issue(session, now=now - HOUR)

        with django_assert_num_queries(0):
            assert me(expired).status_code == me("x.y.z").status_code == 401
