"""Limits and severity: when is a value beyond what is allowed for this patient.

The defaults are engineering defaults from monitor manuals and recordings (docs/clinical.md); a clinician signs them before use.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from monitoring.clinical.signs import FACTS, Side, Sign, condition, plain


class Severity(StrEnum):
    """How bad, worst first."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """3 for critical down to 1 for info: bigger is worse."""
        return _RANKS[self]


_RANKS = {Severity.CRITICAL: 3, Severity.WARNING: 2, Severity.INFO: 1}


DELAY = 15.0  # seconds: a 14 s delay removes half of the ignored alarms, 19 s two thirds (Görges 2009)


@dataclass(frozen=True, slots=True)
class Limits:
    """What is allowed for one sign, in the sign's unit; None is an open side. Equal to a limit is inside.

    A continuous sign has to stay beyond for `delay` seconds before it alarms; an alert ends only inside the limit by `margin`.
    """

    critical_low: float | None = None
    warning_low: float | None = None
    warning_high: float | None = None
    critical_high: float | None = None
    margin: float = 0.0
    delay: float = DELAY


@dataclass(frozen=True, slots=True)
class Breach:
    """A value beyond a limit: how bad, on which side, and the limit it passed."""

    sign: Sign
    severity: Severity
    side: Side
    value: float
    limit: float

    @property
    def condition(self) -> str:
        return condition(self.sign, self.side)

    @property
    def badness(self) -> tuple[int, float]:
        """Orders breaches of one condition, also of different signs: severity first, then the relative distance."""
        return self.severity.rank, abs(self.value - self.limit) / max(abs(self.limit), 1.0)


ADULT: Mapping[Sign, Limits] = {
    Sign.HEART_RATE: Limits(40, 50, 120, 140, margin=4),
    Sign.SPO2: Limits(85, 90, None, None, margin=2),
    Sign.RESPIRATORY_RATE: Limits(8, 10, 30, 35, margin=2),
    Sign.SYSTOLIC_BP: Limits(80, 90, 160, 180, margin=5),
    Sign.DIASTOLIC_BP: Limits(None, None, 110, 120, margin=5),
    Sign.MEAN_BP: Limits(61, 65, 110, 130, margin=5),
    Sign.BODY_TEMP: Limits(35, 36, 38.5, 40, margin=0.2),
}


def judge(sign: Sign, value: float, limits: Limits) -> Breach | None:
    """The worst limit that the value passes, or None when it is inside. Strict: equal is inside."""
    for severity, low, high in (
        (Severity.CRITICAL, limits.critical_low, limits.critical_high),
        (Severity.WARNING, limits.warning_low, limits.warning_high),
    ):
        if low is not None and value < low:
            return Breach(sign, severity, Side.LOW, value, low)
        if high is not None and value > high:
            return Breach(sign, severity, Side.HIGH, value, high)
    return None


def shown(sign: Sign, value: float, breach: Breach | None) -> str:
    """A value as monitors show it, in whole numbers but temperature; never rounded onto or over the limit that it passed."""
    text = f"{value:.{FACTS[sign].decimals}f}"
    if breach is None or (float(text) < breach.limit if breach.side is Side.LOW else float(text) > breach.limit):
        return text
    return plain(value)


def phrase(sign: Sign, side: Side, value: float, limit: float) -> str:
    """What a nurse reads: `SpO₂ 84 < 90 %`; a zero rate says what it may mean."""
    facts = FACTS[sign]
    if value == 0 and sign is Sign.HEART_RATE:
        return "HR 0: asystole or sensor off, look at the patient"
    if value == 0 and sign is Sign.RESPIRATORY_RATE:
        return "RR 0: apnoea or sensor off, look at the patient"
    sense = "<" if side is Side.LOW else ">"
    return f"{facts.label} {plain(value)} {sense} {plain(limit)} {facts.unit}"


def faults(sign: Sign, limits: Limits) -> dict[str, str]:
    """What is wrong with a set of limits: field → sentence.

    Warning must lie inside critical, low below high, and all inside the measuring range.
    """
    found: dict[str, str] = {}
    facts = FACTS[sign]
    for name in ("critical_low", "warning_low", "warning_high", "critical_high"):
        value = getattr(limits, name)
        if value is not None and not facts.lowest <= value <= facts.highest:
            found[name] = f"{facts.label} is measured from {plain(facts.lowest)} to {plain(facts.highest)} {facts.unit}."
    for below, above, sentence in (
        ("critical_low", "warning_low", "The warning limit must lie inside the critical one: not below it."),
        ("warning_low", "warning_high", "The upper limit must lie above the lower one."),
        ("critical_low", "critical_high", "The upper limit must lie above the lower one."),
        ("critical_low", "warning_high", "The upper limit must lie above the lower one."),
        ("warning_low", "critical_high", "The upper limit must lie above the lower one."),
        ("warning_high", "critical_high", "The critical limit must lie outside the warning one: not below it."),
    ):
        low, high = getattr(limits, below), getattr(limits, above)
        if low is None or high is None:
            continue
        may_touch = below[-3:] == above[-3:] or below.endswith("high")
        if low > high or (low == high and not may_touch):
            found.setdefault(above, sentence)
    return found
