"""What a scope says of a sign in place of the wider limits, and what it may not say."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from math import isfinite
from operator import gt, lt

from monitoring.clinical.bands import Bound
from monitoring.clinical.limits import Limits
from monitoring.clinical.limits import faults as contradictions
from monitoring.clinical.signs import FACTS, Sign, plain

SIDES = ("critical_low", "warning_low", "warning_high", "critical_high")
LONGEST_DELAY = 30  # seconds: monitors offer 0–30 s in steps of 1 s (Philips SpO₂)


@dataclass(frozen=True, slots=True)
class Override:
    """The limits of one sign in one scope. An empty side is off; an empty margin or delay is the shipped one.

    The bounds, of a hospital or a ward only, say how far out a patient's critical limits may lie; empty ones are the shipped.
    """

    critical_low: float | None = None
    warning_low: float | None = None
    warning_high: float | None = None
    critical_high: float | None = None
    margin: float | None = None
    delay: int | None = None
    bound_low: float | None = None
    bound_high: float | None = None
    reason: str = ""
    expires_at: datetime | None = None

    def over(self, shipped: Limits) -> Limits:
        """The limits that hold where this override does."""
        return Limits(
            self.critical_low,
            self.warning_low,
            self.warning_high,
            self.critical_high,
            shipped.margin if self.margin is None else self.margin,
            shipped.delay if self.delay is None else float(self.delay),
        )


FIELDS = tuple(field.name for field in fields(Override))


def switched_off(limits: Limits, wider: Limits) -> tuple[str, ...]:
    """The sides that the wider limits have and these have not."""
    return tuple(side for side in SIDES if getattr(limits, side) is None and getattr(wider, side) is not None)


def faults(sign: Sign, override: Override, *, wider: Limits, bound: Bound, now: datetime) -> dict[str, str]:
    """What is wrong with an override: field → sentence. `wider` are the limits that it would replace."""
    found = contradictions(sign, override.over(wider))
    for name, sentence in (
        ("margin", _margin_fault(sign, override.margin)),
        ("delay", _delay_fault(override.delay)),
        ("expires_at", _expiry_fault(override.expires_at, now)),
        ("bound_high", _order_fault(override)),
        ("critical_low", _looser("lower", override.critical_low, _outermost(min, bound.low, wider.critical_low), sign)),
        ("critical_high", _looser("upper", override.critical_high, _outermost(max, bound.high, wider.critical_high), sign)),
    ):
        if sentence:
            found.setdefault(name, sentence)
    if not override.reason.strip() and (off := switched_off(override.over(wider), wider)):
        names = ", ".join(side.replace("_", " ") for side in off)
        found.setdefault("reason", f"Without {names} no alert is raised there any more: say why, or fill it in.")
    return found


def bound_faults(sign: Sign, override: Override, *, outermost: Bound, before: Override | None) -> dict[str, str]:
    """What is wrong with the bounds of a ward, field → sentence. One that is as it was before stays: the tighter one holds."""
    found = {}
    for name, bound, is_farther in (("bound_low", outermost.low, lt), ("bound_high", outermost.high, gt)):
        wanted = getattr(override, name)
        if wanted is None or bound is None or (before and getattr(before, name) == wanted):
            continue
        if is_farther(wanted, bound):
            found[name] = f"A ward's outer bound lies no farther out than the hospital's, {plain(bound)} {FACTS[sign].unit}."
    return found


def _margin_fault(sign: Sign, margin: float | None) -> str:
    facts = FACTS[sign]
    if margin is None or (isfinite(margin) and 0 <= margin < facts.highest - facts.lowest):
        return ""
    return "The margin is 0 or more, and narrower than the measuring range."


def _delay_fault(delay: int | None) -> str:
    if delay is None or (float(delay).is_integer() and 0 <= delay <= LONGEST_DELAY):
        return ""
    return f"The delay is 0 to {LONGEST_DELAY} whole seconds."


def _expiry_fault(expires_at: datetime | None, now: datetime) -> str:
    return "This time is over already." if expires_at is not None and expires_at <= now else ""


def _order_fault(override: Override) -> str:
    low, high = override.bound_low, override.bound_high
    return "The upper bound must lie above the lower one." if low is not None and high is not None and low >= high else ""


def _outermost(farther: Callable[[float, float], float], bound: float | None, wider: float | None) -> float | None:
    """What already holds here is never refused as too loose; where no limit held, every limit is closer."""
    return None if bound is None or wider is None else farther(bound, wider)


def _looser(which: str, limit: float | None, bound: float | None, sign: Sign) -> str:
    if limit is None or bound is None:
        return ""
    if (limit < bound) if which == "lower" else (limit > bound):
        return f"A patient's {which} critical limit stays inside the hospital's outer bound, {plain(bound)} {FACTS[sign].unit}."
    return ""
