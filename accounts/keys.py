"""The keys that devices show: issued once in clear, kept as a hash. A device has one; for a while after, its former."""

import copy
import hashlib
import hmac
import logging
import re
import secrets
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.db.models import Q
from django.utils import timezone

from accounts import audit, known_keys
from accounts.models import Deed, Device, DeviceKey, User
from accounts.transactions import WriterBusy, retried

log = logging.getLogger(__name__)

SHAPE = re.compile(r"([0-9a-f]{12})\.([A-Za-z0-9_-]{43})")
OVERLAP = timedelta(minutes=10)  # so long the old key goes on unless told: time to carry the new one to the device
AT_ONCE = timedelta(0)
LONGEST_OVERLAP = timedelta(days=7)
NOTED_EVERY = timedelta(minutes=1)  # last used is kept to the minute


class WrongKey(Exception):
    """No such key."""


class RevokedKey(Exception):
    """The key, or its device, was withdrawn."""

    def __init__(self, device: Device) -> None:
        super().__init__(device.name)
        self.device = device


class HasKey(Exception):
    """One device, one key: another is made by rotating."""


class OverlapOutOfRange(Exception):
    """An old key goes on for no less than nothing, and no longer than a week."""


@retried
def issue(device: Device, *, at: datetime | None = None, by: User | None = None) -> str:
    """A new key `<prefix>.<secret>`; this is the only time it can be read. Raises HasKey."""
    at = at or timezone.now()
    _lock(device)
    if DeviceKey.objects.living(at).filter(device=device).exists():
        raise HasKey
    return _write_down(Deed.KEY_ISSUED, _make(device, at=at), device, at=at, by=by)


@retried
def rotate(device: Device, *, at: datetime, by: User | None = None, overlap: timedelta = OVERLAP) -> str:
    """A new key; the older ones go on for `overlap`, and without one end at once. Raises OverlapOutOfRange."""
    if not AT_ONCE <= overlap <= LONGEST_OVERLAP:
        raise OverlapOutOfRange
    _lock(device)
    older = DeviceKey.objects.living(at).filter(device=device)
    longer = older.filter(Q(ends_at=None) | Q(ends_at__gt=at + overlap))
    if overlap:
        longer.update(ends_at=at + overlap, is_current=None)
    else:
        older.update(revoked_at=at, is_current=None)
    known_keys.forget(device.pk)
    minutes = overlap // timedelta(minutes=1)
    return _write_down(Deed.KEY_ROTATED, _make(device, at=at), device, at=at, by=by, minutes=minutes)


@retried
def revoke(device: Device, *, at: datetime, by: User | None = None) -> int:
    """Withdraw all keys of the device; says how many that were. Within 5 s no process takes them any more."""
    _lock(device)
    count = DeviceKey.objects.living(at).filter(device=device).update(revoked_at=at, is_current=None)
    known_keys.forget(device.pk)
    if count:
        audit.record(Deed.KEY_REVOKED, by=by, at=at, about=f"device:{device.name}", detail={"keys": count})
    return count


def device_of(key: str, *, now: datetime | None = None) -> Device:
    """The device that shows this key, as it was at most 5 s ago. Raises WrongKey or RevokedKey."""
    row = _row_of(key)
    if not row.is_living(now or timezone.now()) or not row.device.is_active:
        raise RevokedKey(row.device)
    return copy.copy(row.device)  # the remembered one is shared by all threads


def note_use(key: str, *, at: datetime) -> None:
    """Write down, to the minute, when this key was used. What came with it was done before, and stands if this fails."""
    try:
        row = _row_of(key)
        if row.used_at and abs(at - row.used_at) < NOTED_EVERY:  # a clock that was set back counts as time too
            return
        row.used_at = at  # remembered too: the next request of this process asks for nothing
        _note(row.pk, at)
    except (DatabaseError, WriterBusy, WrongKey):
        log.warning("the use of a device key could not be noted", exc_info=True)


@retried
def _note(pk: int, at: datetime) -> None:
    DeviceKey.objects.filter(pk=pk).update(used_at=at)


def _row_of(key: str) -> DeviceKey:
    shown = SHAPE.fullmatch(key)
    if shown is None:
        raise WrongKey
    prefix, secret = shown.groups()
    row = known_keys.find(prefix)
    if row is None or not hmac.compare_digest(row.secret_hash, _hash(secret)):
        raise WrongKey
    return row


def _make(device: Device, *, at: datetime) -> str:
    """256 random bits need no slow hash."""
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    DeviceKey.objects.create(device=device, prefix=prefix, secret_hash=_hash(secret), created_at=at)
    return f"{prefix}.{secret}"


def _write_down(deed: Deed, key: str, device: Device, *, at: datetime, by: User | None, **detail: int) -> str:
    told = {"prefix": key.partition(".")[0]} | detail
    audit.record(deed, by=by, at=at, about=f"device:{device.name}", detail=told)
    return key


def _lock(device: Device) -> None:
    """Of two who change a device's keys at once the second waits for the first."""
    list(Device.objects.select_for_update().filter(pk=device.pk).values_list("pk"))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
