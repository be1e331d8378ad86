"""What was promised of running it: a simulator, a load test, health, a description, a compose file, people to sign in with."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from medql.schema import document
from monitoring.demo import hospital, scenarios
from monitoring.models import Patient, Vital
from tests.demo.test_processes import server as a_server
from tests.demo.test_processes import simulate

ROOT = Path(__file__).parents[2]
server = a_server


@pytest.mark.django_db(transaction=True)
def test_a1_27_the_simulator_keeps_a_rate_and_says_how_well(server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    said = simulate(server, capsys, patients=3, start_id=40, rate=15, duration=1, scenario="stable", seed=42)

    assert "Sent 15 readings" in said and re.search(r"[\d.]+% of the target 15", said)
    assert set(Vital.objects.values_list("patient__patient_id", flat=True)) == {"P00040", "P00041", "P00042"}
    assert {"stable", "deteriorate", "arrest"} == set(scenarios.SCENARIOS)


@pytest.mark.django_db(transaction=True)
def test_a1_28_the_same_tool_measures_load_with_its_key(server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The load test before MedQL sent no token, and timed 401s."""
    said = simulate(server, capsys, patients=10, rate=100, batch=10, duration=1, scenario="stable")

    assert "Statuses 202: 10" in said and "Items stored 100" in said
    assert all(word in said for word in ("p50", "p95", "p99"))


def test_a1_29_health_description_compose_and_demo_logins(db: None) -> None:
    assert Client().get("/health").json()["status"] == "ok"
    assert Client().get("/docs").headers["Location"] == "/api/docs"
    assert {"web", "db", "redis"} <= set(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"])

    call_command("load_demo", verbosity=0)

    assert Patient.objects.count() == 12
    for person in hospital.PEOPLE:
        body = {"id": person.email, "password": person.password}
        assert Client().post("/auth/login", body, content_type="application/json").status_code == 200
    assert User.objects.count() == len(hospital.PEOPLE)


def test_b1_10_described_with_examples_and_errors_and_alive(db: None) -> None:
    operations = [one for path in document()["paths"].values() for one in path.values()]
    bodies = [content for one in operations for content in one.get("requestBody", {}).get("content", {}).values()]

    assert sum("examples" in body for body in bodies) >= len(bodies) / 2
    assert all(any(status >= "400" for status in one["responses"]) for one in operations if one["security"] != [{}])
    assert Client().get("/docs", follow=True).status_code == Client().get("/health").status_code == 200
