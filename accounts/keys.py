"""The keys that devices show: issued once in clear, kept as a hash."""

import hashlib
import hmac
import secrets
from datetime import datetime

from django.db import transaction

from accounts.models import Device, DeviceKey


class WrongKey(Exception):
    """No such key."""


class RevokedKey(Exception):
    """The key, or its device, was withdrawn."""


def issue(device: Device) -> str:
    """A new key `<prefix>.<secret>`; this is the only time it can be read. 256 random bits need no slow hash."""
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    DeviceKey.objects.create(device=device, prefix=prefix, secret_hash=_hash(secret))
    return f"{prefix}.{secret}"


@transaction.atomic
def rotate(device: Device, *, at: datetime) -> str:
    """A new key; every older one of the device is revoked at once."""
    revoke(device, at=at)
    return issue(device)


def revoke(device: Device, *, at: datetime) -> int:
    """Withdraw all keys of the device; says how many that were."""
    return DeviceKey.objects.filter(device=device, revoked_at=None).update(revoked_at=at)


def device_of(key: str) -> Device:
    """The device that shows this key. Raises WrongKey or RevokedKey."""
    prefix, _, secret = key.partition(".")
    row = DeviceKey.objects.select_related("device").filter(prefix=prefix).first()
    if row is None or not hmac.compare_digest(row.secret_hash, _hash(secret)):
        raise WrongKey
    if row.revoked_at or not row.device.is_active:
        raise RevokedKey
    return row.device


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
