"""The report on the alarm load counts what the rule did, and catches what was labelled."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from monitoring.demo.recordings import EXCERPT
from tests.bench import alarm_load

HYPOTENSIVE = ("a40051n", "a40119n", "a41770n", "a40172n", "a40099n")  # of the demo's excerpt, by the data set's own label
KEYS = [
    "patients",
    "patient_days",
    "raised",
    "reraised",
    "reopened",
    "per_patient_day",
    "episodes",
    "episodes_caught",
    "worst_delay_minutes",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(EXCERPT, tmp_path / "challenge2009_1min.csv.gz")
    rows = [f"{record},yes" for record in HYPOTENSIVE] + ["a40207n,no"]
    (tmp_path / "challenge2009_records.csv").write_text("\n".join(["record,acute_hypotensive_episode_after_t0", *rows]))
    return tmp_path


def test_every_labelled_episode_is_caught_and_every_call_counted(folder, capsys):
    alarm_load.main(folder)

    *table, _, last = capsys.readouterr().out.splitlines()
    report = json.loads(last)
    counted = sum(int(row.split()[4]) for row in table if row.split()[0] in ("raised", "reraised", "reopened"))
    assert list(report) == KEYS
    assert (report["patients"], report["episodes"], report["episodes_caught"]) == (12, 5, 5)
    assert report["worst_delay_minutes"] <= alarm_load.CAUGHT_WITHIN
    assert report["raised"] + report["reraised"] + report["reopened"] == counted
    assert report["per_patient_day"] == pytest.approx(counted / report["patient_days"], abs=0.05)  # both are rounded


def test_a_rule_that_never_alarms_would_be_seen(folder, capsys, monkeypatch):
    monkeypatch.setattr(alarm_load.alarm, "active", lambda state, condition: None)

    alarm_load.main(folder)

    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (report["episodes_caught"], report["worst_delay_minutes"]) == (0, None)
