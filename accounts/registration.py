"""Who registers himself gets an account that opens nothing until an administrator approves it, and no ward by that."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from limits import RateLimitItemPerHour

from accounts import audit, origin, rates
from accounts.models import Deed, User
from accounts.transactions import retried

AN_HOUR = RateLimitItemPerHour(20)  # registrations from one address; a ward may share one


class Taken(Exception):
    """There is somebody with this login or e-mail already."""


def register(login: str, *, password: str, name: str, email: str | None, at: datetime) -> User:
    """A person who waits for approval. Raises Taken, rates.TooFast, or ValidationError by field."""
    if not rates.hit(AN_HOUR, "registration", origin.network(), now=at):
        raise rates.TooFast(rates.left(AN_HOUR.get_expiry(), now=at))
    user = User(login=login.lower(), email=email, name=name.strip(), is_active=False, registered_at=at)
    _check(user, password)
    user.set_password(password)  # slow, and so before the transaction
    _store(user, at=at)
    return user


@retried
def _store(user: User, *, at: datetime) -> None:
    """Who was second by a moment finds the first when he tries again."""
    if _is_taken(user):
        raise Taken
    user.save(force_insert=True)
    audit.record(Deed.REGISTERED, by=None, at=at, about=f"user:{user.login}")


@retried
def approve(user: User, *, by: User, at: datetime) -> bool:
    """Let in who registered himself; whether he was still waiting. What he may do is said by memberships."""
    waiting = User.objects.filter(pk=user.pk, registered_at__isnull=False, approved_at=None)
    if not waiting.update(is_active=True, approved_at=at, approved_by=by):
        return False
    audit.record(Deed.APPROVED, by=by, at=at, about=f"user:{user.login}")
    return True


def waits(word: str, *, password: str) -> bool:
    """Whether this login or e-mail and password are of somebody who waits: others are told nothing of it."""
    try:
        user = User.objects.get_by_natural_key(word)
    except User.DoesNotExist:
        return False
    return user.is_waiting and user.check_password(password)


def _check(user: User, password: str) -> None:
    faults: dict[str, list[ValidationError]] = {}
    try:
        user.full_clean(exclude=["password", *([] if user.email else ["email"])], validate_unique=False)
    except ValidationError as fault:
        faults |= fault.error_dict
    try:
        validate_password(password, user=user)
    except ValidationError as fault:
        faults["password"] = fault.error_list
    if not user.name.isprintable():
        faults["name"] = [ValidationError("A name on one line.", code="invalid")]
    if faults:
        raise ValidationError(faults)


def _is_taken(user: User) -> bool:
    same = User.objects.filter(login=user.login)
    return same.exists() or (user.email is not None and User.objects.filter(email=user.email).exists())
