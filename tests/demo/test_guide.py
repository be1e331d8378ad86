"""What docs/api.md tells programs: its lines run as they stand, and its client, against a whole demo."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from monitoring.models import Admission, Alert, AlertEvent, Vital
from tests.demo.test_processes import answers, demo, until

__all__ = ["demo"]

pytestmark = pytest.mark.django_db(transaction=True)

DOCS = Path(__file__).parents[2] / "docs"
PATIENCE = 120  # seconds


def lines() -> list[str]:
    """The commands under the heading A round with curl."""
    section = (DOCS / "api.md").read_text().partition("\n## A round with curl\n")[2].partition("\n## ")[0]
    return [line.strip() for line in section.splitlines() if line.startswith("    ")]


@pytest.fixture
def base(demo) -> str:
    process, port, output = demo
    until(lambda: process.poll() is not None or (answers(port) and "Logins" in output.read_text()), within=PATIENCE)
    assert process.poll() is None, output.read_text()
    return f"http://127.0.0.1:{port}"


@pytest.mark.curl
def test_the_lines_of_the_guide_do_what_it_says(base):
    script = "set -euo pipefail\n" + "\n".join(lines())

    ran = subprocess.run(
        ["bash", "-c", script], env=os.environ | {"BASE": base}, capture_output=True, text=True, timeout=PATIENCE, check=False
    )

    assert ran.stderr == ""
    assert ran.returncode == 0, ran.stdout
    said = ran.stdout.split()
    assert said[:5] == ["1", "ICU", "5", "acknowledged", "2"]
    assert "version_conflict" in said and "MEDIUM" in said
    vital = Vital.objects.get(patient__patient_id="P-100")
    assert (vital.spo2, vital.version) == (94, 2)
    told = AlertEvent.objects.filter(alert__patient=vital.patient).values_list("what", flat=True)
    assert {"raised", "acknowledged", "corrected", "resolved"} <= set(told)
    assert not Admission.objects.filter(patient=vital.patient, is_open=True).exists()


def test_the_guide_has_lines_to_run():
    assert len(lines()) == 19


def test_the_client_looks_after_a_patient_and_follows_the_stream(base):
    # One that nothing but a hand ends.
    waiting = Alert.objects.open().filter(patient__isnull=False, kind="physiological", severity="critical")
    until(waiting.exists, within=PATIENCE)
    alert = waiting.select_related("patient").earliest("raised_at")

    ran = subprocess.run(
        [sys.executable, DOCS / "examples" / "medql_client.py", base, "nurse", "demo-nurse", alert.patient.patient_id],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert ran.stderr == ""
    assert ran.returncode == 0
    assert f"{alert.patient.patient_id} lies in {alert.ward.slug}" in ran.stdout
    assert "written down: BT 37.2 (version 1)" in ran.stdout
    assert "-> acknowledged" in ran.stdout
    assert "VITAL_NEW" in ran.stdout
    taken = AlertEvent.objects.get(alert=alert, what=AlertEvent.What.ACKNOWLEDGED)
    assert taken.by.login == "nurse"
