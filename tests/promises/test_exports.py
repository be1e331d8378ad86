"""Promises that exports fulfil."""

from __future__ import annotations

from datetime import timedelta

from tests.conftest import signed_in
from tests.exports.takers import asked, measured, table


def test_a1_30_vitals_and_alerts_leave_as_csv_for_research(ada, noor, now):
    """Without names: a patient is an id."""
    measured(ada, now - timedelta(minutes=5), heart_rate=80)
    browser = signed_in(noor)

    of_patient = browser.get("/api/v1/patients/P-ADA/export", asked(now))
    of_ward = browser.get("/api/v1/wards/north/export", asked(now))
    alerts = browser.get("/api/v1/wards/north/export", asked(now, what="alerts"))

    assert [row["heart_rate"] for row in table(of_patient)] == [row["heart_rate"] for row in table(of_ward)] == ["80"]
    assert table(alerts) == []
