"""What a test says about the world: a device posts, an alert has a history."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.test import Client

from accounts.models import Device
from monitoring.models import Alert, Patient


@dataclass
class Monitor:
    """A device with its key, that posts as devices do."""

    device: Device
    key: str
    client: Client = field(default_factory=Client)

    def post(self, body: Any, **headers: str) -> Any:
        content = body if isinstance(body, bytes | str) else json.dumps(body, default=_text)
        return self.client.post(
            "/api/v1/vitals", content, content_type="application/json", headers={"X-API-Key": self.key} | headers
        )


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value))


def item(patient: Patient, at: datetime | None = None, **values: Any) -> dict[str, Any]:
    """One item of a batch for this patient."""
    return {"patient_id": patient.patient_id} | ({"timestamp": at.isoformat()} if at else {}) | values


def series(patient: Patient, start: datetime, values: Iterable[dict[str, Any]], every: float = 1.0) -> list[dict[str, Any]]:
    """Items one after the other, `every` seconds apart."""
    return [item(patient, start + timedelta(seconds=every * place), **value) for place, value in enumerate(values)]


def one_after_the_other(patient: Patient, now: datetime) -> list[dict[str, Any]]:
    """A flood of spot values, a minute apart: no two of them are fresh together."""
    flood = {"spo2": 84, "heart_rate": 150, "respiratory_rate": 40, "body_temp": 40.5, "systolic_bp": 70}
    return [
        item(patient, now - timedelta(minutes=place), **{sign: value}) for place, (sign, value) in enumerate(flood.items(), 1)
    ]


def open_alert(patient: Patient) -> Alert:
    """The one open alert of a patient."""
    return Alert.objects.open().get(patient=patient)


def events_of(patient: Patient) -> list[str]:
    """What happened to the patient's alerts, in order."""
    alerts = Alert.objects.filter(patient=patient)
    return [event.what for alert in alerts for event in alert.events.order_by("pk")]


def unscored(patient: Patient) -> None:
    """NEWS2 was not made for her: only her signs alarm."""
    Patient.objects.filter(pk=patient.pk).update(pregnant=True)
