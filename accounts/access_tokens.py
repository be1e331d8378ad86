"""Access tokens: JWTs of three minutes that name a session; whether that still lives is asked by accounts/tokens.py."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

import jwt
import msgspec

from accounts import keyring
from accounts.models import TokenSession

LIFETIME = timedelta(minutes=3)
AHEAD = timedelta(seconds=5)  # what the clocks of two web processes may differ
ALGORITHM = "HS256"
NAME = "medql"  # who issues them, and for whom
PURPOSE = "access tokens"
LONGEST = 2048  # letters; ours have about 300


class WrongToken(Exception):
    """No token of ours: malformed, forged, for somebody else, or dated ahead."""

    code = "invalid_token"
    sentence = "This is no access token of MedQL."


class Expired(WrongToken):
    code = "token_expired"
    sentence = "The access token has expired: fetch another with the refresh token."


class Claims(msgspec.Struct, frozen=True):
    """`sub` is the key of the person, `sid` of the session; times are seconds since 1970."""

    sub: str
    sid: int
    iat: int
    exp: int
    jti: str


def issue(session: TokenSession, *, now: datetime) -> str:
    key, issued = keyring.current(), int(now.timestamp())
    claims = {
        "iss": NAME,
        "aud": NAME,
        "sub": str(session.user_id),
        "sid": session.pk,
        "iat": issued,
        "exp": issued + int(LIFETIME.total_seconds()),
        "jti": secrets.token_hex(8),
    }
    return jwt.encode(claims, keyring.derived(key, PURPOSE), ALGORITHM, headers={"kid": key.id})


def read(text: str, *, now: datetime) -> Claims:
    """What a token of ours says, while its three minutes last. Raises WrongToken, Expired."""
    claims = _claims(text)
    if claims.iat > (now + AHEAD).timestamp():
        raise WrongToken
    if claims.exp <= now.timestamp():
        raise Expired
    return claims


def _claims(text: str) -> Claims:
    """Signature, algorithm, issuer and audience by the library; the two times by the moment at which the request came."""
    if len(text) > LONGEST:
        raise WrongToken
    try:
        key = keyring.by_id(jwt.get_unverified_header(text).get("kid", ""))
        found = jwt.decode(
            text,
            keyring.derived(key, PURPOSE),
            algorithms=[ALGORITHM],
            audience=NAME,
            issuer=NAME,
            options={"verify_exp": False, "verify_iat": False, "require": ["iss", "aud", *Claims.__struct_fields__]},
        )
        return msgspec.convert(found, Claims)
    except (jwt.PyJWTError, keyring.UnknownKey, msgspec.ValidationError, ValueError, RecursionError):
        raise WrongToken from None
