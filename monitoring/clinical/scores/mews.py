"""MEWS, the Modified Early Warning Score for adults: Subbe et al. 2001, QJM 94:521, as commonly tabulated.

Where the printed table leaves 40, 70 and 200 to nobody, they join the worse band. Confusion is not on the AVPU scale of
this score: it scores as "voice". Hospitals use variants; this one is version 1.
"""

from __future__ import annotations

from monitoring.clinical.scores.chart import TENTH, WHOLE, chart
from monitoring.clinical.scores.observations import Observations
from monitoring.clinical.scores.registry import register
from monitoring.clinical.scores.score import Band, Score, add_up, band_of, refuse_children, unknown

NAME = "mews"
PARTS = ("systolic_bp", "heart_rate", "respiratory_rate", "body_temp", "consciousness")

CHARTS = {
    "systolic_bp": chart(WHOLE, (0, 3), (71, 2), (81, 1), (101, 0), (200, 2)),
    "heart_rate": chart(WHOLE, (0, 2), (41, 1), (51, 0), (101, 1), (111, 2), (130, 3)),
    "respiratory_rate": chart(WHOLE, (0, 2), (9, 0), (15, 1), (21, 2), (30, 3)),
    "body_temp": chart(TENTH, (0, 2), ("35.0", 0), ("38.5", 2)),
}
CONSCIOUSNESS = {"A": 0, "C": 1, "V": 1, "P": 2, "U": 3}
BANDS = (
    Band(5, "high", "High risk: call for a medical review."),
    Band(0, "low", "Below the calling score; observe as ordered."),
)


@register(NAME, parts=PARTS, also=("age_months",))
def score(observations: Observations) -> Score:
    """0 to 14 points, 5 and more is high. Raises NotApplicable for under 16 years."""
    refuse_children(observations, "MEWS")
    points = {name: _points(name, observations) for name in PARTS}
    missing = unknown(observations, PARTS)
    return add_up(NAME, observations, points, missing=missing, band=lambda total: band_of(total, BANDS))


def _points(name: str, observations: Observations) -> int | None:
    value = getattr(observations, name)
    if value is None:
        return None
    return CONSCIOUSNESS[value] if name == "consciousness" else CHARTS[name].points(value)
