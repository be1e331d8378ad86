"""What a test says at the staff's doors: it sends a body, and asks which rows came and which fields were refused."""

from __future__ import annotations

from typing import Any

from django.test import Client

PATIENTS = "/api/v1/patients"
ADA = f"{PATIENTS}/P-ADA"
GRACE = {"patient_id": "P-GRACE", "name": "Grace Hopper", "gender": "F", "birth_date": "1956-12-09"}


def send(client: Client, address: str, body: Any, method: str = "post", **headers: str) -> Any:
    return getattr(client, method)(address, body, content_type="application/json", headers=headers)


def fields(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.content
    return [error["field"] for error in answer.json()["errors"]]


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["patient_id"] for row in answer.json()["results"]]
