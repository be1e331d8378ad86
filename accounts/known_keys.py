"""Which device keys there are, remembered in each process for a few seconds, so that a reading costs no query for its key.

What is revoked or switched off elsewhere is believed no longer than REMEMBERED; in the process that did it, it ends at once.
A key that is not known is never remembered: a new one opens every process the moment it is issued.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.db import transaction

from accounts.models import DeviceKey

REMEMBERED = 4.0  # seconds: below the 5 within which a revoked key must be dropped everywhere


@dataclass(frozen=True, slots=True)
class _Found:
    row: DeviceKey
    asked_at: float  # by the steady clock, before the database was asked


_found: dict[str, _Found] = {}
_changes = 0


def find(prefix: str) -> DeviceKey | None:
    """The key of this prefix with its device, as the database had it at most REMEMBERED seconds ago."""
    known = _found.get(prefix)
    now = time.monotonic()
    if known and now - known.asked_at < REMEMBERED:
        return known.row
    changes = _changes
    row = DeviceKey.objects.select_related("device").filter(prefix=prefix).first()
    if row is None:
        _found.pop(prefix, None)
    elif changes == _changes:  # else something was revoked while the database answered
        _found[prefix] = _Found(row, now)
    return row


def forget(device_id: int) -> None:
    """The device or a key of it changes: ask again, within this transaction and once more when it is committed."""
    _drop(device_id)
    transaction.on_commit(lambda: _drop(device_id))


def forget_all() -> None:
    """Ask the database about every key again."""
    _found.clear()


def _drop(device_id: int) -> None:
    global _changes  # noqa: PLW0603  (one memory a process)
    _changes += 1
    for prefix, known in list(_found.items()):
        if known.row.device_id == device_id:
            _found.pop(prefix, None)
