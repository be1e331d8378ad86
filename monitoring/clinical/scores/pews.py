"""NHS England's National PEWS (SPOT): children and young people, by age band. Bands hold from their lower figure on.

Source: the SPOT configuration of the Royal College of Paediatrics and Child Health (rcpch/digital-pews). MedQL computes the
figures and claims no conformity with the programme. Consciousness and temperature add no points: they escalate and prompt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from monitoring.clinical.scores.chart import HUNDREDTH, Chart, chart
from monitoring.clinical.scores.observations import Observations
from monitoring.clinical.scores.registry import register
from monitoring.clinical.scores.score import Band, NotApplicable, Score, add_up, band_of, unknown

NAME = "pews"
PARTS = (
    "respiratory_rate",
    "respiratory_distress",
    "spo2",
    "on_oxygen",
    "heart_rate",
    "systolic_bp",
    "capillary_refill",
)
ALSO = ("oxygen_flow", "oxygen_percent", "respiratory_support", "age_months", "consciousness", "body_temp")
BY_AGE = ("respiratory_rate", "heart_rate", "systolic_bp")
GROWN_MONTHS = 18 * 12  # engineering: the chart's last band is open


def _rows(rate: tuple, pulse: tuple, systolic: tuple) -> Mapping[str, Chart]:
    return dict(zip(BY_AGE, (chart(HUNDREDTH, *steps) for steps in (rate, pulse, systolic)), strict=True))


# From the age in months on: respiratory rate, heart rate, systolic pressure.
AGES: dict[int, Mapping[str, Chart]] = {
    0: _rows(
        ((0, 4), (10, 2), (20, 1), (30, 0), (50, 1), (60, 2), (70, 4)),
        ((0, 4), (80, 2), (90, 1), (110, 0), (150, 1), (170, 2), (180, 4)),
        ((0, 4), (50, 2), (60, 1), (70, 0), (90, 1), (100, 2), (110, 4)),
    ),
    12: _rows(
        ((0, 4), (10, 2), (20, 0), (40, 1), (50, 2), (60, 4)),
        ((0, 4), (60, 2), (70, 1), (90, 0), (140, 1), (150, 2), (170, 4)),
        ((0, 4), (50, 2), (60, 1), (80, 0), (100, 1), (120, 2), (130, 4)),
    ),
    5 * 12: _rows(
        ((0, 4), (10, 2), (15, 1), (20, 0), (25, 1), (40, 2), (50, 4)),
        ((0, 4), (60, 2), (70, 1), (80, 0), (120, 1), (140, 2), (160, 4)),
        ((0, 4), (70, 2), (80, 1), (90, 0), (110, 1), (120, 2), (130, 4)),
    ),
    13 * 12: _rows(
        ((0, 4), (10, 1), (15, 0), (25, 1), (30, 2), (40, 4)),
        ((0, 4), (50, 2), (60, 1), (70, 0), (100, 1), (120, 2), (130, 4)),
        ((0, 4), (80, 2), (90, 1), (100, 0), (120, 1), (130, 2), (140, 4)),
    ),
}
SPO2 = chart(HUNDREDTH, (0, 4), ("91.01", 1), (95, 0))
OXYGEN_FLOW = chart(HUNDREDTH, (0, 0), ("0.01", 1), (2, 2), (6, 4))
OXYGEN_PERCENT = chart(HUNDREDTH, (0, 0), (16, 1), (30, 2), (50, 4))
SUPPORTED = 4  # high flow, BiPAP or CPAP, whatever the level
DISTRESS = {"none": 0, "mild": 1, "moderate": 2, "severe": 4}
CAPILLARY_REFILL = chart(HUNDREDTH, (0, 0), (3, 2))
LEAST_BY_CONSCIOUSNESS = {"C": 9, "V": 9, "P": 13, "U": 13}  # the band that it asks for, whatever the total
WORDS = {"C": "new confusion", "V": "responds only to voice", "P": "responds only to pain", "U": "unresponsive"}

BANDS = (
    Band(13, "emergency", "Make the emergency call now; observe every 15 minutes."),
    Band(9, "high", "Rapid review within 15 minutes; observe every 30 minutes."),
    Band(5, "medium", "Medical review within 30 minutes."),
    Band(1, "low", "Tell the nurse in charge; reassess within 60 minutes."),
    Band(0, "none", "Observe as planned; a parent's or a clinician's concern escalates without a score."),
)


@register(NAME, parts=PARTS, also=ALSO)
def score(observations: Observations) -> Score:
    """0 to 26 points. Raises NotApplicable from 18 years on. Without an age nothing that depends on it is scored."""
    age = observations.age_months
    if age is not None and age >= GROWN_MONTHS:
        raise NotApplicable("PEWS is not for patients of 18 years or more.")
    points = {name: _points(name, observations) for name in PARTS}
    missing = tuple(name for name in PARTS if points[name] is None and _is_unmeasured(name, observations))
    missing += unknown(observations, ("age_months",))
    least = LEAST_BY_CONSCIOUSNESS.get(observations.consciousness or "A", 0)
    found = add_up(NAME, observations, points, missing=missing, band=lambda total: band_of(max(total, least), BANDS))
    return replace(found, remarks=_remarks(observations, least))


def _is_unmeasured(name: str, observations: Observations) -> bool:
    return name == "on_oxygen" or getattr(observations, name) is None


def _points(name: str, observations: Observations) -> int | None:
    value = getattr(observations, name)
    if name == "on_oxygen":
        return _oxygen(observations)
    if value is None:
        return None
    if name in BY_AGE:
        age = observations.age_months
        return None if age is None else _rows_at(float(age))[name].points(value)
    if name == "respiratory_distress":
        return DISTRESS[value]
    return (SPO2 if name == "spo2" else CAPILLARY_REFILL).points(value)


def _rows_at(age_months: float) -> Mapping[str, Chart]:
    return next(rows for youngest, rows in reversed(AGES.items()) if youngest <= age_months)


def _oxygen(observations: Observations) -> int | None:
    """By how much is given. The percentage of room air, 21, scores 1 on the chart: air is told from oxygen first."""
    if observations.respiratory_support:
        return SUPPORTED
    if not observations.has_oxygen:
        return None if observations.has_oxygen is None else 0
    given = []
    if observations.oxygen_flow is not None:
        given.append(OXYGEN_FLOW.points(observations.oxygen_flow))
    if observations.oxygen_percent is not None:
        given.append(OXYGEN_PERCENT.points(observations.oxygen_percent))
    return max(given, default=0) or None  # oxygen of which nobody says how much is not known, never 0


def _remarks(observations: Observations, least: int) -> tuple[str, ...]:
    said = []
    if least:
        said.append(f"{WORDS[observations.consciousness or '']}: {band_of(least, BANDS).name}")
    if observations.body_temp is not None and not 36 <= observations.body_temp < 38:
        said.append("temperature below 36 or from 38 °C: think of sepsis")
    return tuple(said)
