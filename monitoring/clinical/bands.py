"""The shipped limits by age, and how far a patient's own may reach beyond them.

Children: NHS England National PEWS (SPOT), read by one rule: what scores 4 is critical, what scores 2 is a warning. PEWS
counts in whole numbers and its bands include their lower figure, so an upper limit is the last whole number below the band.
Where PEWS has no 2 on a side, both limits of that side are where 4 begins. PEWS says nothing of diastolic and mean pressure,
and scores no temperature: the first two are open, the last is as in adults (docs/clinical.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from monitoring.clinical.limits import ADULT, Limits
from monitoring.clinical.signs import Sign

ADULT_FROM = 16  # years: PEWS is for children under 16, NEWS2 from 16
OLDEST = 130 * 12  # months: nobody has lived longer, so a birth date before that is mistyped


@dataclass(frozen=True, slots=True)
class Band:
    """The limits that hold for an age, in years from `begins`."""

    name: str
    begins: int
    limits: Mapping[Sign, Limits]


def _child(heart_rate: Limits, respiratory_rate: Limits, systolic_bp: Limits) -> Mapping[Sign, Limits]:
    return {
        Sign.HEART_RATE: heart_rate,
        Sign.SPO2: Limits(92, 92, None, None, margin=2),
        Sign.RESPIRATORY_RATE: respiratory_rate,
        Sign.SYSTOLIC_BP: systolic_bp,
        Sign.DIASTOLIC_BP: Limits(margin=5),
        Sign.MEAN_BP: Limits(margin=5),
        Sign.BODY_TEMP: ADULT[Sign.BODY_TEMP],
    }


ADULTS = Band("adult", ADULT_FROM, ADULT)
BANDS = (
    Band("0–11 months", 0, _child(
        Limits(80, 90, 169, 179, margin=4), Limits(10, 20, 59, 69, margin=2), Limits(50, 60, 99, 109, margin=5)
    )),
    Band("1–4 years", 1, _child(
        Limits(60, 70, 149, 169, margin=4), Limits(10, 20, 49, 59, margin=2), Limits(50, 60, 119, 129, margin=5)
    )),
    Band("5–12 years", 5, _child(
        Limits(60, 70, 139, 159, margin=4), Limits(10, 15, 39, 49, margin=2), Limits(70, 80, 119, 129, margin=5)
    )),
    Band("13–15 years", 13, _child(
        Limits(50, 60, 119, 129, margin=4), Limits(10, 10, 29, 39, margin=2), Limits(80, 90, 129, 139, margin=5)
    )),
    ADULTS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Defaults:
    """The shipped limits of a patient, and whether his age was known."""

    band: Band
    age_known: bool

    @property
    def limits(self) -> Mapping[Sign, Limits]:
        return self.band.limits

    @property
    def is_adult(self) -> bool:
        return self.band is ADULTS


def defaults(birth_date: date | None, *, on: date) -> Defaults:
    """The shipped limits for the age on that day. Where the age is not known: adult, and marked."""
    age = months(birth_date, on=on)
    if age is None:
        return Defaults(ADULTS, age_known=False)
    return Defaults(next(band for band in reversed(BANDS) if age >= 12 * band.begins), age_known=True)


def months(birth_date: date | None, *, on: date) -> int | None:
    """Completed months, twelve to each of `years`. No birth date, one that lies ahead, or one before OLDEST: not known."""
    if birth_date is None or birth_date > on:
        return None
    age = 12 * years(birth_date, on=on) + (on.month - birth_date.month - (on.day < birth_date.day)) % 12
    return age if age <= OLDEST else None


def years(birth_date: date, *, on: date) -> int:
    """Completed years; who was born on 29 February has the birthday on 1 March in other years."""
    return on.year - birth_date.year - ((on.month, on.day) < (birth_date.month, birth_date.day))


@dataclass(frozen=True, slots=True)
class Bound:
    """How far out a patient's critical limits may lie; None is no bound."""

    low: float | None = None
    high: float | None = None

    def over(self, wider: Bound) -> Bound:
        """These sides, and the wider ones where they are empty."""
        return Bound(wider.low if self.low is None else self.low, wider.high if self.high is None else self.high)

    def within(self, wider: Bound) -> Bound:
        """The tighter of both, side by side."""
        lows = [low for low in (self.low, wider.low) if low is not None]
        highs = [high for high in (self.high, wider.high) if high is not None]
        return Bound(max(lows, default=None), min(highs, default=None))


# How far beyond the shipped critical limits, in the sign's unit: below, above. Engineering (docs/clinical.md).
_REACH: Mapping[Sign, tuple[float, float]] = {
    Sign.HEART_RATE: (10, 40),
    Sign.SPO2: (15, 0),
    Sign.RESPIRATORY_RATE: (3, 15),
    Sign.SYSTOLIC_BP: (20, 40),
    Sign.DIASTOLIC_BP: (0, 20),
    Sign.MEAN_BP: (11, 30),
    Sign.BODY_TEMP: (2, 1),
}


def bound(sign: Sign, limits: Limits) -> Bound:
    """The outer bound that is shipped with these default limits."""
    below, above = _REACH[sign]
    return Bound(
        None if limits.critical_low is None else limits.critical_low - below,
        None if limits.critical_high is None else limits.critical_high + above,
    )


def farthest(sign: Sign) -> Bound:
    """The outermost bound of a sign that is shipped for any age; no bound where one age has none."""
    shipped = [bound(sign, band.limits[sign]) for band in BANDS]
    lows, highs = [each.low for each in shipped], [each.high for each in shipped]
    return Bound(
        None if None in lows else min(low for low in lows if low is not None),
        None if None in highs else max(high for high in highs if high is not None),
    )
