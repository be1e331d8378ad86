"""What happened to alerts beside their judgement: written once, and told to the boards of their wards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.models import User
from monitoring import realtime
from monitoring.models import Alert, AlertEvent, Placement, Vital
from monitoring.services.cases import Case


def tell(alerts: Sequence[Alert], what: AlertEvent.What, *, by: User | None, at: datetime, note: str = "") -> None:
    """Write one event for each alert, numbered by its ward, and tell the boards. Every other write but rows that point to
    wards comes before it: see `realtime.beds_changed`.
    """
    numbers = _numbers(alerts, ())
    AlertEvent.objects.bulk_create(_event(alert, what, alert.ward_id, numbers, by=by, at=at, note=note) for alert in alerts)


def tell_moved(alerts: Sequence[Alert], *, left: Mapping[UUID, int], by: User | None, at: datetime) -> None:
    """As tell, of alerts that are another ward's now: an event in the ward that each has left, by alert, and one where it is.

    Who sees only one of the two wards learns of it all the same.
    """
    numbers = _numbers(alerts, left.values())
    gone = [_event(alert, AlertEvent.What.LEFT, left[alert.pk], numbers, by=by, at=at) for alert in alerts]
    come = [_event(alert, AlertEvent.What.MOVED, alert.ward_id, numbers, by=by, at=at) for alert in alerts]
    AlertEvent.objects.bulk_create([*gone, *come])


def vitals_by_ward(vitals: Iterable[Vital], cases: Mapping[int, Case]) -> Mapping[int, realtime.Vitals]:
    """By which keys the event stream finds these vitals, for `realtime.beds_changed`."""
    found: dict[int, list[tuple[int, datetime, str]]] = {}
    for vital in vitals:
        found.setdefault(cases[vital.admission_id].ward_id, []).append((vital.patient_id, vital.measured_at, vital.sensor_id))
    return found


def _numbers(alerts: Sequence[Alert], other_wards: Iterable[int]) -> dict[int, int]:
    """The wards' new change numbers; the boards are told on commit."""
    admissions = {alert.admission_id for alert in alerts}
    # In this order the wards are told: that an alert has left before that it has come.
    beds: dict[int, set[int]] = {ward: set() for ward in [*other_wards, *(alert.ward_id for alert in alerts)]}
    for bed_id, ward_id in Placement.objects.filter(admission__in=admissions, is_open=True).values_list("bed", "bed__ward"):
        beds.setdefault(ward_id, set()).add(bed_id)
    return realtime.beds_changed(beds)


def _event(alert: Alert, what: AlertEvent.What, ward: int, numbers: Mapping[int, int], **told: Any) -> AlertEvent:
    return AlertEvent(
        alert=alert, what=what, severity=alert.severity, value=alert.last_value, ward_id=ward, number=numbers[ward], **told
    )
