"""MEWS, qSOFA, shock index, PEWS and the fixed rules, by worked vectors and the edges of their tables."""

from typing import Any

import pytest

from monitoring.clinical.scores import mews, pews, qsofa, registry, rule_based, shock_index
from monitoring.clinical.scores.observations import Observations
from monitoring.clinical.scores.registry import UnknownStrategy, register
from monitoring.clinical.scores.score import NotApplicable

CHILD: dict[str, Any] = {
    "age_months": 72,
    "respiratory_rate": 22,
    "respiratory_distress": "none",
    "spo2": 98,
    "on_oxygen": False,
    "heart_rate": 100,
    "systolic_bp": 100,
    "capillary_refill": 2,
}


def child(**changes) -> Observations:
    return Observations(**(CHILD | changes))


def test_strategies_are_found_by_name_and_an_unknown_name_tells_the_known_ones():
    assert registry.names() == ("mews", "news2", "pews", "qsofa", "rule_based", "shock_index")
    assert registry.strategy("mews").score is mews.score

    with pytest.raises(UnknownStrategy, match=r"sofa.*mews, news2, pews, qsofa, rule_based, shock_index"):
        registry.strategy("sofa")


def test_a_name_is_taken_once():
    with pytest.raises(ValueError, match="news2"):
        register("news2", parts=())(mews.score)


@pytest.mark.parametrize(
    ("row", "points", "band"),
    [
        ((120, 70, 12, 37.0, "A"), (0, 0, 0, 0, 0), "low"),
        ((85, 115, 24, 38.6, "V"), (1, 2, 2, 2, 1), "high"),
        ((70, 40, 8, 34.9, "U"), (3, 2, 2, 2, 3), "high"),
        ((71, 41, 9, 35.0, "P"), (2, 1, 0, 0, 2), "high"),
        ((80, 50, 14, 38.4, "A"), (2, 1, 0, 0, 0), "low"),
        ((81, 51, 15, 38.44, "A"), (1, 0, 1, 0, 0), "low"),
        ((100, 100, 20, 38.45, "A"), (1, 0, 1, 2, 0), "low"),
        ((101, 101, 21, 37.0, "A"), (0, 1, 2, 0, 0), "low"),
        ((199, 110, 29, 37.0, "A"), (0, 1, 2, 0, 0), "low"),
        ((200, 111, 30, 37.0, "C"), (2, 2, 3, 0, 1), "high"),
        ((120, 129, 12, 37.0, "A"), (0, 2, 0, 0, 0), "low"),
        ((120, 130, 12, 37.0, "A"), (0, 3, 0, 0, 0), "low"),
    ],
)
def test_mews_scores_its_table(row, points, band):
    score = mews.score(Observations(**dict(zip(mews.PARTS, row, strict=True))))

    assert tuple(score.parts.values()) == points
    assert (score.total, score.band) == (sum(points), band)


@pytest.mark.parametrize(
    ("row", "total", "band"),
    [
        ((22, 100, 14), 3, "positive"),
        ((21, 101, 15), 0, "negative"),
        ((22, 101, 15), 1, "negative"),
        ((21.5, 100.4, 15), 2, "positive"),
    ],
)
def test_qsofa_counts_three_signs(row, total, band):
    score = qsofa.score(Observations(**dict(zip(("respiratory_rate", "systolic_bp", "gcs"), row, strict=True))))

    assert (score.total, score.band) == (total, band)


@pytest.mark.parametrize(
    ("said", "points"), [({"consciousness": "C"}, 1), ({"consciousness": "A"}, 0), ({"consciousness": "A", "gcs": 14}, 1)]
)
def test_qsofa_takes_altered_mentation_from_either_scale(said, points):
    assert qsofa.score(Observations(**said)).parts["consciousness"] == points


@pytest.mark.parametrize(
    ("rate", "systolic", "index", "band"),
    [
        (70, 120, 0.58, "usual"),
        (70, 100, 0.7, "usual"),
        (71, 100, 0.71, "raised"),
        (89, 100, 0.89, "raised"),
        (179, 200, 0.9, "concern"),
        (120, 80, 1.5, "concern"),
    ],
)
def test_the_shock_index_is_the_ratio_to_a_hundredth(rate, systolic, index, band):
    score = shock_index.score(Observations(heart_rate=rate, systolic_bp=systolic))

    assert (score.total, score.band) == (index, band)


def test_there_is_no_shock_index_without_a_pressure():
    with pytest.raises(NotApplicable, match="pressure of 0"):
        shock_index.score(Observations(heart_rate=80, systolic_bp=0))
    assert shock_index.score(Observations(heart_rate=80)).missing == ("systolic_bp",)


@pytest.mark.parametrize("name", ["mews", "news2", "qsofa", "shock_index"])
def test_scores_for_adults_refuse_children(name):
    with pytest.raises(NotApplicable, match="under 16"):
        registry.strategy(name).score(Observations(age_months=191))


@pytest.mark.parametrize(
    ("row", "risk", "band"),
    [
        ((120, 90, 90), 0.2, "low"),
        ((121, 90, 90), 0.5, "medium"),
        ((120, 89, 90), 0.5, "medium"),
        ((121, 90, 89.9), 0.7, "medium"),
        ((120.1, 89.9, 89), 0.9, "high"),
    ],
)
def test_the_fixed_rules_are_strict_and_count(row, risk, band):
    score = rule_based.score(Observations(**dict(zip(("heart_rate", "systolic_bp", "spo2"), row, strict=True))))

    assert (score.total, score.band) == (risk, band)
    assert rule_based.level(risk) == band


def test_the_fixed_rules_say_at_least_where_a_value_is_missing():
    score = rule_based.score(Observations(heart_rate=130))

    assert (score.total, score.band, score.at_least, score.missing) == (None, None, 0.5, ("systolic_bp", "spo2"))
    assert rule_based.level(score.at_least) == "medium"


INFANT = {
    "age_months": 8,
    "respiratory_rate": 62,
    "respiratory_distress": "mild",
    "spo2": 91,
    "on_oxygen": True,
    "oxygen_flow": 1.5,
}
TEEN = {
    "age_months": 168,
    "respiratory_rate": 30,
    "respiratory_distress": "moderate",
    "spo2": 95,
    "respiratory_support": "high_flow",
}


@pytest.mark.parametrize(
    ("changes", "points", "band"),
    [
        ({}, (0, 0, 0, 0, 0, 0, 0), "none"),
        ({"respiratory_rate": 26, "spo2": 94, "heart_rate": 125}, (1, 0, 1, 0, 1, 0, 0), "low"),
        (INFANT | {"heart_rate": 172, "systolic_bp": 88, "capillary_refill": 3}, (2, 1, 4, 1, 2, 0, 2), "high"),
        (TEEN | {"heart_rate": 130, "systolic_bp": 99}, (2, 2, 0, 4, 4, 1, 0), "emergency"),
    ],
)
def test_pews_scores_worked_children(changes, points, band):
    score = pews.score(child(**changes))

    assert tuple(score.parts[name] for name in pews.PARTS) == points
    assert (score.total, score.band, score.missing) == (sum(points), band, ())


@pytest.mark.parametrize(
    ("age", "field", "value", "points"),
    [
        (11.9, "respiratory_rate", 30, 0),
        (12, "respiratory_rate", 40, 1),
        (59, "heart_rate", 139.9, 0),
        (60, "heart_rate", 139.9, 1),
        (155, "systolic_bp", 99, 0),
        (156, "systolic_bp", 99, 1),
        (0, "respiratory_rate", 49.99, 0),  # up to the next lower figure: no rounding up into the next band
        (0, "respiratory_rate", 50, 1),
        (60, "spo2", 91, 4),
        (60, "spo2", 91.5, 1),
        (60, "spo2", 94.9, 1),
        (60, "capillary_refill", 2.5, 0),
        (60, "capillary_refill", 3, 2),
    ],
)
def test_pews_bands_hold_from_their_lower_figure_and_by_age(age, field, value, points):
    assert pews.score(child(age_months=age, **{field: value})).parts[field] == points


@pytest.mark.parametrize(
    ("said", "points"),
    [
        ({"on_oxygen": False, "oxygen_percent": 21}, 0),
        ({"on_oxygen": None, "oxygen_percent": 21}, 0),  # room air is no support, though the table begins at 16 %
        ({"on_oxygen": True, "oxygen_percent": 21}, 1),
        ({"oxygen_percent": 29.9}, 1),
        ({"oxygen_percent": 30}, 2),
        ({"oxygen_percent": 50}, 4),
        ({"oxygen_flow": 0.01}, 1),
        ({"oxygen_flow": 1.99}, 1),
        ({"oxygen_flow": 2}, 2),
        ({"oxygen_flow": 6}, 4),
        ({"oxygen_flow": 1, "oxygen_percent": 40}, 2),
        ({"respiratory_support": "cpap", "oxygen_percent": 21}, 4),
    ],
)
def test_pews_scores_oxygen_by_how_much_is_given(said, points):
    assert pews.score(child(**({"on_oxygen": None} | said))).parts["on_oxygen"] == points


def test_oxygen_of_unknown_amount_is_missing_not_nothing():
    score = pews.score(child(on_oxygen=True))

    assert (score.total, score.missing) == (None, ("on_oxygen",))


def test_pews_without_an_age_scores_only_what_needs_none():
    score = pews.score(child(age_months=None, spo2=90))

    assert (score.total, score.at_least, score.missing) == (None, 4, ("age_months",))


@pytest.mark.parametrize(
    ("acvpu", "band"), [("A", "none"), ("C", "high"), ("V", "high"), ("P", "emergency"), ("U", "emergency")]
)
def test_consciousness_adds_no_points_to_pews_but_lifts_its_band(acvpu, band):
    score = pews.score(child(consciousness=acvpu))

    assert (score.total, score.band) == (0, band)
    assert bool(score.remarks) == (acvpu != "A")


@pytest.mark.parametrize(("temperature", "prompts"), [(35.9, True), (36, False), (37.9, False), (38, True)])
def test_temperature_prompts_for_sepsis_and_adds_no_points(temperature, prompts):
    score = pews.score(child(body_temp=temperature))

    assert (score.total, any("sepsis" in remark for remark in score.remarks)) == (0, prompts)


def test_pews_is_not_for_adults():
    with pytest.raises(NotApplicable, match="18 years"):
        pews.score(child(age_months=216))
