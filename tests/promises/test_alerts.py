"""What was promised of alerts, as the systems before MedQL had it or should have had it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import User
from monitoring.models import Alert, Delivery, Patient, ThresholdChange
from tests.conftest import signed_in
from tests.doors.staff import send
from tests.doors.test_thresholds import put
from tests.services.alerting import watch
from tests.services.outbox import send as send_what_is_due
from tests.world import Monitor, item, open_alert, series, unscored

ALERTS = "/api/v1/alerts"
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _only_her_signs_alarm(ada: Patient) -> None:
    unscored(ada)


def told(person: User, **asked: Any) -> list[dict[str, Any]]:
    answer = signed_in(person).get(ALERTS, asked)
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


@pytest.mark.parametrize(
    ("sign", "value"),
    [
        ("heart_rate", 150),
        ("spo2", 84),
        ("systolic_bp", 70),
        ("diastolic_bp", 125),
        ("body_temp", 40.5),
        ("respiratory_rate", 40),
    ],
)
def test_a1_14_each_of_the_six_vitals_alarms(
    ada: Patient, noor: User, gateway: Monitor, now: datetime, sign: str, value: float
) -> None:
    gateway.post([item(ada, now, **{sign: value})])

    (alert,) = told(noor)
    assert (alert["patient_id"], alert["sign"], alert["severity"], alert["vital_value"]) == ("P-ADA", sign, "critical", value)
    assert alert["threshold_breached"] is not None and alert["message"]


def test_a1_15_a_patients_own_limits_win_and_every_change_of_them_is_kept(
    ada: Patient, ben: Patient, noor: User, dora: User, root: User, gateway: Monitor, now: datetime
) -> None:
    unscored(ben)
    of_all, hers = (
        {"sign": "spo2", "critical_low": 80, "warning_low": 88},
        {"sign": "spo2", "critical_low": 70, "warning_low": 75},
    )
    assert put(signed_in(root), "/api/v1/thresholds", of_all).status_code == 200
    assert put(signed_in(dora), "/api/v1/patients/P-ADA/thresholds", hers, reason="COPD").status_code == 200

    gateway.post([item(patient, now, spo2=79) for patient in (ada, ben)])

    assert [(alert["patient_id"], alert["threshold_breached"]) for alert in told(noor)] == [("P-BEN", 80)]
    limits = signed_in(noor).get("/api/v1/patients/P-ADA/thresholds").json()["limits"]
    spo2 = next(one for one in limits if one["sign"] == "spo2")
    assert (spo2["source"], spo2["by"], spo2["reason"], bool(spo2["at"])) == ("patient", "Dora", "COPD", True)
    assert put(signed_in(dora), "/api/v1/patients/P-ADA/thresholds").status_code == 200
    kept = ThresholdChange.objects.filter(patient=ada, sign="spo2").order_by("pk")
    assert [(one.by, one.was and one.was["critical_low"], one.becomes and one.becomes["critical_low"]) for one in kept] == [
        (dora, None, 70),
        (dora, 70, None),
    ]


def test_a1_16_critical_warning_and_info_and_a_call_for_help(ada: Patient, noor: User, monitor: Monitor, now: datetime) -> None:
    monitor.post([item(ada, now, spo2=84, heart_rate=125, status={"device": "battery_low"})])
    assert send(signed_in(noor), "/api/v1/patients/P-ADA/emergency", {}).status_code == 201

    found = {alert["condition"]: alert["severity"] for alert in told(noor)}

    assert (found["spo2_low"], found["heart_rate_high"], found["battery_low"]) == ("critical", "warning", "info")
    assert found["emergency_help"] == "critical"


def test_a1_17_who_stays_beyond_is_told_once_and_anew_when_it_gets_worse(
    ada: Patient, noor: User, gateway: Monitor, now: datetime
) -> None:
    begin = now - 25 * SECOND
    gateway.post(series(ada, begin, [{"spo2": 88}] * 10))
    (alert,) = told(noor)
    assert (alert["severity"], alert["count"]) == ("warning", 10)
    send(signed_in(noor), f"{ALERTS}/{alert['id']}/acknowledge", {})

    gateway.post(series(ada, begin + 10 * SECOND, [{"spo2": 88}] * 5))
    assert [(one["id"], one["state"]) for one in told(noor)] == [(alert["id"], "acknowledged")]

    gateway.post(series(ada, begin + 15 * SECOND, [{"spo2": 80}] * 5))
    (risen,) = told(noor)
    assert (risen["id"], risen["severity"], risen["state"]) == (alert["id"], "critical", "raised")


def test_a1_18_created_acknowledged_resolved_with_who_and_when(
    ada: Patient, noor: User, dora: User, gateway: Monitor, now: datetime
) -> None:
    gateway.post([item(ada, now, spo2=84)])
    address = f"{ALERTS}/{open_alert(ada).pk}"

    send(signed_in(noor), f"{address}/acknowledge", {})
    send(signed_in(dora), f"{address}/resolve", {"note": "moved the probe"})

    alert = signed_in(noor).get(address).json()
    assert (alert["acknowledged_by"], alert["resolved_by"], alert["state"]) == ("Noor", "Dora", "resolved")
    assert alert["created_at"] <= alert["acknowledged_at"] <= alert["resolved_at"]
    assert [event["what"] for event in alert["events"]] == ["raised", "acknowledged", "resolved"]


def test_a1_19_listed_filtered_and_answered_twice_without_harm(
    ada: Patient, ben: Patient, noor: User, dora: User, gateway: Monitor, now: datetime
) -> None:
    unscored(ben)
    gateway.post([item(ada, now, spo2=84), item(ben, now, heart_rate=125)])

    assert [one["patient_id"] for one in told(noor, severity="critical")] == ["P-ADA"]
    assert [one["patient_id"] for one in told(noor, patient_id="P-BEN")] == ["P-BEN"]
    assert len(told(noor, limit=1)) == 1
    address = f"{ALERTS}/{open_alert(ada).pk}"
    assert signed_in(noor).get(address).json()["sign"] == "spo2"
    for deed in ("acknowledge", "resolve"):
        first, second = (send(signed_in(person), f"{address}/{deed}", {}) for person in (noor, dora))
        assert (first.status_code, second.status_code) == (200, 200) and first.json() == second.json()
    assert [one["patient_id"] for one in told(noor)] == ["P-BEN"]
    assert [one["state"] for one in signed_in(noor).get(f"{ALERTS}/patient/P-ADA").json()["results"]] == ["resolved"]


def test_a1_21_an_alert_leaves_a_row_for_each_whom_it_calls(ada: Patient, noor: User, gateway: Monitor, now: datetime) -> None:
    gateway.post([item(ada, now, spo2=84)])

    watch(now + timedelta(minutes=10))
    send_what_is_due(now + timedelta(minutes=10))

    row = Delivery.objects.filter(user=noor, channel="in_app").earliest("pk")
    assert (row.alert, row.state, bool(row.created_at), bool(row.sent_at)) == (Alert.objects.get(), "sent", True, True)
