"""Which values a score is computed from: the newest of each input, if it is young enough, with its age.

What is measured in quick succession enters as the median of its last minute, so that one artefact scores nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

from monitoring.clinical.scores.observations import ACVPU, Number, Observations

MEDIAN_OVER = timedelta(minutes=1)

# How old an input may be and still speak for the patient. Respiratory distress and capillary refill: engineering.
MAXIMUM_AGES: Mapping[str, timedelta] = {
    "heart_rate": timedelta(minutes=10),
    "respiratory_rate": timedelta(minutes=10),
    "spo2": timedelta(minutes=10),
    "systolic_bp": timedelta(hours=1),
    "respiratory_distress": timedelta(hours=1),
    "capillary_refill": timedelta(hours=1),
    "body_temp": timedelta(hours=4),
    "consciousness": timedelta(hours=8),
    "gcs": timedelta(hours=8),
    "on_oxygen": timedelta(hours=12),
    "oxygen_flow": timedelta(hours=12),
    "oxygen_percent": timedelta(hours=12),
    "respiratory_support": timedelta(hours=12),
}
OXYGEN = ("on_oxygen", "oxygen_flow", "oxygen_percent", "respiratory_support")
AIR_PERCENT = 21


@dataclass(frozen=True, slots=True)
class Input:
    """One value of one input, by whatever sensor or person, and when it was measured."""

    value: Number | str | bool
    measured_at: datetime


Samples = Mapping[str, Sequence[Input]]  # by field of Observations, in any order


@dataclass(frozen=True, slots=True)
class Chosen:
    """The observations to score, the age of each input, and what was left out because it is too old, with its age."""

    observations: Observations
    ages: Mapping[str, timedelta]
    too_old: Mapping[str, timedelta]


def choose(
    samples: Samples,
    *,
    at: datetime,
    patient: Observations | None = None,
    maximum_ages: Mapping[str, timedelta] = MAXIMUM_AGES,
) -> Chosen:
    """Take the newest of each input. `patient`: what is not measured (age, pregnancy, scale of the saturation).

    An age equal to the maximum still counts. A time that lies ahead of `at`, by a fast clock, counts as now. Raises
    KeyError for an input that has no maximum age.
    """
    newest = {name: _newest(said) for name, said in samples.items() if said}
    ages = {name: max(at - taken.measured_at, timedelta()) for name, taken in newest.items()}
    too_old = {name: age for name, age in ages.items() if age > maximum_ages[name]}
    young = _agreeing({name: taken for name, taken in newest.items() if name not in too_old})
    values: dict[str, Any] = {name: taken.value for name, taken in young.items()}
    return Chosen(replace(patient or Observations(), **values), {name: ages[name] for name in young}, too_old)


def _newest(said: Sequence[Input]) -> Input:
    """Numbers: the median of the minute up to the newest. Words: the newest; of several at one time, the worst."""
    last = max(said, key=lambda one: (one.measured_at, _badness(one.value)))
    if isinstance(last.value, bool | str):
        return last
    minute = [one.value for one in said if last.measured_at - one.measured_at < MEDIAN_OVER]
    return Input(median(Decimal(str(value)) for value in minute), last.measured_at)


def _badness(value: Number | str | bool) -> int:
    if isinstance(value, bool):
        return int(value)
    return ACVPU.index(value) if value in ACVPU else 0


def _agreeing(inputs: Mapping[str, Input]) -> dict[str, Input]:
    """The newest word on oxygen rules: an older flow does not put back on oxygen who has been taken off it since."""
    said = {name: inputs[name] for name in OXYGEN if name in inputs}
    if not said:
        return dict(inputs)
    newest = max(said, key=lambda name: (said[name].measured_at, _gives_oxygen(name, said[name])))
    truth = _gives_oxygen(newest, said[newest])
    return {name: one for name, one in inputs.items() if name not in said or _gives_oxygen(name, one) == truth}


def _gives_oxygen(name: str, said: Input) -> bool:
    if name == "oxygen_percent":
        return not isinstance(said.value, str) and said.value > AIR_PERCENT
    return bool(said.value)
