"""What was promised of a patient's history, as the systems before MedQL had it or should have had it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from accounts.models import User
from monitoring.models import Patient
from tests.conftest import signed_in
from tests.world import series

HISTORY = "/api/v1/patients/P-ADA/history"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def begin(ada: Patient, gateway, now: datetime) -> datetime:
    """When ninety readings began, one a minute, with a full hour among them."""
    begin = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    gateway.post(series(ada, begin, [{"heart_rate": 60 + place, "body_temp": 36.6} for place in range(90)], every=60))
    return begin


def test_a1_07_the_newest_first_with_a_limit_and_a_range_ascending(noor: User, begin: datetime) -> None:
    newest = signed_in(noor).get(HISTORY, {"limit": 3})
    range_ = signed_in(noor).get(HISTORY, {"start_time": begin.isoformat(), "end_time": (begin + 2 * MINUTE).isoformat()})

    assert [row["heart_rate"] for row in newest.json()] == [149, 148, 147]
    assert [row["heart_rate"] for row in range_.json()] == [60, 61, 62]


def test_a1_10_hourly_averages_and_the_last_n_readings(noor: User, begin: datetime) -> None:
    client = signed_in(noor)

    hours = client.get(HISTORY, {"resolution": "1h", "order": "asc"}).json()

    assert [(hour["heart_rate"]["mean"], hour["heart_rate"]["count"]) for hour in hours] == [(89.5, 60), (134.5, 30)]
    assert len(client.get(HISTORY, {"limit": 1}).json()) == 1
    assert len(client.get(HISTORY, {"limit": 1000}).json()) == 90
    assert [client.get(HISTORY, {"limit": limit}).status_code for limit in (0, 1001)] == [422, 422]


@pytest.mark.parametrize("address", ["/api/v1/patients/P-ADA/vitals", "/api/v1/vitals/patient/P-ADA"])
def test_b1_06_values_of_a_time_range_of_one_type_or_of_all(noor: User, begin: datetime, address: str) -> None:
    range_ = {"from": begin.isoformat(), "to": (begin + MINUTE).isoformat()}

    of_all = signed_in(noor).get(address, range_).json()
    of_one = signed_in(noor).get(address, range_ | {"vital_type": "BT"}).json()

    assert (of_all["patient_id"], of_all["vital_type"], of_one["vital_type"]) == ("P-ADA", None, "BT")
    assert [(each["vital_type"], each["value"]) for each in of_all["items"]] == [
        ("HR", 60),
        ("BT", 36.6),
        ("HR", 61),
        ("BT", 36.6),
    ]
    assert [each["value"] for each in of_one["items"]] == [36.6, 36.6]
    assert datetime.fromisoformat(of_one["items"][0]["recorded_at"]) == begin
    assert signed_in(noor).get(address, {"from": range_["to"], "to": range_["from"]}).status_code == 422
    assert signed_in(noor).get(address, range_ | {"vital_type": "XX"}).status_code == 422
