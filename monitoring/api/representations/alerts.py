"""An alert as the API and the event stream answer it: the same fields, in whichever door it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import prefetch_related_objects

from monitoring.models import Alert, Placement

RELATED = ("ward", "patient", "device", "acknowledged_by", "resolved_by")  # to be selected with the alerts, to save queries


def read(alerts: Sequence[Alert], *, lies: Placement | None = None) -> list[dict[str, Any]]:
    """All of them at once: one query for the beds, and one for each of RELATED that has not come with the alerts.

    `lies`: where the one patient lies whose alerts these are, if that is known already.
    """
    prefetch_related_objects(alerts, *RELATED)
    beds = {lies.admission_id: [lies]} if lies else _beds(alerts)
    return [_read(alert, beds.get(alert.admission_id or 0, ())) for alert in alerts]


def _read(alert: Alert, placements: Sequence[Placement]) -> dict[str, Any]:
    return {
        "id": str(alert.pk),
        "alert_id": str(alert.pk),
        "subject": _subject(alert),
        "patient_id": alert.patient and alert.patient.patient_id,
        "ward": alert.ward.slug,
        "bed": _bed(alert, placements),
        "kind": alert.kind,
        "severity": alert.severity,
        "condition": alert.condition,
        "sign": alert.sign or None,
        "side": alert.side or None,
        "message": alert.message,
        "vital_value": alert.vital_value,
        "threshold_breached": alert.threshold_breached,
        "worst_value": alert.worst_value,
        "last_value": alert.last_value,
        "count": alert.count,
        "state": alert.state,
        "silenced_until": alert.silenced_until,
        "created_at": alert.raised_at,
        "measured_at": alert.measured_at,
        "acknowledged_at": alert.acknowledged_at,
        "acknowledged_by": alert.acknowledged_by and str(alert.acknowledged_by),
        "resolved_at": alert.resolved_at,
        "resolved_by": alert.resolved_by and str(alert.resolved_by),
        "escalation_step": alert.escalation_step,
        "version": alert.version,
    }


def _subject(alert: Alert) -> str:
    """Whom it is about, by a name that the other doors take: `patient:P00001`, `device:M7`, `ward:icu`."""
    if alert.patient:
        return f"patient:{alert.patient.patient_id}"
    return f"device:{alert.device.name}" if alert.device else f"ward:{alert.ward.slug}"


def _beds(alerts: Sequence[Alert]) -> dict[int, list[Placement]]:
    """Of every stay the beds, the last one first."""
    stays = {alert.admission_id for alert in alerts if alert.admission_id}
    found: dict[int, list[Placement]] = {}
    for placement in Placement.objects.filter(admission__in=stays).select_related("bed").order_by("-started_at", "-pk"):
        found.setdefault(placement.admission_id, []).append(placement)
    return found


def _bed(alert: Alert, placements: Sequence[Placement]) -> str | None:
    """Where the patient lies, or lay when the alert ended."""
    began = (each for each in placements if alert.resolved_at is None or each.started_at <= alert.resolved_at)
    last = next(began, None)
    return last.bed.name if last else None
