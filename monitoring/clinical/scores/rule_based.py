"""Three fixed rules, as Vital Monitor's risk inference has them: HR > 120, SBP < 90, SpO2 < 90. Strict: equal is no risk."""

from __future__ import annotations

from operator import gt, lt

from monitoring.clinical.scores.observations import Observations
from monitoring.clinical.scores.registry import register
from monitoring.clinical.scores.score import Band, Score, unknown
from monitoring.clinical.signs import TYPES, Sign

NAME = "rule_based"
RULES = {"heart_rate": (gt, 120), "systolic_bp": (lt, 90), "spo2": (lt, 90)}  # in the order in which they are told
RISKS: dict[int, Band] = {  # by the number of rules that are met: the risk from 0 to 1 and its level
    0: Band(0.2, "low", "No rule is met."),
    1: Band(0.5, "medium", "A nurse looks at the patient."),
    2: Band(0.7, "medium", "A nurse looks at the patient now."),
    3: Band(0.9, "high", "A doctor is called."),
}


@register(NAME, parts=tuple(RULES))
def score(observations: Observations) -> Score:
    """The risk is the total; a part is 1 where its rule is met. What is missing meets no rule: then the risk is "at least"."""
    missing = unknown(observations, tuple(RULES))
    parts = {name: int(_is_met(name, observations)) for name in RULES if name not in missing}
    risk = RISKS[sum(parts.values())]
    return Score(
        strategy=NAME,
        observations=observations,
        parts=parts,
        total=None if missing else risk.lowest,
        at_least=risk.lowest,
        missing=missing,
        band=None if missing else risk.name,
        response=None if missing else risk.response,
    )


def _is_met(name: str, observations: Observations) -> bool:
    beyond, limit = RULES[name]
    return beyond(getattr(observations, name), limit)


def told(name: str) -> str:
    """A rule as people write it: `HR > 120`."""
    beyond, limit = RULES[name]
    return f"{TYPES[Sign(name)]} {'>' if beyond is gt else '<'} {limit}"


def level(risk: float) -> str:
    """The level of a risk, also of one that is only "at least": what Vital Monitor answers for a record with gaps."""
    return next(band.name for band in reversed(RISKS.values()) if risk >= band.lowest)
