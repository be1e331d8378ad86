"""Limits suggested from a patient's own values: the adult auto-limits of Mindray's BeneVision N monitors. A person decides.

They move the warning limits. The critical limits stay as they are, and no suggestion lies outside them.
"""

from collections.abc import Callable
from math import ceil, floor

from monitoring.clinical.limits import Limits
from monitoring.clinical.signs import Sign

Formula = Callable[[float], float]

# Sign → (lower limit, upper limit) from the value; rates in /min, pressures in mmHg. What is not here stays as it is.
_FORMULAS: dict[Sign, tuple[Formula | None, Formula | None]] = {
    Sign.HEART_RATE: (lambda rate: max(rate * 0.8, 40), lambda rate: min(rate * 1.25, 240)),
    Sign.RESPIRATORY_RATE: (lambda rate: max(rate * 0.5, 6), lambda rate: min(rate * 1.5, 30)),
    Sign.SYSTOLIC_BP: (lambda pressure: pressure * 0.68 + 10, lambda pressure: pressure * 0.86 + 38),
    Sign.DIASTOLIC_BP: (lambda pressure: pressure * 0.68 + 6, lambda pressure: pressure * 0.86 + 32),
    Sign.MEAN_BP: (lambda pressure: pressure * 0.68 + 8, None),
}


def suggest(sign: Sign, value: float, limits: Limits) -> Limits | None:
    """The limits in force with their warning limits moved to the value; None where there is no formula or nothing moves.

    Limits are whole numbers, rounded inwards. An open side stays open, and a value so far out that its warning limits would
    change places moves nothing.
    """
    if sign not in _FORMULAS:
        return None
    lower, upper = _FORMULAS[sign]
    low, high = limits.warning_low, limits.warning_high
    if lower and low is not None:
        low = ceil(round(lower(value), 6))
        low = low if limits.critical_low is None else max(low, limits.critical_low)
    if upper and high is not None:
        high = floor(round(upper(value), 6))
        high = high if limits.critical_high is None else min(high, limits.critical_high)
    if (low, high) == (limits.warning_low, limits.warning_high) or (low is not None and high is not None and low >= high):
        return None
    return Limits(limits.critical_low, low, high, limits.critical_high, limits.margin, limits.delay)
