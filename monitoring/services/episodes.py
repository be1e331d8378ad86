"""Alerts as the episodes of the rule, and what became of an episode as fields of its alert."""

from __future__ import annotations

from monitoring.clinical.episode import Episode, Kind
from monitoring.clinical.limits import Severity
from monitoring.clinical.signs import Side, Sign
from monitoring.models import Alert


def message_of(episode: Episode) -> str:
    return Alert(
        condition=episode.condition,
        sign=episode.sign or "",
        side=episode.side or "",
        vital_value=episode.value,
        threshold_breached=episode.limit,
        detail=episode.detail,
    ).message


def episode_of(alert: Alert) -> Episode:
    return Episode(
        id=alert.pk,
        condition=alert.condition,
        severity=Severity(alert.severity),
        raised_at=alert.raised_at,
        measured_at=alert.measured_at,
        last_measured_at=alert.last_measured_at,
        kind=Kind(alert.kind),
        sign=Sign(alert.sign) if alert.sign else None,
        side=Side(alert.side) if alert.side else None,
        value=alert.vital_value,
        limit=alert.threshold_breached,
        worst_value=alert.worst_value,
        last_value=alert.last_value,
        count=alert.count,
        detail=alert.detail,
        returned_at=alert.returned_at,
        resolved_at=alert.resolved_at,
        by_hand=alert.resolved_by_id is not None,
        acknowledged=alert.acknowledged_at is not None,
        unconfirmed=alert.unconfirmed,
        recorded=alert.recorded,
    )


# What of an alert moves after it was raised: what `write` sets, its ward and its clocks.
MOVING = (
    "ward",
    "is_open",
    "severity",
    "sign",
    "vital_value",
    "threshold_breached",
    "worst_value",
    "last_value",
    "count",
    "last_measured_at",
    "detail",
    "unconfirmed",
    "returned_at",
    "silenced_until",
    "silenced_by",
    "escalation_step",
    "next_step_at",
    "acknowledged_at",
    "acknowledged_by",
    "resolved_at",
    "resolved_by",
    "version",
)


def write(alert: Alert, episode: Episode) -> None:
    alert.is_open = None if episode.resolved_at else True  # type: ignore[assignment]  # the stubs know no nullable marker
    alert.severity = episode.severity.value
    alert.sign = episode.sign.value if episode.sign else ""
    alert.vital_value = episode.value
    alert.threshold_breached = episode.limit
    alert.worst_value = episode.worst_value
    alert.last_value = episode.last_value
    alert.count = episode.count
    alert.last_measured_at = episode.last_measured_at
    alert.detail = episode.detail
    alert.unconfirmed = episode.unconfirmed
    alert.returned_at = episode.returned_at
    alert.resolved_at = episode.resolved_at
    if not episode.by_hand:
        alert.resolved_by_id = None
    if not episode.acknowledged:
        alert.acknowledged_at = alert.acknowledged_by_id = None
