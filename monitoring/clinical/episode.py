"""The nouns of the alarm rule: what was read, what stands, what was raised, what happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from monitoring.clinical.limits import Breach, Severity
from monitoring.clinical.signs import Side, Sign

FRESH = timedelta(seconds=30)  # a value younger than this is never old


class What(StrEnum):
    """What a reading did to an alert; each event carries the episode as it became."""

    RAISED = "raised"
    RISEN = "risen"
    EASED = "eased"
    REOPENED = "reopened"
    RERAISED = "reraised"  # still open, but the sensor that held it has fallen silent, and another one goes beyond
    RESOLVED = "resolved"
    COUNTED = "counted"  # one more reading: worst, last and count moved, nothing to tell
    RECORDED = "recorded"  # found in late readings: closed from the start, without sound


@dataclass(frozen=True, slots=True)
class Reading:
    """One vital as the rule sees it: what one sensor measured at one time, values in the signs' units."""

    sensor: str
    measured_at: datetime
    values: Mapping[Sign, float]
    statuses: Mapping[Sign, str] = field(default_factory=dict)
    closed: bool = False  # of a stay that is over: history, however young


@dataclass(frozen=True, slots=True)
class Standing:
    """The newest value that one sensor gave of one sign, and whether it keeps an alert open.

    `interval` is the sensor's rhythm in seconds, None after a single value; a gap lengthens it by no more than twice.
    """

    measured_at: datetime
    value: float
    breach: Breach | None = None
    holds: bool = False
    interval: float | None = None

    @property
    def old_after(self) -> timedelta:
        """The age at which the value is old: two of its sensor's rhythms, and 30 s at least."""
        return max(FRESH, 2 * timedelta(seconds=self.interval or 0))

    def is_fresh(self, at: datetime) -> bool:
        return at - self.measured_at <= self.old_after


@dataclass(frozen=True, slots=True)
class Word:
    """The newest status that one sensor gave of one sign, such as `probe_off`."""

    said_at: datetime
    status: str


@dataclass(frozen=True, slots=True)
class Episode:
    """One alert from raised to resolved. `severity` is the present one; worst and last are values of `sign`."""

    id: UUID
    condition: str
    sign: Sign
    side: Side
    severity: Severity
    value: float
    limit: float
    worst_value: float
    last_value: float
    count: int
    raised_at: datetime
    measured_at: datetime
    last_measured_at: datetime
    resolved_at: datetime | None = None
    acknowledged: bool = False
    recorded: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    what: What
    episode: Episode
    at: datetime


@dataclass(slots=True)
class State:
    """What is known of one patient: `episodes` by condition, the newest live one; `records`, the newest late one."""

    standings: dict[Sign, dict[str, Standing]] = field(default_factory=dict)
    words: dict[Sign, dict[str, Word]] = field(default_factory=dict)
    episodes: dict[str, Episode] = field(default_factory=dict)
    records: dict[str, Episode] = field(default_factory=dict)

    def copy(self) -> State:
        return State(
            {sign: dict(sensors) for sign, sensors in self.standings.items()},
            {sign: dict(sensors) for sign, sensors in self.words.items()},
            dict(self.episodes),
            dict(self.records),
        )
