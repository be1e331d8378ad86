"""NEWS2 equals every row of the published tables: two engines' sweep and real observation sets, and other projects' cases."""

import csv
import gzip

import pytest

from monitoring.clinical.scores import columns, news2
from tests.clinical.score_rows import difference
from tests.strictness import RECORDINGS

TABLES = RECORDINGS / "news2"


@pytest.mark.recordings
@pytest.mark.parametrize(("name", "count"), [("engine_sweep.csv.gz", 894), ("engine_real_observations.csv.gz", 6460)])
def test_every_row_of_the_engines_scores_the_same(name, count):
    with gzip.open(TABLES / name, "rt", newline="") as file:
        rows = list(csv.DictReader(file))

    assert len(rows) == count
    assert {place: found for place, row in enumerate(rows, start=2) if (found := difference(row))} == {}


@pytest.mark.recordings
def test_every_published_case_that_follows_the_chart_scores_the_same():
    with (TABLES / "published_vectors.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["clincalc_agrees"] != "no"]

    assert len(rows) == 102
    assert {row["vector"]: found for row in rows if (found := published_difference(row))} == {}


def published_difference(row: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Cases assert one parameter's points, or a total: what of it we score otherwise."""
    score = news2.score(columns.read({column: row[column] for column in columns.find(list(row), news2.PARTS + news2.ALSO)}))
    ours = {"expected_total": str(score.total)}
    if row["asserted_parameter"]:
        name = row["asserted_parameter"].replace("air_or_oxygen", "on_oxygen")
        ours["expected_parameter_score"] = str(score.parts[columns.COLUMNS[name]])
    return {name: (value, row[name]) for name, value in ours.items() if row[name] and row[name] != value}


def test_a_row_that_scores_otherwise_is_found():
    row = {
        "respiratory_rate": "25", "spo2": "97", "spo2_scale": "1", "on_oxygen": "0", "systolic_bp": "120", "pulse": "70",
        "consciousness": "A", "temperature": "37.0", "respiratory_rate_score": "3", "spo2_score": "0",
        "air_or_oxygen_score": "0",
        "systolic_bp_score": "0", "pulse_score": "0", "consciousness_score": "0", "temperature_score": "0", "total": "3",
        "band": "low-medium", "single_parameter_3": "1",
    }  # fmt: skip

    assert difference(row) == {}
    assert difference(row | {"temperature": "38.1"}) == {"temperature_score": ("1", "0"), "total": ("4", "3")}


def test_a_published_case_that_scores_otherwise_is_found():
    case = {
        "respiratory_rate": "21", "spo2": "93", "spo2_scale": "1", "on_oxygen": "0", "systolic_bp": "120", "pulse": "95",
        "consciousness": "A", "temperature": "37.5", "asserted_parameter": "temperature",
        "expected_parameter_score": "1", "expected_total": "6",
    }  # fmt: skip

    assert published_difference(case) == {"expected_total": ("5", "6"), "expected_parameter_score": ("0", "1")}
    assert published_difference(case | {"expected_parameter_score": "0", "expected_total": "5"}) == {}
