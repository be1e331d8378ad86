"""What a board says of limits beside the values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from monitoring.clinical.signs import Sign
from monitoring.services import layers
from monitoring.services.layers import Layers, Place, Source


@dataclass(frozen=True, slots=True)
class Marks:
    """What a board says of a patient's limits."""

    off: Mapping[Sign, tuple[str, ...]]  # sides without an alarm that the shipped limits have: the crossed bell
    overrides: tuple[Sign, ...]  # the patient's own
    to_confirm: Mapping[Sign, str]  # set in another ward, by its name
    age_unknown: bool  # adult limits, for want of an age
    night: bool  # the ward's night limits hold


def of(places: Collection[Place], *, now: datetime) -> dict[Place, Marks]:
    """What a board says beside the values of each place; two queries however many."""
    return {place: _marks(found) for place, found in layers.gather(places, now=now).items()}


def _marks(found: Layers) -> Marks:
    standings = found.standings()
    return Marks(
        off={sign: standing.off for sign, standing in standings.items() if standing.off},
        overrides=tuple(sign for sign, standing in standings.items() if standing.source is Source.PATIENT),
        to_confirm={sign: standing.set_on for sign, standing in standings.items() if standing.set_on},
        age_unknown=not found.shipped.age_known,
        night=any(standing.night for standing in standings.values()),
    )
