"""Links by which a person chooses a password: an invitation for who has none, another one for who forgot his.

Each is good once and for a while; a newer one ends the older. The second factor is asked for at the next signing in as ever.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from axes.models import AccessAttempt
from django.contrib.auth.hashers import make_password
from django.db import transaction
from limits import RateLimitItemPerHour

from accounts import audit, letters, origin, rates, sessions
from accounts.models import Deed, OneTimeLink, Session, User

Purpose = OneTimeLink.Purpose
LIVES = {Purpose.INVITE: timedelta(days=7), Purpose.RESET: timedelta(hours=1)}
FROM_AN_ADDRESS = RateLimitItemPerHour(30)  # a ward may share one
OF_A_PERSON = RateLimitItemPerHour(5)  # nobody fills a mailbox
LONGEST = 100  # letters of a token; ours have 43


class WrongLink(Exception):
    """Used, replaced, too old, or never ours."""


def purpose_for(person: User) -> OneTimeLink.Purpose:
    return Purpose.RESET if person.has_usable_password() else Purpose.INVITE


@transaction.atomic
def make(person: User, *, by: User | None, at: datetime) -> str:
    """A token for this person, readable this once; what he was given before opens nothing any more."""
    purpose = purpose_for(person)
    User.objects.select_for_update().get(pk=person.pk)  # two at once are one after the other
    OneTimeLink.objects.filter(user=person, used_at=None, ended_at=None).update(ended_at=at)
    token = secrets.token_urlsafe(32)
    OneTimeLink.objects.create(
        user=person, purpose=purpose, digest=digest_of(token), created_at=at, expires_at=at + LIVES[purpose]
    )
    deed = Deed.INVITED if purpose == Purpose.INVITE else Deed.RESET_ASKED
    audit.record(deed, by=by, at=at, about=f"user:{person.login}")
    return token


def found(digest: str, *, now: datetime) -> OneTimeLink | None:
    """The link with this digest, if it is good."""
    return OneTimeLink.objects.good(now).select_related("user").filter(digest=digest).first()


def use(digest: str, password: str, *, at: datetime) -> User:
    """The person has this password from now on, and is signed in nowhere. Raises WrongLink; of two at once, for one."""
    hashed = make_password(password)  # slow, and so before the transaction
    with transaction.atomic():
        link = found(digest, now=at)
        if link is None:
            raise WrongLink
        person = User.objects.select_for_update().get(pk=link.user_id)
        # By its own columns alone: over a join MySQL would look first and write then, and let two in.
        if not OneTimeLink.objects.filter(pk=link.pk, used_at=None, ended_at=None).update(used_at=at):
            raise WrongLink
        User.objects.filter(pk=person.pk).update(password=hashed)
        sessions.end_all(person, by=person, at=at, why=Session.Ending.PASSWORD)
        # Who opens the person's mail is no guesser any more, where he opens it.
        AccessAttempt.objects.filter(username=person.login, ip_address=origin.here().address or None).delete()
        audit.record(Deed.PASSWORD_CHANGED, by=person, at=at, about=f"user:{person.login}", detail={"by": link.purpose})
    return person


def ask(*, now: datetime) -> None:
    """Count that somebody forgot a password. Raises rates.TooFast."""
    if not rates.hit(FROM_AN_ADDRESS, "reset", origin.network(), now=now):
        raise rates.TooFast(rates.left(FROM_AN_ADDRESS.get_expiry(), now=now))


def send_reset(word: str, *, address: str, at: datetime) -> None:
    """A letter for the person with this login or e-mail, if there is one who could sign in; `address` says TOKEN for it."""
    person = _who_forgot(word)
    if person is None or not rates.hit(OF_A_PERSON, "reset of", str(person.pk), now=at):
        return
    send(person, address.replace("TOKEN", make(person, by=None, at=at)), purpose=Purpose.RESET)


def send(person: User, address: str, *, purpose: OneTimeLink.Purpose) -> None:
    """Raises letters.Unsent."""
    invited = purpose == Purpose.INVITE
    subject = "Your account in MedQL" if invited else "A new password for MedQL"
    lives = "7 days" if invited else "one hour"
    lines = [
        f"Hello {person.name},",
        "",
        f"an administrator has made you an account in MedQL. Your login is {person.login}."
        if invited
        else "somebody, probably you, asked for a new password for your account in MedQL.",
        "Choose your password here:",
        "",
        address,
        "",
        f"The link is good once, and for {lives}.",
    ]
    if not invited:
        lines += ["If it was not you, do nothing: your password stays as it is."]
    letters.send(person.email or "", subject, "\n".join(lines))


def digest_of(token: str) -> str:
    """A token is random enough for a quick hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def _who_forgot(word: str) -> User | None:
    """Who has a password to forget, and an address to write to."""
    try:
        person = User.objects.get_by_natural_key(word.strip())
    except User.DoesNotExist:
        return None
    return person if person.is_active and person.email and person.has_usable_password() else None
