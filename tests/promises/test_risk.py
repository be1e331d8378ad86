"""What was promised of the inference of risk, as the system before MedQL had it or should have had it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from medql.schema import document
from monitoring.clinical.scores import registry
from monitoring.clinical.scores.observations import Observations
from monitoring.clinical.scores.score import Score
from monitoring.models import Patient
from tests.conftest import signed_in
from tests.doors.staff import fields, send

RISK = "/api/v1/inference/vital-risk"
AT = "2026-03-01T12:00:00Z"


def ask(client: Client, *records: dict[str, Any], **body: Any) -> Any:
    told = [{"recorded_at": AT, "vitals": vitals} for vitals in records]
    return send(client, RISK, {"patient_id": "P-ADA", "records": told} | body)


@pytest.mark.parametrize(
    ("records", "score", "level", "rules"),
    [
        ([{"HR": 80, "SBP": 120, "SpO2": 97}], 0.2, "LOW", []),
        ([{"HR": 80}, {"HR": 130}], 0.5, "MEDIUM", ["HR > 120"]),
        ([{"SBP": 80, "SpO2": 80}, {"HR": 130}], 0.7, "MEDIUM", ["SBP < 90", "SpO2 < 90"]),
        ([{"HR": 130, "SBP": 80, "SpO2": 80}], 0.9, "HIGH", ["HR > 120", "SBP < 90", "SpO2 < 90"]),
    ],
)
def test_b1_08_the_highest_of_the_records_by_the_rules_it_meets(
    ada: Patient, noor: User, records: list[dict[str, Any]], score: float, level: str, rules: list[str]
) -> None:
    told = ask(signed_in(noor), *records).json()

    assert (told["risk_score"], told["risk_level"], told["checked_rules"]) == (score, level, rules)
    assert (told["patient_id"], told["strategy"], bool(told["evaluated_at"])) == ("P-ADA", "rule_based", True)


def test_b1_08_nothing_unknown_is_passed_over(ada: Patient, noor: User) -> None:
    client = signed_in(noor)

    assert fields(ask(client)) == ["records"]
    assert fields(ask(client, {"hr": 130})) == ["records[0].vitals.hr"]
    assert fields(ask(client, {"HR": 130}, strategy="guess")) == ["strategy"]


def test_b1_11_a_strategy_registers_itself_and_the_address_names_its_version(
    ada: Patient, noor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_STRATEGIES", dict(registry._STRATEGIES))

    @registry.register("by_pulse", parts=("heart_rate",))
    def by_pulse(observations: Observations) -> Score:
        return Score(strategy="by_pulse", observations=observations, parts={"heart_rate": 1}, total=1, at_least=1, band="one")

    assert ask(signed_in(noor), {"HR": 80}, strategy="by_pulse").json()["risk_score"] == 1
    assert all(path.startswith(("/api/v1/", "/auth/", "/api/schema")) for path in document()["paths"])
