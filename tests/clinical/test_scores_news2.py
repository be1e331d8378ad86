"""NEWS2 by worked vectors: every edge of the chart (© Royal College of Physicians 2017), the bands, what is missing."""

from typing import Any

import pytest

from monitoring.clinical.scores import news2
from monitoring.clinical.scores.observations import Impossible, Observations
from monitoring.clinical.scores.score import NotApplicable
from tests.clinical.score_rows import NORMAL, observed

ORDER = news2.PARTS


def edges(field: str, points: dict[Any, int], **fixed) -> list:
    """One vector for each value: only this part scores."""
    return [
        pytest.param(
            {**fixed, field: value},
            {field: part} | ({"on_oxygen": 2} if fixed.get("on_oxygen") else {}),
            id=f"{field}-{value}-{fixed}",
        )
        for value, part in points.items()
    ]


VECTORS = [
    pytest.param({}, {}, id="normal"),
    *edges("respiratory_rate", {8: 3, 9: 1, 11: 1, 12: 0, 20: 0, 21: 2, 24: 2, 25: 3}),
    *edges("spo2", {91: 3, 92: 2, 93: 2, 94: 1, 95: 1, 96: 0}),
    *edges("spo2", {94: 1}, on_oxygen=True),
    *edges("spo2", {83: 3, 84: 2, 85: 2, 86: 1, 87: 1, 88: 0}, spo2_scale=2),
    *edges("spo2", {88: 0, 92: 0, 93: 1, 94: 1, 95: 2, 96: 2, 97: 3}, spo2_scale=2, on_oxygen=True),
    *edges("spo2", {93: 0, 97: 0}, spo2_scale=2),
    *edges("systolic_bp", {90: 3, 91: 2, 100: 2, 101: 1, 110: 1, 111: 0, 219: 0, 220: 3}),
    *edges("heart_rate", {40: 3, 41: 1, 50: 1, 51: 0, 90: 0, 91: 1, 110: 1, 111: 2, 130: 2, 131: 3}),
    *edges("body_temp", {35.0: 3, 35.1: 1, 36.0: 1, 36.1: 0, 38.0: 0, 38.1: 1, 39.0: 1, 39.1: 2}),
    *edges("consciousness", {"C": 3, "U": 3}),
]


@pytest.mark.parametrize(("changes", "points"), VECTORS)
def test_every_edge_of_the_chart_scores_as_printed(changes, points):
    score = news2.score(observed(**changes))

    assert score.parts == dict.fromkeys(ORDER, 0) | points
    total = sum(points.values())
    red = 3 in points.values()
    assert (score.total, score.at_least, score.red) == (total, total, red)
    assert score.band == ("medium" if total == 5 else "low-medium" if red else "low" if total else "routine")


RISING = {"respiratory_rate": 21, "systolic_bp": 95, "heart_rate": 95}
COPD = {"respiratory_rate": 22, "spo2": 90, "on_oxygen": True, "systolic_bp": 130, "heart_rate": 100, "body_temp": 37.2}


def values(*row) -> dict:
    return dict(zip((*ORDER, "spo2_scale"), row, strict=False))


@pytest.mark.parametrize(
    ("changes", "points", "total", "band", "red"),
    [
        ({"respiratory_rate": 21, "spo2": 93, "heart_rate": 95, "body_temp": 37.5}, (2, 2, 0, 0, 1, 0, 0), 5, "medium", False),
        (values(24, 93, True, 105, 105, "A", 38.5), (2, 2, 2, 1, 1, 0, 1), 9, "high", False),
        (RISING, (2, 0, 0, 2, 1, 0, 0), 5, "medium", False),
        (RISING | {"heart_rate": 115}, (2, 0, 0, 2, 2, 0, 0), 6, "medium", False),
        (RISING | {"heart_rate": 115, "body_temp": 35.5}, (2, 0, 0, 2, 2, 0, 1), 7, "high", False),
        (COPD, (2, 3, 2, 0, 1, 0, 0), 8, "high", True),
        (COPD | {"spo2_scale": 2}, (2, 0, 2, 0, 1, 0, 0), 5, "medium", False),
        (values(28, 91, True, 88, 132, "V", 39.4), (3, 3, 2, 3, 3, 3, 2), 19, "high", True),
        (values(8, 80, True, 220, 131, "U", 35.0), (3, 3, 2, 3, 3, 3, 3), 20, "high", True),
        (values(25, 97, True, 90, 40, "P", 34.0, 2), (3, 3, 2, 3, 3, 3, 3), 20, "high", True),
        ({"respiratory_rate": 21, "spo2": 94, "systolic_bp": 110}, (2, 1, 0, 1, 0, 0, 0), 4, "low", False),
        ({"spo2": 91, "systolic_bp": 110}, (0, 3, 0, 1, 0, 0, 0), 4, "low-medium", True),
        (values(18, 98, True, 130, 85, "A", 36.9, 2), (0, 3, 2, 0, 0, 0, 0), 5, "medium", True),
    ],
)
def test_worked_sets_score_as_computed_by_hand(changes, points, total, band, red):
    score = news2.score(observed(**changes))

    assert tuple(score.parts[name] for name in ORDER) == points
    assert (score.total, score.band, score.red, score.missing) == (total, band, red, ())


def test_all_72_worked_vectors_are_here():
    worked = 13  # those of the test above

    assert len(VECTORS) + worked == 72


@pytest.mark.parametrize(
    ("field", "value", "points"),
    [
        ("respiratory_rate", 20.4, 0),
        ("respiratory_rate", 20.5, 2),
        ("respiratory_rate", 24.5, 3),
        ("respiratory_rate", 8.49, 3),
        ("respiratory_rate", 8.5, 1),
        ("spo2", 91.5, 2),
        ("spo2", 95.49, 1),
        ("systolic_bp", 90.5, 2),
        ("systolic_bp", 219.5, 3),
        ("heart_rate", 130.5, 3),
        ("body_temp", 38.05, 1),  # its float is 38.04999…
        ("body_temp", 38.04, 0),
        ("body_temp", 35.05, 1),
        ("body_temp", 35.04, 3),
        ("body_temp", 39.05, 2),
    ],
)
def test_values_are_rounded_half_up_before_they_are_banded(field, value, points):
    assert news2.score(observed(**{field: value})).parts[field] == points


@pytest.mark.parametrize("field", ORDER)
def test_a_missing_input_leaves_no_total_and_is_named(field):
    score = news2.score(observed(**{field: None}))

    assert (score.total, score.band, score.response, score.missing) == (None, None, None, (field,))
    assert field not in score.parts


def test_what_is_present_says_at_least_and_the_single_3():
    score = news2.score(observed(respiratory_rate=25, heart_rate=None, body_temp=None, on_oxygen=True))

    assert (score.at_least, score.red, score.total) == (5, True, None)
    assert score.missing == ("heart_rate", "body_temp")


def test_nothing_known_scores_nothing():
    score = news2.score(Observations())

    assert (score.parts, score.at_least, score.total, score.missing) == ({}, 0, None, ORDER)


def test_zero_is_a_value_and_not_missing():
    score = news2.score(observed(respiratory_rate=0, heart_rate=0, systolic_bp=0, spo2=0))

    assert (score.total, score.missing, score.band) == (12, (), "high")


@pytest.mark.parametrize(("spo2", "points"), [(92, 0), (87, 1), (80, 3), (93, None), (97, None)])
def test_scale_2_needs_to_know_of_oxygen_from_93_on(spo2, points):
    score = news2.score(observed(spo2_scale=2, spo2=spo2, on_oxygen=None))

    assert (score.parts.get("spo2"), score.missing) == (points, ("on_oxygen",))


@pytest.mark.parametrize(
    ("said", "points"),
    [
        ({"oxygen_flow": 2}, 2),
        ({"oxygen_flow": 0}, 0),
        ({"oxygen_percent": 21}, 0),
        ({"oxygen_percent": 28}, 2),
        ({"respiratory_support": "cpap"}, 2),
        ({"on_oxygen": False, "oxygen_flow": 2}, 2),
        ({"on_oxygen": True, "oxygen_flow": 0}, 2),
    ],
)
def test_oxygen_is_also_known_by_its_flow_percentage_or_device(said, points):
    assert news2.score(observed(**({"on_oxygen": None} | said))).parts["on_oxygen"] == points


@pytest.mark.parametrize(
    ("patient", "reason"),
    [({"age_months": 191}, "under 16"), ({"pregnant": True}, "pregnancy"), ({"age_months": 0}, "under 16")],
)
def test_children_and_pregnant_women_are_refused(patient, reason):
    with pytest.raises(NotApplicable, match=reason):
        news2.score(observed(**patient))


def test_who_is_16_today_or_of_unknown_age_is_scored():
    assert news2.score(observed(age_months=192)).total == 0
    assert news2.score(observed(age_months=None, pregnant=False)).total == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("heart_rate", 351),
        ("spo2", 100.1),
        ("spo2", -1),
        ("body_temp", 98.6),
        ("respiratory_rate", float("nan")),
        ("systolic_bp", float("inf")),
        ("consciousness", "alert"),
        ("spo2_scale", 3),
    ],
)
def test_what_nobody_can_have_measured_is_refused_by_field(field, value):
    with pytest.raises(Impossible) as refusal:
        Observations(**(NORMAL | {field: value}))

    assert list(refusal.value.faults) == [field]


def test_each_band_says_what_the_chart_asks_for():
    responses = {news2.score(observed(**change)).response for change in ({}, {"spo2": 94}, {"spo2": 91}, RISING, COPD)}

    assert len(responses) == 5 and None not in responses
