"""The dry run of limits: what they would have told of readings that came, by the very rule that judges live; and two compared.

Nobody takes an alert in a dry run: what people did at the bed is not the limits' doing. A critical alert that came back inside
therefore waits, and calls again as `reraised`; the number of calls is the same.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from monitoring.clinical import alarm
from monitoring.clinical.episode import Episode, Event, Kind, Reading, State, What
from monitoring.clinical.limits import Limits, Severity
from monitoring.clinical.scores.observations import Observations
from monitoring.clinical.sensor import Sample
from monitoring.clinical.signs import Side, Sign

CALLING = (What.RAISED, What.RERAISED, What.REOPENED)  # as the alarm load counts, of every severity but info
TOLD = (*CALLING, What.RISEN, What.RECORDED)
ENDS = (What.RETURNED, What.RESOLVED)
KEPT = 2_000  # samples of a thread, before those that no reading out of order can need are dropped

LimitsAt = Callable[[datetime], Mapping[Sign, Limits]]
Arrivals = Iterable[tuple[datetime, Sequence[Reading]]]


class Count(NamedTuple):
    kind: Kind
    severity: Severity
    what: What


@dataclass(slots=True)
class Spell:
    """One call, and what it was about until nothing stood beyond any more. `severity` and `worst` are the worst in it."""

    condition: str
    kind: Kind
    begun: datetime
    severity: Severity
    episode: Episode
    critical_at: datetime | None = None
    worst: float | None = None
    limit: float | None = None  # that its severity is about
    ended: datetime | None = None  # None: it went on to the end

    def go_on(self, event: Event) -> None:
        episode = event.episode
        if self.limit is None or episode.severity.rank > self.severity.rank:
            self.severity, self.limit = episode.severity, episode.limit
        if self.severity is Severity.CRITICAL and self.critical_at is None:
            self.critical_at = event.at
        self.worst = _worse(self.worst if episode.sign is self.episode.sign else None, episode)
        self.episode = episode


@dataclass
class Run:
    """One patient's course by given limits: readings as they arrived, and time looked at whenever the rule asks for it.

    Events count from `since`; what is before only brings the sensors to where they stood. The limits of every sign are given.
    """

    limits: LimitsAt
    since: datetime
    patient: Observations = alarm.UNKNOWN
    counts: Counter[Count] = field(default_factory=Counter)
    spells: list[Spell] = field(default_factory=list)
    _state: State = field(default_factory=State)
    _open: dict[str, Spell] = field(default_factory=dict)
    _samples: dict[alarm.Thread, list[Sample]] = field(default_factory=dict)
    _due: datetime | None = None

    def hear(self, readings: Sequence[Reading], *, now: datetime) -> None:
        """What arrived at once, as it was judged at once."""
        self.pass_time(now)
        limits = self.limits(now)
        known = {thread: self._samples.get(thread, []) for thread in alarm.unordered(self._state, readings, limits)}
        self._take(alarm.follow(self._state, readings, limits, now=now, patient=self.patient, history=known), limits, now)
        self._keep(readings, limits, now)

    def pass_time(self, until: datetime) -> None:
        """Every look that falls due before this time, in its order."""
        while self._due is not None and self._due < until:
            due, limits = self._due, self.limits(self._due)
            self._take(alarm.look(self._state, limits, now=due, patient=self.patient), limits, due)

    def _take(self, outcome: tuple[State, list[Event]], limits: Mapping[Sign, Limits], now: datetime) -> None:
        self._state, events = outcome
        for event in events:
            self._note(event)
        self._due = alarm.next_look(self._state, limits, now)

    def _note(self, event: Event) -> None:
        episode = event.episode
        if event.what in TOLD and event.at >= self.since:
            self.counts[Count(episode.kind, episode.severity, event.what)] += 1
        if event.what is What.RECORDED:
            return
        if event.what in (*ENDS, *CALLING) and (ended := self._open.pop(episode.condition, None)):
            ended.ended = event.at
        if event.what in CALLING and episode.severity is not Severity.INFO:
            self._open[episode.condition] = Spell(episode.condition, episode.kind, event.at, episode.severity, episode)
            self.spells.append(self._open[episode.condition])
        if episode.condition in self._open:
            self._open[episode.condition].go_on(event)

    def _keep(self, readings: Sequence[Reading], limits: Mapping[Sign, Limits], now: datetime) -> None:
        """Samples from which a window can be folded again, should a reading come out of order."""
        for reading in readings:
            for sign, value in alarm.values(reading, limits).items():
                kept = self._samples.setdefault((sign, reading.sensor), [])
                insort(kept, Sample(reading.measured_at, value, now - reading.measured_at <= alarm.LIVE_WINDOW))
                if len(kept) > KEPT:
                    anchors = self._state.anchors.get(sign, {}).get(reading.sensor, ())
                    oldest = anchors[0].measured_at if anchors else reading.measured_at
                    del kept[: bisect_right(kept, oldest, key=_time_of)]


def run(
    arrivals: Arrivals, limits: LimitsAt, *, since: datetime, until: datetime, patient: Observations = alarm.UNKNOWN
) -> Run:
    """A whole course by these limits, in the order of arrival."""
    course = Run(limits, since, patient)
    for now, readings in arrivals:
        course.hear(readings, now=now)
    course.pass_time(until)
    return course


@dataclass(frozen=True, slots=True)
class Lost:
    """A critical call of the present limits that the proposed would not have made; `becomes` is what is left of it."""

    spell: Spell
    becomes: Severity | None


@dataclass
class Comparison:
    """What changes. Calls: so many fewer, or more. Excursions: no longer told of, told of for the first time, told later.

    Delays are in seconds from the present call to the proposed one; negative is sooner.
    """

    saved: int = 0
    added: int = 0
    lost: Counter[Severity] = field(default_factory=Counter)
    gained: Counter[Severity] = field(default_factory=Counter)
    lost_critical: list[Lost] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    critical_delays: list[float] = field(default_factory=list)

    def add(self, other: Comparison) -> None:
        """Another patient's."""
        self.saved += other.saved
        self.added += other.added
        self.lost += other.lost
        self.gained += other.gained
        self.lost_critical += other.lost_critical
        self.delays += other.delays
        self.critical_delays += other.critical_delays


Spells = Sequence[Spell]


def compare(present: Spells, proposed: Spells, *, since: datetime) -> Comparison:
    """Two runs over the same readings. Spells of one condition that overlap in time are of the same excursion."""
    found = Comparison()
    for before, after in _excursions(present, proposed):
        fewer = sum(spell.begun >= since for spell in before) - sum(spell.begun >= since for spell in after)
        found.saved += max(fewer, 0)
        found.added += max(-fewer, 0)
        if min(spell.begun for spell in (*before, *after)) >= since:
            _tell(found, before, after)
    return found


def _tell(found: Comparison, before: Spells, after: Spells) -> None:
    """What becomes of one excursion that began in the time looked at."""
    was, becomes = _worst(before), _worst(after)
    if was and becomes:
        found.delays.append(_seconds(before[0].begun, after[0].begun))
    elif was:
        found.lost[was] += 1
    elif becomes:
        found.gained[becomes] += 1
    if was is Severity.CRITICAL and becomes is Severity.CRITICAL:
        found.critical_delays.append(_seconds(_critical(before)[0], _critical(after)[0]))
    elif was is Severity.CRITICAL:
        found.lost_critical += [Lost(spell, becomes) for spell in before if spell.critical_at]


def _excursions(present: Spells, proposed: Spells) -> Iterator[tuple[list[Spell], list[Spell]]]:
    """Spells of either run in groups that overlap or touch, condition by condition, each in the order of time."""
    told = [(spell, False) for spell in present] + [(spell, True) for spell in proposed]
    told.sort(key=lambda pair: (pair[0].condition, pair[0].begun))
    group: tuple[list[Spell], list[Spell]] = ([], [])
    condition, end = "", None
    for spell, is_proposed in told:
        if spell.condition != condition or (end is not None and spell.begun > end):
            if any(group):
                yield group
            group, condition, end = ([], []), spell.condition, spell.ended
        elif end is not None:
            end = None if spell.ended is None else max(end, spell.ended)
        group[is_proposed].append(spell)
    if any(group):
        yield group


def _worst(spells: Spells) -> Severity | None:
    return max((spell.severity for spell in spells), key=lambda severity: severity.rank, default=None)


def _critical(spells: Spells) -> list[datetime]:
    return sorted(spell.critical_at for spell in spells if spell.critical_at)


def _seconds(one: datetime, other: datetime) -> float:
    return (other - one).total_seconds()


def _worse(known: float | None, episode: Episode) -> float | None:
    value = episode.last_value
    if known is None or value is None:
        return value
    return min(known, value) if episode.side is Side.LOW else max(known, value)


def _time_of(sample: Sample) -> datetime:
    return sample.at
