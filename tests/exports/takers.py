"""Who takes an export, and what came out."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from typing import Any

import openpyxl

from monitoring.models import Admission, Alert, Patient, Placement, Vital
from tests.conftest import signed_in


def asked(now: datetime, **told: Any) -> dict[str, str]:
    """The last eight hours of the vitals as CSV, unless told otherwise."""
    usual: dict[str, Any] = {
        "what": "vitals",
        "format": "csv",
        "from": now - timedelta(hours=8),
        "to": now + timedelta(seconds=1),
    }
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in (usual | told).items()
        if value is not None
    }


def taken(person, subject: str, now: datetime, **told: Any):
    return signed_in(person).get(f"/api/v1/{subject}/export", asked(now, **told))


def body(answer) -> bytes:
    return b"".join(answer.streaming_content)


def table(answer) -> list[dict[str, str]]:
    """The rows of a CSV that has come whole, without its end."""
    assert answer.status_code == 200, answer.content
    *rows, end = csv.DictReader(io.StringIO(body(answer).decode()))
    assert end["end"].startswith(f"End of export: {len(rows)} rows.")
    assert not any(row["end"] for row in rows)
    return rows


def workbook(answer) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(body(answer)))


def measured(patient: Patient, *at: datetime, sensor: str = "M7/art", **values: Any) -> None:
    """Stored as they are, and judged by nobody."""
    admission = Admission.objects.get(patient=patient, is_open=True)
    Vital.objects.bulk_create(
        Vital(patient=patient, admission=admission, sensor_id=sensor, measured_at=each, received_at=each, **values)
        for each in at
    )


def called(patient: Patient, *at: datetime, ended: datetime | None = None, **values: Any) -> list[Alert]:
    """Alerts that were raised at these times and are over, unless told otherwise; nobody has taken them."""
    placement = Placement.objects.get(admission__patient=patient, is_open=True)
    usual: dict[str, Any] = {"severity": "critical", "ward": placement.bed.ward, "admission": placement.admission}
    return Alert.objects.bulk_create(
        Alert(
            **usual | values,
            patient=patient,
            subject=f"patient:{patient.pk}",
            condition=f"spo2_low_{place}",
            is_open=None,  # type: ignore[misc]
            raised_at=each,
            measured_at=each,
            last_measured_at=each,
            resolved_at=ended or each + timedelta(minutes=1),
        )
        for place, each in enumerate(at)
    )
