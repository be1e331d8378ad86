"""A vital as the API answers it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from monitoring.clinical.signs import TYPES, Sign
from monitoring.models import Vital, VitalChange


def vital_read(vital: Vital) -> dict[str, Any]:
    """The item's fields, null where absent, and what MedQL knows of it."""
    return {
        "id": str(vital.pk),
        "patient_id": vital.patient.patient_id,
        "sensor_id": vital.sensor_id,
        "timestamp": vital.measured_at,
        "measured_at": vital.measured_at,
        "received_at": vital.received_at,
        **{sign.value: getattr(vital, sign) for sign in Sign},
        "consciousness": vital.consciousness or None,
        "on_oxygen": vital.on_oxygen,
        "oxygen_flow": vital.oxygen_flow,
        "status": vital.status or None,
        "version": vital.version,
        "late": vital.late,
    }


def typed_read(vital: Vital, sign: Sign, changes: Sequence[VitalChange] = ()) -> dict[str, Any]:
    """One value of it, as it was written down; whoever sends again what was entered in error is told so."""
    return {
        "id": str(vital.pk),
        "patient_id": vital.patient.patient_id,
        "recorded_at": vital.measured_at,
        "vital_type": TYPES[sign],
        "value": getattr(vital, sign),
        "version": vital.version,
        "created_at": vital.received_at,
        "updated_at": _updated_at(vital, changes),
        **({"entered_in_error": True} if vital.erroneous_at else {}),
    }


def detailed_read(vital: Vital, changes: Sequence[VitalChange]) -> dict[str, Any]:
    """All of it with what was changed; the type and value too, where it has one value alone."""
    (sign, value) = next(iter(vital.values.items())) if len(vital.values) == 1 else (None, None)
    return vital_read(vital) | {
        "recorded_at": vital.measured_at,
        "vital_type": TYPES[sign] if sign else None,
        "value": value,
        "created_at": vital.received_at,
        "updated_at": _updated_at(vital, changes),
        "entered_in_error": vital.erroneous_at is not None,
        "corrections": [_change_read(change) for change in changes],
    }


def _updated_at(vital: Vital, changes: Sequence[VitalChange]) -> datetime:
    return changes[-1].at if changes else vital.received_at


def _change_read(change: VitalChange) -> dict[str, Any]:
    return {
        "version": change.version,
        "what": change.what,
        "at": change.at,
        "by": str(change.by),
        "was": change.was,
        "became": change.became,
        "reason": change.reason or None,
    }
