"""The trail as tests speak of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import time_machine

from accounts import audit
from accounts.models import AuditEntry, Deed


def written(at: datetime, what: Deed = Deed.ADMITTED, **told: Any) -> None:
    """Somebody wrote a deed down then."""
    with time_machine.travel(at, tick=False):
        audit.record(what, at=at, **({"by": None} | told))


def trail(*names: str, house: bool = False) -> list[Any]:
    """These fields of every entry so far, in the order of writing; what MedQL itself did only if asked."""
    audit.flush()
    rows = AuditEntry.objects.order_by("pk")
    rows = rows if house else rows.exclude(by_kind="medql")
    return list(rows.values_list(*names, flat=True) if len(names) == 1 else rows.values_list(*names))
