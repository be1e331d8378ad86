"""The second factor: a code of six digits that an authenticator shows for half a minute (TOTP, RFC 6238), each good once."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from datetime import datetime, timedelta
from enum import Enum
from typing import cast

import pyotp
from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper

from accounts import audit, sealing
from accounts.fields import SealedField
from accounts.models import Deed, RecoveryCode, SecondFactor, User
from accounts.models.second_factor import has_one, is_asked_for

log = logging.getLogger(__name__)

ISSUER = "MedQL"
STEP = 30  # seconds
STEPS_OFF = 1  # a clock may be half a minute wrong
# Who gets here knows the password, and may have many addresses: a million codes are few.
MOST_FAILURES = 10
PAUSE = timedelta(minutes=15)
RECOVERY_CODES = 10
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that one could read as another
RECOVERY_LETTERS = 16
LONGEST = 40  # letters of what is typed as a code
SECRET = cast(SealedField, SecondFactor._meta.get_field("secret"))


class Wanted(Enum):
    """What is asked of a person beside the password."""

    NOTHING = "nothing"
    CODE = "a code"
    SETUP = "to set up a second factor"


class WrongCode(Exception):
    """Not a code of now, or one that was used."""


class TooMany(Exception):
    """So many wrong codes that for a while none is looked at."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


def wanted(user: User, *, now: datetime) -> Wanted:
    asked = ExpressionWrapper(is_asked_for(now, of="pk"), output_field=BooleanField())
    has, must = User.objects.values_list(has_one(of="pk"), asked).get(pk=user.pk)
    if has:
        return Wanted.CODE
    return Wanted.SETUP if must else Wanted.NOTHING


def new_secret() -> str:
    """160 random bits, which an authenticator takes by a picture or typed."""
    return pyotp.random_base32()


def address_of(user: User, secret: str) -> str:
    """What the picture says: `otpauth://totp/MedQL:noor?secret=…`."""
    return pyotp.TOTP(secret).provisioning_uri(name=user.login, issuer_name=ISSUER)


@transaction.atomic
def set_up(user: User, secret: str, *, code: str, at: datetime) -> list[str]:
    """This authenticator is the person's from now on; answers with the recovery codes, for this one time. Raises WrongCode."""
    step = _step(secret, _plain(code), after=0, at=at)
    if step is None:
        raise WrongCode
    _remove(user)
    factor = SecondFactor(user=user, created_at=at, last_step=step)
    SECRET.put(factor, secret)
    factor.save()
    audit.record(Deed.SECOND_FACTOR_SET, by=user, at=at, about=f"user:{user.login}")
    return _new_codes(factor)


def show(user: User, code: str, *, at: datetime) -> None:
    """Take a code of the authenticator, or a recovery code, once. Raises WrongCode or TooMany."""
    refusal = _show(user, code, at=at)
    if refusal:  # outside of the transaction that counted it
        raise refusal


@transaction.atomic
def _show(user: User, code: str, *, at: datetime) -> WrongCode | TooMany | None:
    factor = SecondFactor.objects.select_for_update().get(user=user)
    recent = factor.failed_at is not None and abs(at - factor.failed_at) < PAUSE
    if recent and factor.failures >= MOST_FAILURES:
        assert factor.failed_at is not None
        return TooMany(factor.failed_at + PAUSE)
    if _takes(factor, _plain(code), at=at):
        SecondFactor.objects.filter(pk=factor.pk).update(last_step=factor.last_step, failures=0, failed_at=None)
        return None
    failures = factor.failures + 1 if recent else 1
    SecondFactor.objects.filter(pk=factor.pk).update(failures=failures, failed_at=at)
    audit.record(Deed.SECOND_FACTOR_REFUSED, by=None, at=at, about=f"user:{user.login}", detail={"failures": failures})
    return TooMany(at + PAUSE) if failures >= MOST_FAILURES else WrongCode()


@transaction.atomic
def renew_codes(user: User, *, at: datetime) -> list[str]:
    """Other recovery codes; those of before open nothing any more."""
    factor = SecondFactor.objects.get(user=user)
    factor.recovery_codes.all().delete()
    audit.record(Deed.RECOVERY_CODES_RENEWED, by=user, at=at, about=f"user:{user.login}")
    return _new_codes(factor)


@transaction.atomic
def remove(user: User, *, by: User | None, at: datetime) -> bool:
    """The authenticator is lost, or not wanted any more; says whether there was one."""
    if not _remove(user):
        return False
    audit.record(Deed.SECOND_FACTOR_REMOVED, by=by, at=at, about=f"user:{user.login}")
    return True


def _remove(user: User) -> bool:
    count, _ = SecondFactor.objects.filter(user=user).delete()
    return count > 0


def codes_left(user: User) -> int:
    return RecoveryCode.objects.filter(factor__user=user, used_at=None).count()


def _takes(factor: SecondFactor, code: str, *, at: datetime) -> bool:
    """Whether the code is good; it is not, a second time."""
    try:
        step = _step(SECRET.text(factor), code, after=factor.last_step, at=at)
    except sealing.Unreadable as fault:
        log.error("the authenticator of %s cannot be read, only recovery codes help: %s", factor.user.login, fault)
        step = None
    if step is not None:
        factor.last_step = step
        return True
    spare = factor.recovery_codes.filter(digest=_digest(code), used_at=None)
    if not spare.update(used_at=at):
        return False
    left = factor.recovery_codes.filter(used_at=None).count()
    audit.record(Deed.RECOVERY_CODE_USED, by=factor.user, at=at, about=f"user:{factor.user.login}", detail={"left": left})
    return True


def _step(secret: str, code: str, *, after: int, at: datetime) -> int | None:
    """The step of which this is the code: around the present one, and after the last that was taken."""
    totp = pyotp.TOTP(secret, interval=STEP)
    present = totp.timecode(at)
    if after > present + STEPS_OFF:
        after = 0  # our clock was ahead, and has been set back: what it took then is no reason to lock anybody out
    for step in range(present - STEPS_OFF, present + STEPS_OFF + 1):
        if step > after and hmac.compare_digest(totp.generate_otp(step).encode(), code.encode()):
            return step
    return None


def _new_codes(factor: SecondFactor) -> list[str]:
    codes = ["".join(secrets.choice(LETTERS) for _ in range(RECOVERY_LETTERS)) for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(RecoveryCode(factor=factor, digest=_digest(code)) for code in codes)
    return ["-".join(code[place : place + 4] for place in range(0, RECOVERY_LETTERS, 4)) for code in codes]


def _plain(code: str) -> str:
    """As it is kept, however it was typed."""
    return "".join(letter for letter in code[:LONGEST].lower() if letter.isalnum())


def _digest(code: str) -> str:
    """79 random bits need no slow hash."""
    return hashlib.sha256(code.encode()).hexdigest()
