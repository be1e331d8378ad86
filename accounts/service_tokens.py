"""Tokens of programs that are no person: made and revoked by an administrator, shown once, kept as a hash."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from accounts import audit
from accounts.access_tokens import WrongToken
from accounts.models import Deed, ServiceToken, User, Ward
from accounts.transactions import retried

MARK = "svc-"  # by which one knows it from a person's token, and a scanner from a random word
LONGEST = 200
USED_EVERY = timedelta(minutes=1)


class WrongServiceToken(WrongToken):
    code = "invalid_token"
    sentence = "This service token is not known, expired or revoked."


@retried
def issue(token: ServiceToken, *, wards: Iterable[Ward], by: User | None, at: datetime) -> str:
    """Give a token that is not saved yet its secret and wards, and save it; this is the only time the answer can be read."""
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    token.prefix, token.secret_hash = prefix, _hash(secret)
    token.created_at, token.created_by = at, by
    token.save()
    token.wards.set(wards)
    slugs = sorted(token.wards.values_list("slug", flat=True))
    audit.record(Deed.SERVICE_TOKEN_ISSUED, by=by, at=at, about=f"service:{token.name}", detail={"wards": slugs})
    return f"{MARK}{prefix}.{secret}"


@retried
def revoke(token: ServiceToken, *, by: User | None, at: datetime) -> bool:
    """Shut the program out at once; whether it was let in until now."""
    if not ServiceToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=at, revoked_by=by):
        return False
    audit.record(Deed.SERVICE_TOKEN_REVOKED, by=by, at=at, about=f"service:{token.name}")
    return True


def is_one(text: str) -> bool:
    return text.startswith(MARK)


def bearer(text: str, *, now: datetime) -> ServiceToken:
    """The program that shows this token. Raises WrongServiceToken. Its use is written down once a minute at most."""
    prefix, _, secret = text.removeprefix(MARK).partition(".")
    if len(text) > LONGEST or not text.isascii():
        raise WrongServiceToken
    row = ServiceToken.objects.living(now).filter(prefix=prefix).first()
    if row is None or not hmac.compare_digest(row.secret_hash, _hash(secret)):
        raise WrongServiceToken
    if row.used_at is None or abs(now - row.used_at) >= USED_EVERY:
        ServiceToken.objects.filter(pk=row.pk).update(used_at=now)
    return row


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
