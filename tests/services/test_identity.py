"""M1 and m1 are two: on every engine, and said by a check where a column was made otherwise."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.checks import run_checks
from django.db import connection

from monitoring.models import Patient


def complaints() -> list[str]:
    return [error.id for error in run_checks(databases=["default"]) if error.id and error.id.startswith("accounts.")]


@pytest.mark.django_db
def test_ids_that_differ_by_case_are_two_patients():
    for patient_id in ("p-1", "P-1"):
        Patient.objects.create(patient_id=patient_id, name="One of two")

    assert Patient.objects.get(patient_id="p-1") != Patient.objects.get(patient_id="P-1")


@pytest.mark.django_db
def test_the_columns_as_migrated_are_right():
    assert complaints() == []


@pytest.fixture
def case_blind_column(transactional_db: None) -> Iterator[None]:
    change = "ALTER TABLE monitoring_patient MODIFY patient_id varchar(64) NOT NULL COLLATE "
    with connection.cursor() as cursor:
        cursor.execute(f"{change} utf8mb4_general_ci")
        yield
        cursor.execute(f"{change} utf8mb4_bin")


@pytest.mark.mysql
def test_a_column_that_is_blind_to_case_is_refused(case_blind_column):
    assert complaints() == ["accounts.E001"]
