"""A score: what one strategy says of one set of observations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from monitoring.clinical.scores.observations import Observations

ADULT_MONTHS = 16 * 12


class NotApplicable(ValueError):
    """This strategy was not made for this patient; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Parts by field of `Observations`. With an input missing there is no total and no band, but `at_least`.

    `red`: one parameter alone scores 3 (NEWS2). `remarks` hold what the number does not say (PEWS: sepsis prompt).
    """

    strategy: str
    observations: Observations
    parts: Mapping[str, int]
    total: int | float | None
    at_least: int | float
    missing: tuple[str, ...] = ()
    band: str | None = None
    response: str | None = None
    red: bool = False
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Band:
    """The band from `lowest` points on, and what the chart asks for, in our words."""

    lowest: float
    name: str
    response: str


def band_of(total: float, bands: tuple[Band, ...]) -> Band:
    """The highest band that the total reaches; bands are given from above, the last one begins at 0."""
    return next(band for band in bands if band.lowest <= total)


def add_up(
    strategy: str,
    observations: Observations,
    points: Mapping[str, int | None],
    *,
    missing: tuple[str, ...],
    band: Callable[[int], Band],
    red: bool = False,
) -> Score:
    """Total and band when nothing is missing, else what it is at least: what is not known (None) scores nothing, not even 0."""
    parts = {name: part for name, part in points.items() if part is not None}
    at_least = sum(parts.values())
    reached = None if missing else band(at_least)
    return Score(
        strategy=strategy,
        observations=observations,
        parts=parts,
        total=None if missing else at_least,
        at_least=at_least,
        missing=missing,
        band=reached.name if reached else None,
        response=reached.response if reached else None,
        red=red,
    )


def unknown(observations: Observations, fields: tuple[str, ...]) -> tuple[str, ...]:
    """Which of the fields nobody has measured."""
    return tuple(name for name in fields if getattr(observations, name) is None)


def refuse_children(observations: Observations, title: str) -> None:
    """Raises NotApplicable under 16 years; without an age the patient is taken as an adult."""
    if observations.age_months is not None and observations.age_months < ADULT_MONTHS:
        raise NotApplicable(f"{title} is not for patients under 16 years.")
