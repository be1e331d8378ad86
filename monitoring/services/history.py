"""What happened to alerts beside their judgement: written once, and told to the boards of their wards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from accounts.models import User
from monitoring import realtime
from monitoring.models import Alert, AlertEvent, Placement


def tell(alerts: Sequence[Alert], what: AlertEvent.What, *, by: User | None, at: datetime, note: str = "") -> None:
    """Write one event for each alert, numbered by its ward, and tell the boards. Every other write but rows that point to
    wards comes before it: see `realtime.beds_changed`.
    """
    admissions = {alert.admission_id for alert in alerts}
    beds: dict[int, set[int]] = {alert.ward_id: set() for alert in alerts}
    for bed_id, ward_id in Placement.objects.filter(admission__in=admissions, is_open=True).values_list("bed", "bed__ward"):
        beds.setdefault(ward_id, set()).add(bed_id)
    numbers = realtime.beds_changed(beds)
    AlertEvent.objects.bulk_create(
        AlertEvent(
            alert=alert,
            what=what,
            at=at,
            by=by,
            severity=alert.severity,
            value=alert.last_value,
            note=note,
            ward_id=alert.ward_id,
            number=numbers[alert.ward_id],
        )
        for alert in alerts
    )
