"""The strategies by name. A strategy is a function from observations to a score that registers itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from monitoring.clinical.scores.observations import Observations
from monitoring.clinical.scores.score import Score

Scorer = Callable[[Observations], Score]


@dataclass(frozen=True, slots=True)
class Strategy:
    """`parts` are the fields that score, in the chart's order; `reads` all fields that the strategy looks at."""

    name: str
    parts: tuple[str, ...]
    reads: frozenset[str]
    score: Scorer


_STRATEGIES: dict[str, Strategy] = {}


class UnknownStrategy(LookupError):
    """No strategy has this name; `known` are the names that there are."""

    def __init__(self, name: str) -> None:
        self.name, self.known = name, names()
        super().__init__(f"There is no strategy {name}: it is one of {', '.join(self.known)}.")


def register(name: str, *, parts: tuple[str, ...], also: tuple[str, ...] = ()) -> Callable[[Scorer], Scorer]:
    """Decorate the function that scores. `also`: fields that it reads beyond its parts."""

    def take(score: Scorer) -> Scorer:
        if name in _STRATEGIES:
            raise ValueError(f"Two strategies are named {name}.")
        _STRATEGIES[name] = Strategy(name, parts, frozenset(parts + also), score)
        return score

    return take


def strategy(name: str) -> Strategy:
    try:
        return _STRATEGIES[name]
    except KeyError:
        raise UnknownStrategy(name) from None


def names() -> tuple[str, ...]:
    return tuple(sorted(_STRATEGIES))
