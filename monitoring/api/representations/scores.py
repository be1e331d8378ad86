"""A score as the API answers it: its number, what it is made of, how old that is, and what is missing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from monitoring.clinical.scores import news2
from monitoring.clinical.scores.inputs import OXYGEN, Chosen
from monitoring.clinical.scores.score import Score


def read(score: Score, inputs: Chosen, at: datetime) -> dict[str, Any]:
    """Without a total where an input is missing: then `at_least`."""
    return {
        "at": at,
        "total": score.total,
        "at_least": score.at_least,
        "band": score.band,
        "response": score.response,
        "single_3": score.red,
        "parts": {name: _part(name, score, inputs) for name in news2.PARTS if name in score.parts},
        "missing": list(score.missing),
        "too_old": {name: _seconds(age) for name, age in inputs.too_old.items()},
    }


def _part(name: str, score: Score, inputs: Chosen) -> dict[str, Any]:
    """The value that was scored, with its points and the seconds since it was measured."""
    is_oxygen = name == "on_oxygen"
    value: Any = score.observations.has_oxygen if is_oxygen else getattr(score.observations, name)
    ages = [inputs.ages[field] for field in (OXYGEN if is_oxygen else (name,)) if field in inputs.ages]
    is_word = isinstance(value, bool | str)
    return {"value": value if is_word else float(value), "points": score.parts[name], "age_s": _seconds(min(ages))}


def _seconds(age: timedelta) -> int:
    return int(age.total_seconds())
