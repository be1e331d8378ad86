"""What must hold of every score for any observations: no gaps, bands that rise with the total, nothing missing counted as 0."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.clinical.scores import mews, news2, pews, qsofa, registry
from monitoring.clinical.scores.observations import ACVPU, CHOICES, DISTRESS, RANGES, Observations
from monitoring.clinical.scores.score import NotApplicable, Score

ADULT = {"age_months": 600, "pregnant": False}
FIELDS = {
    **{
        name: st.one_of(st.none(), st.decimals(Decimal(str(low)), Decimal(str(high)), places=2))
        for name, (low, high) in RANGES.items()
        if name in Observations.__slots__ and name not in {"age_months", "gcs"}
    },
    "gcs": st.one_of(st.none(), st.integers(3, 15)),
    "consciousness": st.one_of(st.none(), st.sampled_from(ACVPU)),
    "respiratory_distress": st.one_of(st.none(), st.sampled_from(DISTRESS)),
    "respiratory_support": st.one_of(st.none(), st.sampled_from(CHOICES["respiratory_support"])),
    "spo2_scale": st.sampled_from([1, 2]),
    "on_oxygen": st.sampled_from([None, True, False]),
}
anyone = st.builds(Observations, **FIELDS, age_months=st.sampled_from([None, 0, 11, 12, 59, 60, 155, 156, 191, 192, 960]))
# Every sign that a chart bands, in its smallest step and over its whole range.
SWEEP = [
    ("news2", "respiratory_rate"), ("news2", "spo2"), ("news2", "systolic_bp"), ("news2", "heart_rate"), ("news2", "body_temp"),
    ("mews", "systolic_bp"), ("mews", "heart_rate"), ("mews", "respiratory_rate"), ("mews", "body_temp"),
    ("qsofa", "respiratory_rate"), ("qsofa", "systolic_bp"),
    ("pews", "respiratory_rate"), ("pews", "heart_rate"), ("pews", "systolic_bp"), ("pews", "spo2"),
]  # fmt: skip


def scored(name: str, observations: Observations) -> Score | None:
    try:
        return registry.strategy(name).score(observations)
    except NotApplicable:
        return None


@pytest.mark.parametrize(("name", "field"), SWEEP)
def test_every_value_in_range_scores_and_a_chart_worsens_away_from_its_best(name, field):
    low, high = RANGES[field]
    steps = [Decimal(low) + Decimal(step) / 10 for step in range(int((high - low) * 10) + 1)]
    months = (0, 12, 60, 156) if name == "pews" else (600,)
    for age in months:
        row = [scored(name, Observations(age_months=age, on_oxygen=False, **{field: value})).parts[field] for value in steps]
        best = row.index(0)
        assert row[: best + 1] == sorted(row[: best + 1], reverse=True)
        after = row[best:]
        assert after == sorted(after)


@given(anyone, st.sampled_from(registry.names()))
def test_an_incomplete_score_has_no_total_and_a_complete_one_has_all_its_parts(observations, name):
    score = scored(name, observations)
    if score is None:
        return

    assert (score.total is None) == (score.band is None) == bool(score.missing)
    if score.total is not None:
        assert score.total == score.at_least
        assert set(score.parts) == set(registry.strategy(name).parts)


@given(anyone, st.sampled_from(["mews", "qsofa", "news2", "pews"]), st.data())
def test_taking_an_input_away_never_adds_points_nor_a_total(observations, name, draw):
    field = draw.draw(st.sampled_from(registry.strategy(name).parts))
    before, after = scored(name, observations), scored(name, replace(observations, **{field: None}))
    if before is None or after is None:
        return

    assert after.at_least <= before.at_least
    if field not in after.parts:
        assert after.total is None and after.missing


@given(anyone)
def test_news2_keeps_its_precedence(observations):
    score = scored("news2", replace(observations, **ADULT))

    assert 0 <= score.at_least <= 20
    assert score.red == (3 in score.parts.values())
    if score.total is not None:
        total = score.total
        expected = (
            "high" if total >= 7 else "medium" if total >= 5 else "low-medium" if score.red else "low" if total else "routine"
        )
        assert score.band == expected


@pytest.mark.parametrize(("strategy", "highest"), [(news2, 20), (mews, 14), (qsofa, 3), (pews, 26)])
def test_bands_rise_with_the_total_and_leave_no_gap(strategy, highest):
    lowest = [band.lowest for band in strategy.BANDS]

    assert lowest == sorted(lowest, reverse=True) and len(set(lowest)) == len(lowest)
    assert lowest[-1] == 0 and lowest[0] <= highest
