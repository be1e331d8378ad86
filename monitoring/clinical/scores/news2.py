"""NEWS2, the National Early Warning Score 2: adults of 16 years and more, not in pregnancy.

© Royal College of Physicians 2017: National Early Warning Score (NEWS) 2, charts 1 to 4. Responses in our words.
"""

from __future__ import annotations

from monitoring.clinical.scores.chart import TENTH, WHOLE, chart
from monitoring.clinical.scores.observations import Observations
from monitoring.clinical.scores.registry import register
from monitoring.clinical.scores.score import Band, NotApplicable, Score, add_up, band_of, refuse_children

NAME = "news2"
PARTS = ("respiratory_rate", "spo2", "on_oxygen", "systolic_bp", "heart_rate", "consciousness", "body_temp")
ALSO = ("spo2_scale", "oxygen_flow", "oxygen_percent", "respiratory_support", "age_months", "pregnant")
RED = 3  # one parameter alone with so many points asks for a review
MEDIUM, HIGH = 5, 7

RESPIRATORY_RATE = chart(WHOLE, (0, 3), (9, 1), (12, 0), (21, 2), (25, 3))
SPO2_SCALE_1 = chart(WHOLE, (0, 3), (92, 2), (94, 1), (96, 0))
SPO2_SCALE_2_AIR = chart(WHOLE, (0, 3), (84, 2), (86, 1), (88, 0))
SPO2_SCALE_2_OXYGEN = chart(WHOLE, (0, 3), (84, 2), (86, 1), (88, 0), (93, 1), (95, 2), (97, 3))
SYSTOLIC = chart(WHOLE, (0, 3), (91, 2), (101, 1), (111, 0), (220, 3))
PULSE = chart(WHOLE, (0, 3), (41, 1), (51, 0), (91, 1), (111, 2), (131, 3))
TEMPERATURE = chart(TENTH, (0, 3), ("35.1", 1), ("36.1", 0), ("38.1", 1), ("39.1", 2))
CHARTS = {
    "respiratory_rate": RESPIRATORY_RATE,
    "systolic_bp": SYSTOLIC,
    "heart_rate": PULSE,
    "body_temp": TEMPERATURE,
}
RESOLUTIONS = {**{name: row.resolution for name, row in CHARTS.items()}, "spo2": WHOLE}  # at which values are banded

BANDS = (
    Band(HIGH, "high", "Emergency assessment by a team with critical-care and airway skills; monitor continuously."),
    Band(MEDIUM, "medium", "Call the medical team now for an urgent assessment; observe hourly, in a monitored environment."),
    Band(1, "low", "A registered nurse assesses and decides on frequency and escalation; observe every 4 to 6 hours."),
    Band(0, "routine", "Routine monitoring; observe every 12 hours."),
)
SINGLE_THREE = Band(RED, "low-medium", "The nurse informs the medical team, who review and decide; observe hourly.")


@register(NAME, parts=PARTS, also=ALSO)
def score(observations: Observations) -> Score:
    """0 to 20 points. Raises NotApplicable for under 16 years and in pregnancy.

    A missing input leaves no total and no band; on scale 2 a saturation of 93 % and more is scored only when it is known
    whether oxygen is given.
    """
    refuse_children(observations, "NEWS2")
    if observations.pregnant:
        raise NotApplicable("NEWS2 is not for use in pregnancy.")
    points = {name: _points(name, observations) for name in PARTS}
    red = RED in points.values()
    missing = tuple(name for name in PARTS if _is_missing(name, observations))
    return add_up(NAME, observations, points, missing=missing, band=lambda total: _band(total, red), red=red)


def _band(total: int, red: bool) -> Band:
    return SINGLE_THREE if red and total < MEDIUM else band_of(total, BANDS)


def _is_missing(name: str, observations: Observations) -> bool:
    return (observations.has_oxygen if name == "on_oxygen" else getattr(observations, name)) is None


def _points(name: str, observations: Observations) -> int | None:
    if _is_missing(name, observations):
        return None
    if name == "spo2":
        return _spo2(observations)
    if name == "on_oxygen":
        return 2 if observations.has_oxygen else 0
    if name == "consciousness":
        return 0 if observations.consciousness == "A" else RED
    return CHARTS[name].points(getattr(observations, name))


def _spo2(observations: Observations) -> int | None:
    assert observations.spo2 is not None
    if observations.spo2_scale == 1:
        return SPO2_SCALE_1.points(observations.spo2)
    on_air, on_oxygen = (row.points(observations.spo2) for row in (SPO2_SCALE_2_AIR, SPO2_SCALE_2_OXYGEN))
    if observations.has_oxygen is None:
        return on_air if on_air == on_oxygen else None
    return on_oxygen if observations.has_oxygen else on_air
