"""When NEWS2 calls somebody: the present call of a score. Delay, clearing and "one open alert a patient" are the alarm's."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from monitoring.clinical.limits import Severity
from monitoring.clinical.scores import news2
from monitoring.clinical.scores.chart import rounded
from monitoring.clinical.scores.observations import label
from monitoring.clinical.scores.score import Score
from monitoring.clinical.signs import FACTS, Sign, plain


@dataclass(frozen=True, slots=True)
class ScoreCall:
    """What a score asks for now. `parts` are those with points."""

    severity: Severity
    message: str
    parts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Note:
    """A single 3 that is told on the alert which its sign has already."""

    sign: Sign
    message: str


def call(score: Score, alarmed: Collection[Sign]) -> ScoreCall | None:
    """Critical from 7, warning from 5, warning for a single 3 below that; `alarmed`: signs with an open alert.

    An incomplete score calls by what it is at least. A single 3 of an alarmed sign calls nobody: see `note`. Raises
    ValueError for any score but NEWS2, whose thresholds these are.
    """
    _must_be_news2(score)
    if score.at_least >= news2.HIGH:
        severity = Severity.CRITICAL
    elif score.at_least >= news2.MEDIUM or (score.red and note(score, alarmed) is None):
        severity = Severity.WARNING
    else:
        return None
    return ScoreCall(severity, message(score), _with_points(score))


def note(score: Score, alarmed: Collection[Sign]) -> Note | None:
    """The single 3 of a score below 5 (there can be no second one), if its sign has an open alert.

    The pressures are one condition: a 3 for the systolic is noted on the alert that the mean pressure holds.
    """
    _must_be_news2(score)
    if not score.red or score.at_least >= news2.MEDIUM:
        return None
    (name,) = (name for name, points in score.parts.items() if points == news2.RED)
    if name not in FACTS:
        return None
    groups = {FACTS[sign].group for sign in alarmed}
    return Note(Sign(name), message(score)) if FACTS[Sign(name)].group in groups else None


def message(score: Score) -> str:
    """What a nurse reads: `NEWS2 7: RR 25 (3), SpO₂ 93 (2), oxygen (2)`; what is missing is named."""
    _must_be_news2(score)
    total = f"at least {score.at_least}" if score.total is None else f"{score.total}"
    told = [f"{_shown(name, score)} ({points})" for name, points in _with_points(score).items()]
    if score.missing:
        told.append("missing " + " and ".join(label(name) for name in score.missing))
    return f"NEWS2 {total}" + (": " + ", ".join(told) if told else "")


def _with_points(score: Score) -> dict[str, int]:
    return {name: points for name, points in score.parts.items() if points}


def _shown(name: str, score: Score) -> str:
    """The value that was scored: rounded as the chart has it."""
    if name == "on_oxygen":
        return "oxygen"
    value = getattr(score.observations, name)
    if name == "consciousness":
        return f"consciousness {value}"
    return f"{FACTS[Sign(name)].label} {plain(float(rounded(value, news2.RESOLUTIONS[name])))}"


def _must_be_news2(score: Score) -> None:
    if score.strategy != news2.NAME:
        raise ValueError(f"NEWS2's thresholds say nothing of {score.strategy}.")
