"""The nouns of the alarm rule: what was read, what stands, what was raised, what happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from monitoring.clinical.limits import Severity
from monitoring.clinical.sensor import Excursion, Standing
from monitoring.clinical.signs import Side, Sign


class Kind(StrEnum):
    PHYSIOLOGICAL = "physiological"
    TECHNICAL = "technical"
    SCORE = "score"


class What(StrEnum):
    """What became of an alert; each event carries the episode as it became."""

    RAISED = "raised"
    RISEN = "risen"
    EASED = "eased"
    RETURNED = "returned"  # nothing stands beyond any more, and it waits for somebody to take it
    REOPENED = "reopened"
    RERAISED = "reraised"  # it had returned and goes beyond again; or another sensor takes it over from one fallen silent
    RESOLVED = "resolved"
    COUNTED = "counted"  # one more reading: worst, last and count moved, nothing to tell
    RECORDED = "recorded"  # found in late readings: closed from the start, without sound


CALLS = {What.RAISED, What.RISEN, What.REOPENED, What.RERAISED}  # these call somebody


@dataclass(frozen=True, slots=True)
class Reading:
    """One vital as the rule sees it: what one sensor measured at one time, values in the signs' units."""

    sensor: str
    measured_at: datetime
    values: Mapping[Sign, float]
    statuses: Mapping[Sign, str] = field(default_factory=dict)
    observed: Mapping[str, str | bool | float] = field(default_factory=dict)  # consciousness, on_oxygen, oxygen_flow (L/min)
    device: str = ""  # what the device says of itself
    closed: bool = False  # of a stay that is over: history, however young
    declared: bool = False  # its device was declared as continuous


@dataclass(frozen=True, slots=True)
class Word:
    """The newest status that one sensor gave of one sign, such as `probe_off`."""

    said_at: datetime
    status: str


@dataclass(frozen=True, slots=True)
class Observed:
    """What a person saw, or a device said without a number: consciousness, oxygen."""

    at: datetime
    value: str | bool | float


@dataclass(frozen=True, slots=True)
class Episode:
    """One alert from raised to resolved.

    A physiological one has a sign: worst and last are values of it. The others say what they are in `detail`.
    `severity` is the present one; a critical episode that nobody has taken stays critical.
    """

    id: UUID
    condition: str
    severity: Severity
    raised_at: datetime
    measured_at: datetime
    last_measured_at: datetime
    kind: Kind = Kind.PHYSIOLOGICAL
    sign: Sign | None = None
    side: Side | None = None
    value: float | None = None
    limit: float | None = None
    worst_value: float | None = None
    last_value: float | None = None
    count: int = 1
    detail: str = ""
    returned_at: datetime | None = None
    resolved_at: datetime | None = None
    by_hand: bool = False  # a person resolved it
    acknowledged: bool = False
    unconfirmed: bool = False
    recorded: bool = False

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None

    @property
    def is_active(self) -> bool:
        """Open, and not merely waiting for somebody to take it."""
        return self.resolved_at is None and self.returned_at is None


class Call(NamedTuple):
    """What has to be told of a condition that is not one sign's: how bad, in a sentence."""

    kind: Kind
    severity: Severity
    detail: str
    names: frozenset[str] = frozenset()  # whom or what it is about; one more than was told is news


@dataclass(frozen=True, slots=True)
class Event:
    what: What
    episode: Episode
    at: datetime


Sensors = dict[Sign, dict[str, Standing]]


@dataclass(frozen=True, slots=True)
class Scored:
    """Where the score stands: its excursions, the inputs that last had points, and what was last to be told.

    `at`: when it was last computed from new values, by our clock. `rank`: how bad it called then, 0 for not at all;
    `measured_at`: when the newest of the inputs with points was measured.
    """

    excursions: tuple[Excursion, ...] = ()
    inputs: tuple[str, ...] = ()
    detail: str = ""
    at: datetime | None = None
    rank: int = 0
    measured_at: datetime | None = None


@dataclass(slots=True)
class State:
    """What is known of one patient.

    `episodes` by condition, the newest live one; `records`, the newest late one; `named`, by condition, what its open episode
    was last told to be about. `anchors` are older standings, from which
    the window is folded again when a reading comes out of order.
    """

    standings: Sensors = field(default_factory=dict)
    words: dict[Sign, dict[str, Word]] = field(default_factory=dict)
    devices: dict[str, Word] = field(default_factory=dict)
    anchors: dict[Sign, dict[str, tuple[Standing, ...]]] = field(default_factory=dict)
    observed: dict[str, Observed] = field(default_factory=dict)
    scored: Scored | None = None
    named: dict[str, frozenset[str]] = field(default_factory=dict)
    episodes: dict[str, Episode] = field(default_factory=dict)
    records: dict[str, Episode] = field(default_factory=dict)

    def copy(self) -> State:
        return State(
            {sign: dict(sensors) for sign, sensors in self.standings.items()},
            {sign: dict(sensors) for sign, sensors in self.words.items()},
            dict(self.devices),
            {sign: dict(sensors) for sign, sensors in self.anchors.items()},
            dict(self.observed),
            self.scored,
            dict(self.named),
            dict(self.episodes),
            dict(self.records),
        )
