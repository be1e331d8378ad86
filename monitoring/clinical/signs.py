"""The signs that MedQL knows: what they are called, in which unit, and which values a sensor can measure at all.

Measuring ranges: NHS UI specification for NPEWS and the limit ranges of monitor manuals (docs/clinical.md).
Codes: LOINC, FHIR R4 vital-signs profile.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

FAHRENHEIT = 80, 115  # a temperature in this range was read from another scale


class Sign(StrEnum):
    HEART_RATE = "heart_rate"
    SPO2 = "spo2"
    RESPIRATORY_RATE = "respiratory_rate"
    SYSTOLIC_BP = "systolic_bp"
    DIASTOLIC_BP = "diastolic_bp"
    MEAN_BP = "mean_bp"
    BODY_TEMP = "body_temp"


class Side(StrEnum):
    """Which end of the limits was passed."""

    LOW = "low"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Facts:
    label: str
    unit: str
    lowest: float
    highest: float
    loinc: str
    group: str  # signs of one group share one condition per direction
    zero_means_absent: bool  # on devices that write 0 for "not measured"
    decimals: int = 0  # that monitors show


FACTS: dict[Sign, Facts] = {
    Sign.HEART_RATE: Facts("HR", "/min", 0, 350, "8867-4", "heart_rate", True),
    Sign.SPO2: Facts("SpO₂", "%", 0, 100, "59408-5", "spo2", True),
    Sign.RESPIRATORY_RATE: Facts("RR", "/min", 0, 150, "9279-1", "respiratory_rate", True),
    Sign.SYSTOLIC_BP: Facts("SBP", "mmHg", 0, 400, "8480-6", "blood_pressure", True),
    Sign.DIASTOLIC_BP: Facts("DBP", "mmHg", 0, 400, "8462-4", "blood_pressure", True),
    Sign.MEAN_BP: Facts("MAP", "mmHg", 0, 400, "8478-0", "blood_pressure", True),
    Sign.BODY_TEMP: Facts("Temp", "°C", 20, 45, "8310-5", "body_temp", False, decimals=1),
}

# By which name a single value of it comes and goes.
TYPES = {
    Sign.HEART_RATE: "HR",
    Sign.SPO2: "SpO2",
    Sign.RESPIRATORY_RATE: "RR",
    Sign.SYSTOLIC_BP: "SBP",
    Sign.DIASTOLIC_BP: "DBP",
    Sign.MEAN_BP: "MBP",
    Sign.BODY_TEMP: "BT",
}

PRESSURES = (Sign.SYSTOLIC_BP, Sign.MEAN_BP, Sign.DIASTOLIC_BP)  # in falling order


def in_order(values: Mapping[Any, Any]) -> bool:
    """Systolic ≥ mean ≥ diastolic, of those that are given."""
    given = [values[sign] for sign in PRESSURES if values.get(sign) is not None]
    return given == sorted(given, reverse=True)


def condition(sign: Sign, side: Side) -> str:
    """The name of what is wrong, with its direction: `spo2_low`; the three pressures share `blood_pressure_low`."""
    return _CONDITIONS[sign, side]


_CONDITIONS = {(sign, side): f"{facts.group}_{side}" for sign, facts in FACTS.items() for side in Side}


def members(condition: str) -> tuple[tuple[Sign, Side], ...]:
    """The signs whose values can hold a condition, and beyond which end; of one that is no sign's, none."""
    return _MEMBERS.get(condition, ())


_MEMBERS = {name: tuple(key for key, other in _CONDITIONS.items() if other == name) for name in _CONDITIONS.values()}


def conditions(sign: Sign) -> tuple[str, str]:
    """Both conditions that a value of this sign can begin or end."""
    return condition(sign, Side.LOW), condition(sign, Side.HIGH)


def plain(value: float) -> str:
    """A value as people write it: 84, 36.6."""
    return f"{value:g}" if value != int(value) else str(int(value))


def other_unit(name: str, value: float) -> str:
    """What was probably meant by a value that cannot be, as a sentence behind another; nothing is ever converted."""
    if name != Sign.BODY_TEMP or not FAHRENHEIT[0] <= value <= FAHRENHEIT[1]:
        return ""
    return f" {plain(value)} looks like °F; send {(float(value) - 32) / 1.8:.1f} °C."
