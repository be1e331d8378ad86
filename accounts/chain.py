"""The seals of the trail: each entry is sealed over its own words and the seal before it, so that none can be changed, taken
out, put in or moved unnoticed by anybody who has the database but not the keys.

The order of the chain is that of the sealing (`number`), not of the ids: a transaction that commits late is sealed late.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from accounts import audit, keyring, seals
from accounts.keyring import Key
from accounts.models import AuditEntry, AuditHead, Deed
from accounts.models.audit_head import THE_ONE

BATCH = 500  # entries sealed in one transaction
AT_ONCE = 100  # rows in one statement
LATE_AFTER = timedelta(minutes=1)


class HeadLost(Exception):
    """What the head says cannot be: it is gone, or somebody else wrote it. No seal goes on from there."""


@transaction.atomic
def seal_waiting(*, most: int = BATCH) -> int:
    """Seal what waits, oldest id first, and say how many that were. Raises HeadLost.

    The head is held meanwhile: a second watcher waits, and then finds nothing.
    """
    head = _held_head()
    rows = list(AuditEntry.objects.filter(number=None).order_by("pk")[:most])
    if not rows:
        return 0
    key = keyring.current()
    for row in rows:
        row.number, row.key = head.number + 1, key.id
        row.seal = seals.seal_of({name: getattr(row, name) for name in seals.SEALED}, after=head.seal, key=key)
        head.number, head.seal = row.number, row.seal
    # Not by the model's own QuerySet, which changes nothing; nobody else writes these three.
    QuerySet[AuditEntry](AuditEntry).bulk_update(rows, seals.SEALS, batch_size=AT_ONCE)
    _write(head, key)
    return len(rows)


@transaction.atomic
def resume(*, at: datetime) -> AuditHead:
    """Go on after the last sealed entry, whatever the head said; that this was done is the next entry."""
    last = AuditEntry.objects.exclude(number=None).order_by("-number").first()
    head, _ = AuditHead.objects.select_for_update().get_or_create(pk=THE_ONE)
    said = str(head)
    head.number, head.seal = (last.number or 0, last.seal) if last else (0, "")
    _write(head, keyring.current())
    audit.record(Deed.CHAIN_RESUMED, by=None, at=at, detail={"head_was": said, "goes_on_after": str(head)})
    return head


def is_believed(head: AuditHead) -> bool:
    """The head was written by who has the key. Raises UnknownKey."""
    if not head.key:
        return head.number == 0 and not head.seal
    return hmac.compare_digest(head.mac, _of_head(head, keyring.by_id(head.key)))


def is_waiting() -> bool:
    return AuditEntry.objects.filter(number=None).exists()


def is_late(*, now: datetime) -> bool:
    """An entry has waited for its seal for more than a minute."""
    return AuditEntry.objects.filter(number=None, written_at__lt=now - LATE_AFTER).exists()


def _held_head() -> AuditHead:
    head = AuditHead.objects.select_for_update().filter(pk=THE_ONE).first()
    if head is None:
        if AuditEntry.objects.exclude(number=None).exists():
            raise HeadLost("Entries are sealed, but the row that says which was the last is gone.")
        return AuditHead.objects.create(pk=THE_ONE)
    if not is_believed(head):
        raise HeadLost("The row that says which entry was sealed last was changed by somebody else.")
    return head


def _write(head: AuditHead, key: Key) -> None:
    head.key, head.mac = key.id, _of_head(head, key)
    head.save(update_fields=["number", "seal", "key", "mac"])


def _of_head(head: AuditHead, key: Key) -> str:
    return seals.mac(key, "audit head", str(head))
