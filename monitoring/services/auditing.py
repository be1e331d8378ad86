"""The watcher's part in the audit: it seals what was written down, and says when that does not work."""

from __future__ import annotations

from datetime import datetime

from accounts import chain
from accounts.transactions import retried
from monitoring.services import faults

UNSEALED = "audit_unsealed"
SENTENCE = "Entries of the audit have waited for their seal for more than a minute: see manage.py verify_audit."


def seal(*, now: datetime) -> bool:
    """A step of the watcher: seal what waits, a batch at once."""
    return chain.is_waiting() and _seal() > 0


def notice_lateness(*, now: datetime) -> bool:
    """A step of the watcher: entries that wait for more than a minute are a fault, until they do no more."""
    if chain.is_late(now=now):
        return faults.begin(UNSEALED, SENTENCE, now=now)
    return faults.is_open(UNSEALED) and faults.end(UNSEALED, now=now)


@retried
def _seal() -> int:
    return chain.seal_waiting()
