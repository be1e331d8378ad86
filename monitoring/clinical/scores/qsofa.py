"""qSOFA, the quick sepsis-related organ failure assessment: Singer et al. 2016, JAMA 315:801.

A prompt to look for organ failure, not a screen for sepsis on its own.
"""

from __future__ import annotations

from monitoring.clinical.scores.chart import WHOLE, chart
from monitoring.clinical.scores.observations import Observations
from monitoring.clinical.scores.registry import register
from monitoring.clinical.scores.score import Band, Score, add_up, band_of, refuse_children, unknown

NAME = "qsofa"
PARTS = ("respiratory_rate", "systolic_bp", "consciousness")
RESPIRATORY_RATE = chart(WHOLE, (0, 0), (22, 1))
SYSTOLIC = chart(WHOLE, (0, 1), (101, 0))
FULLY_AWAKE = 15  # Glasgow coma score
BANDS = (
    Band(2, "positive", "Look for infection and organ failure; a clinician reviews."),
    Band(0, "negative", "Below the threshold; it does not exclude sepsis."),
)


@register(NAME, parts=PARTS, also=("gcs", "age_months"))
def score(observations: Observations) -> Score:
    """0 to 3 points: RR 22 or more, systolic 100 or less, altered mentation. Raises NotApplicable for under 16 years."""
    refuse_children(observations, "qSOFA")
    rate, systolic = observations.respiratory_rate, observations.systolic_bp
    points = {
        "respiratory_rate": None if rate is None else RESPIRATORY_RATE.points(rate),
        "systolic_bp": None if systolic is None else SYSTOLIC.points(systolic),
        "consciousness": _mentation(observations),
    }
    missing = unknown(observations, PARTS[:2])
    if points["consciousness"] is None:
        missing += ("consciousness",)
    return add_up(NAME, observations, points, missing=missing, band=lambda total: band_of(total, BANDS))


def _mentation(observations: Observations) -> int | None:
    """Altered when either scale says so: not alert, or a Glasgow coma score below 15."""
    said = []
    if observations.consciousness is not None:
        said.append(observations.consciousness != "A")
    if observations.gcs is not None:
        said.append(observations.gcs < FULLY_AWAKE)
    return int(any(said)) if said else None
