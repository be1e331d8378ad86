"""A device and its assignments as the API answers them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from accounts.models import Device, ServiceToken, User
from monitoring.models import DeviceAssignment, DeviceState, Patient


def read(devices: Sequence[Any]) -> list[dict[str, Any]]:
    """Devices with what was asked for beside their rows."""
    return [
        {
            "id": device.pk,
            "name": device.name,
            "kind": device.kind,
            "wards": [ward.slug for ward in device.wards_shown],
            "active": device.is_active,
            "continuous": device.is_continuous,
            "zero_is_absent": device.zero_is_absent,
            "last_seen_at": device.last_seen_at,
            "last_data_at": device.last_data_at,
            "patient_id": device.worn_by,
            "assigned_at": device.worn_since,
            "conditions": [
                {"alert_id": str(one.pk), "condition": one.condition, "severity": one.severity, "message": one.message}
                for one in device.wrong
            ],
        }
        for device in devices
    ]


def sensors(device: Device) -> list[dict[str, Any]]:
    """The sensors that do something wrong, each once; whose they are is not told."""
    state: DeviceState | None = getattr(device, "state", None)
    if state is None:
        return []
    wrong: dict[str, dict[str, Any]] = {}
    for source, clock in state.conduct.clocks.items():
        _of(source, wrong)["clock_correction_s"] = clock.correction
    for source, refused in state.conduct.refused.items():
        one = _of(source, wrong)
        one["refused_in_a_row"] = max(one["refused_in_a_row"], refused.count)
    return [wrong[name] for name in sorted(wrong)]


def _of(source: str, wrong: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What is known of a sensor, by `patient/sensor`."""
    name = source.partition("/")[2]
    return wrong.setdefault(name, {"sensor_id": name, "clock_correction_s": None, "refused_in_a_row": 0})


def assignments(rows: Sequence[DeviceAssignment], who: User | ServiceToken) -> list[dict[str, Any]]:
    """One query more for all: of a patient whom they may not see they are told that it was somebody, and when."""
    patients = {row.patient_id for row in rows}
    theirs = set(Patient.objects.visible_to(who).filter(pk__in=patients).values_list("pk", flat=True))
    return [_assignment(row, is_told=row.patient_id in theirs) for row in rows]


def _assignment(row: DeviceAssignment, *, is_told: bool) -> dict[str, Any]:
    return {
        "device_id": row.device_id,
        "device": row.device.name,
        "patient_id": row.patient.patient_id if is_told else None,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "assigned_by": str(row.assigned_by) if row.assigned_by else None,
        "notes": (row.notes or None) if is_told else None,
    }
