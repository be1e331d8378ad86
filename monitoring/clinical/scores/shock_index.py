"""Shock index: heart rate divided by systolic pressure. Usual 0.5 to 0.7 in adults; concern from 0.9 (bands: engineering)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from monitoring.clinical.scores.chart import HUNDREDTH, rounded
from monitoring.clinical.scores.observations import Observations
from monitoring.clinical.scores.registry import register
from monitoring.clinical.scores.score import Band, NotApplicable, Score, band_of, refuse_children, unknown

NAME = "shock_index"
READS = ("heart_rate", "systolic_bp")
BANDS = (
    Band(0.9, "concern", "A clinician looks for blood loss, sepsis and other causes of shock."),
    Band(0.71, "raised", "Above the usual; repeat and watch the trend."),
    Band(0, "usual", "No more than usual."),
)


@register(NAME, parts=(), also=(*READS, "age_months"))
def score(observations: Observations) -> Score:
    """The ratio to 0.01, half up. Raises NotApplicable for under 16 years and for a systolic pressure of 0."""
    refuse_children(observations, "The shock index")
    missing = unknown(observations, READS)
    found = Score(strategy=NAME, observations=observations, parts={}, total=None, at_least=0, missing=missing)
    rate, systolic = observations.heart_rate, observations.systolic_bp
    if rate is None or systolic is None:
        return found
    if systolic == 0:
        raise NotApplicable("There is no shock index at a systolic pressure of 0.")
    ratio = float(rounded(Decimal(str(rate)) / Decimal(str(systolic)), HUNDREDTH))
    band = band_of(ratio, BANDS)
    return replace(found, total=ratio, at_least=ratio, band=band.name, response=band.response)
