"""The risk in several sets of observations: each is scored alone, and the highest says how the patient is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitoring.clinical.limits import Breach, Limits, judge, phrase
from monitoring.clinical.scores import registry, rule_based
from monitoring.clinical.scores.observations import Observations
from monitoring.clinical.scores.score import Score
from monitoring.clinical.signs import TYPES, Sign


@dataclass(frozen=True, slots=True)
class Risk:
    """Which set it is, and its score. No `value` and `level` where an input is missing, but by the fixed rules."""

    place: int
    score: Score
    value: float | None
    level: str | None

    @property
    def rules(self) -> list[str]:
        """The rules that are met, or the parts with points, in the strategy's order."""
        met = [name for name in registry.strategy(self.score.strategy).parts if self.score.parts.get(name)]
        if self.score.strategy == rule_based.NAME:
            return [rule_based.told(name) for name in met]
        return [f"{type_of(name)}: {self.score.parts[name]}" for name in met]


def highest(sets: Sequence[Observations], strategy: str) -> Risk:
    """The highest of at least one, the first of equals. Raises UnknownStrategy, NotApplicable."""
    score = registry.strategy(strategy).score
    scored = [score(observations) for observations in sets]
    place = max(range(len(scored)), key=lambda place: (scored[place].at_least, -place))
    found = scored[place]
    if strategy == rule_based.NAME:  # whose promise is that a missing value meets no rule
        return Risk(place, found, found.at_least, rule_based.level(found.at_least).upper())
    return Risk(place, found, found.total, found.band and found.band.upper())


def unasked(values: Mapping[Sign, float], limits: Mapping[Sign, Limits], score: Score) -> list[str]:
    """What lies beyond the patient's limits and gave no points: a strategy may be blind on one side, and says nothing of it."""
    beyond = [judge(sign, value, limits[sign]) for sign, value in values.items() if not score.parts.get(sign)]
    return [_sentence(breach, score.strategy) for breach in beyond if breach]


def type_of(field: str) -> str:
    """As a single value of it is called: HR; what is no sign has its own name."""
    return TYPES[Sign(field)] if field in TYPES else field


def _sentence(breach: Breach, strategy: str) -> str:
    told = phrase(breach.sign, breach.side, breach.value, breach.limit)
    return f"{told} ({breach.severity}), for which {strategy} gives no points."
