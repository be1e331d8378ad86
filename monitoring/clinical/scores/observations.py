"""What the scores are computed from: one set of observations of one patient. Nothing impossible can be constructed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from monitoring.clinical.bands import OLDEST
from monitoring.clinical.signs import FACTS, Sign, other_unit, plain

Number = int | float | Decimal

ACVPU = ("A", "C", "V", "P", "U")  # alert, new confusion, voice, pain, unresponsive: in falling order of wakefulness
DISTRESS = ("none", "mild", "moderate", "severe")
SUPPORTS = ("high_flow", "bipap", "cpap")
SCALES = (1, 2)

# Lowest and highest value that can be measured, in the unit of the field. Signs: docs/clinical.md.
RANGES: Mapping[str, tuple[float, float]] = {
    **{sign.value: (FACTS[sign].lowest, FACTS[sign].highest) for sign in Sign},
    "oxygen_flow": (0, 80),
    "oxygen_percent": (0, 100),
    "gcs": (3, 15),
    "capillary_refill": (0, 60),
    "age_months": (0, OLDEST),
}
CHOICES: Mapping[str, tuple[int | str, ...]] = {
    "consciousness": ACVPU,
    "respiratory_distress": DISTRESS,
    "respiratory_support": SUPPORTS,
    "spo2_scale": SCALES,
}
LABELS: Mapping[str, str] = {
    "respiratory_rate": "respiratory rate",
    "spo2": "SpO₂",
    "on_oxygen": "oxygen",
    "systolic_bp": "systolic pressure",
    "heart_rate": "pulse",
    "body_temp": "temperature",
    "respiratory_distress": "respiratory distress",
    "capillary_refill": "capillary refill",
    "age_months": "age",
}


class Impossible(ValueError):
    """Values that nobody can have measured. `faults`: field → sentence."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {sentence}" for name, sentence in faults.items()))
        self.faults = dict(faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """One set: /min, %, mmHg, °C, L/min, seconds, months. None is "not known"; zero is a value.

    `spo2_scale` 2 is for confirmed hypercapnic respiratory failure with a prescribed target of 88–92 %.
    `consciousness` is one of ACVPU, C being new confusion. `oxygen_percent` is the inspired oxygen (air: 21).
    """

    respiratory_rate: Number | None = None
    spo2: Number | None = None
    spo2_scale: int = 1
    on_oxygen: bool | None = None
    oxygen_flow: Number | None = None
    oxygen_percent: Number | None = None
    respiratory_support: str | None = None
    systolic_bp: Number | None = None
    heart_rate: Number | None = None
    consciousness: str | None = None
    body_temp: Number | None = None
    gcs: Number | None = None
    respiratory_distress: str | None = None
    capillary_refill: Number | None = None
    age_months: Number | None = None
    pregnant: bool | None = None

    def __post_init__(self) -> None:
        if found := impossible({name: getattr(self, name) for name in self.__slots__}):
            raise Impossible(found)

    @property
    def has_oxygen(self) -> bool | None:
        """Whether oxygen is given: any sign of support outweighs "on air", a flow of nothing says air, else not known."""
        if self.respiratory_support or self.oxygen_flow or (self.oxygen_percent or 0) > 21:
            return True
        if self.on_oxygen is None and (self.oxygen_flow is not None or self.oxygen_percent is not None):
            return False
        return self.on_oxygen


def impossible(values: Mapping[str, Any]) -> dict[str, str]:
    """What nobody can have measured, or said: field → sentence."""
    checked = {name: _fault(name, value) for name, value in values.items() if name in RANGES or name in CHOICES}
    return {name: fault for name, fault in checked.items() if fault}


def label(field: str) -> str:
    """The field as people say it."""
    return LABELS.get(field, field)


def _fault(name: str, value: Any) -> str | None:
    if value is None:
        return None
    if name in CHOICES:
        known = CHOICES[name]
        return None if value in known else f"{value} is none of {', '.join(map(str, known))}."
    lowest, highest = RANGES[name]
    if isinstance(value, str) or not math.isfinite(value):
        return f"{value} is no number."
    if lowest <= value <= highest:
        return None
    return f"{value} cannot be measured: from {plain(lowest)} to {plain(highest)}.{other_unit(name, value)}"
