"""The alarm: one pure function from (state, reading, limits, now) to (state, events). No clock, no database, no Django.

The state of one patient is what each sensor last said of each sign, and the newest episode of each condition
(`clinical/episode.py`). Live judging and tests run this very code; docs/alarm.md tells its rules in prose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from monitoring.clinical.episode import Episode, Event, Reading, Standing, State, What, Word
from monitoring.clinical.limits import Breach, Limits, Severity, judge
from monitoring.clinical.signs import Side, Sign, conditions

COOLDOWN = timedelta(minutes=5)  # a condition that comes back within this is the same alert, re-opened
LIVE_WINDOW = timedelta(minutes=10)  # an older reading is history: kept and drawn, but it calls nobody
MEMORY = timedelta(hours=24)  # a sensor that said nothing for so long is forgotten, unless it holds an alert open


def follow(
    state: State,
    reading: Reading,
    limits: Mapping[Sign, Limits],
    *,
    now: datetime,
    new_id: Callable[[], UUID] = uuid4,
) -> tuple[State, list[Event]]:
    """Take one reading into a patient's state; the state given is left as it is.

    A value beyond a limit raises its condition, or moves the episode that is open. A condition ends when no sensor stands
    beyond any more, and a sensor comes back inside only by a newer reading of its own. A reading older than its sensor's
    newest is judged too, and ends nothing. Readings older than LIVE_WINDOW are recorded and call nobody.
    """
    course = _Course(state.copy(), limits, now, new_id)
    for sign, status in reading.statuses.items():
        course.hear(sign, reading.sensor, Word(reading.measured_at, status))
    for sign, value in reading.values.items():
        course.take(sign, value, reading)
    course.forget()
    return course.state, course.events


@dataclass(slots=True)
class _Course:
    """The work of one `follow`: a state of its own to change, and what happened on the way."""

    state: State
    limits: Mapping[Sign, Limits]
    now: datetime
    new_id: Callable[[], UUID]
    events: list[Event] = field(default_factory=list)

    def hear(self, sign: Sign, sensor: str, word: Word) -> None:
        words = self.state.words.setdefault(sign, {})
        if sensor not in words or words[sensor].said_at <= word.said_at:
            words[sensor] = word

    def take(self, sign: Sign, value: float, reading: Reading) -> None:
        breach = judge(sign, value, self.limits[sign])
        late = reading.closed or self.now - reading.measured_at > LIVE_WINDOW
        standings = self.state.standings.setdefault(sign, {})
        before = standings.get(reading.sensor)
        newest = before is None or reading.measured_at >= before.measured_at
        goes_on = newest and before is not None and before.holds and _same(before.breach, breach) and not reading.closed
        alone = breach is not None and not goes_on and not self._is_held(breach.condition, reading.measured_at)
        if newest:
            holds = breach is not None and (not late or goes_on)
            standings[reading.sensor] = Standing(
                reading.measured_at, value, breach, holds, _interval(before, reading.measured_at)
            )
        if breach and (not late or goes_on):
            self._signal(breach, reading.measured_at, newest, alone)
        elif breach:
            self._record(breach, reading.measured_at)
        for name in conditions(sign):
            self._settle(name, sign, value if newest else None)

    def forget(self) -> None:
        """Sensors that have long been silent take no room for ever."""
        horizon = self.now - MEMORY
        for sensors in self.state.standings.values():
            for sensor in [s for s, standing in sensors.items() if standing.measured_at < horizon and not standing.holds]:
                del sensors[sensor]
        for words in self.state.words.values():
            for sensor in [s for s, word in words.items() if word.said_at < horizon]:
                del words[sensor]

    def _signal(self, breach: Breach, measured_at: datetime, newest: bool, alone: bool) -> None:
        old = self.state.episodes.get(breach.condition)
        if old is None or (old.resolved_at and not self._continues(old, breach)):
            self._put(self._episode(breach, measured_at), What.RAISED)
            return
        moved = _counted(old, breach, measured_at, newest)
        if old.resolved_at is None:
            if breach.severity.rank > old.severity.rank:
                self._put(_led_by(breach, replace(moved, severity=breach.severity, acknowledged=False)), What.RISEN)
            elif newest and alone:
                self._put(_led_by(breach, replace(moved, acknowledged=False)), What.RERAISED)
            else:
                self._put(moved, What.COUNTED)
        elif newest:
            taken = old.acknowledged and breach.severity is not Severity.CRITICAL
            reopened = replace(moved, resolved_at=None, severity=breach.severity, acknowledged=taken)
            self._put(_led_by(breach, reopened), What.REOPENED)
        else:
            self._put(moved, What.COUNTED)  # its sensor is already back inside: it belongs to the alert that ended

    def _is_held(self, name: str, at: datetime) -> bool:
        """Somebody measured about this time what was raised; a holder that had fallen silent speaks for the past only."""
        return any(
            standing.holds and standing.is_fresh(at) and standing.breach and standing.breach.condition == name
            for sensors in self.state.standings.values()
            for standing in sensors.values()
        )

    def _continues(self, ended: Episode, breach: Breach) -> bool:
        assert ended.resolved_at is not None
        return self.now - ended.resolved_at < COOLDOWN and breach.severity.rank <= ended.severity.rank

    def _record(self, breach: Breach, measured_at: datetime) -> None:
        old = self.state.records.get(breach.condition)
        if old and abs(measured_at - old.last_measured_at) <= COOLDOWN:
            worse = max(old.severity, breach.severity, key=lambda severity: severity.rank)
            self._put(replace(_counted(old, breach, measured_at, newest=True), severity=worse), What.COUNTED)
            return
        self._put(replace(self._episode(breach, measured_at), resolved_at=self.now, recorded=True), What.RECORDED)

    def _settle(self, name: str, sign: Sign, value: float | None) -> None:
        """Bring the open episode of a condition to what the sensors say now, by the limits in force now."""
        episode = self.state.episodes.get(name)
        if episode is None or episode.resolved_at:
            return
        lead = max(self._beyond(name), key=lambda breach: breach.badness, default=None)
        before = episode
        if value is not None and sign is episode.sign:
            episode = replace(episode, last_value=value)
        if lead is None:
            self._put(replace(episode, resolved_at=self.now), What.RESOLVED)
        elif lead.severity.rank > episode.severity.rank:
            self._put(_led_by(lead, replace(episode, severity=lead.severity, acknowledged=False)), What.RISEN)
        elif lead.severity.rank < episode.severity.rank:
            self._put(_led_by(lead, replace(episode, severity=lead.severity)), What.EASED)
        elif all(breach.sign is not episode.sign for breach in self._beyond(name)):
            self._put(_led_by(lead, episode), What.COUNTED)
        elif episode != before:
            self._put(episode, What.COUNTED)

    def _beyond(self, name: str) -> Iterator[Breach]:
        """What each sensor that holds the condition stands at, judged by the limits in force now."""
        for sign, sensors in self.state.standings.items():
            if name not in conditions(sign):
                continue
            for sensor, standing in sensors.items():
                if not standing.holds:
                    continue
                breach = judge(sign, standing.value, self.limits[sign])
                if breach != standing.breach:
                    sensors[sensor] = replace(standing, breach=breach, holds=_same(standing.breach, breach))
                if breach and breach.condition == name:
                    yield breach

    def _episode(self, breach: Breach, measured_at: datetime) -> Episode:
        return Episode(
            id=self.new_id(),
            condition=breach.condition,
            sign=breach.sign,
            side=breach.side,
            severity=breach.severity,
            value=breach.value,
            limit=breach.limit,
            worst_value=breach.value,
            last_value=breach.value,
            count=1,
            raised_at=self.now,
            measured_at=measured_at,
            last_measured_at=measured_at,
        )

    def _put(self, episode: Episode, what: What) -> None:
        shelf = self.state.records if episode.recorded else self.state.episodes
        shelf[episode.condition] = episode
        self.events.append(Event(what, episode, self.now))


def _interval(before: Standing | None, measured_at: datetime) -> float | None:
    if before is None or measured_at == before.measured_at:
        return before.interval if before else None
    gap = (measured_at - before.measured_at).total_seconds()
    return gap if before.interval is None else min(gap, 2 * before.interval)


def _same(one: Breach | None, other: Breach | None) -> bool:
    return one is not None and other is not None and one.condition == other.condition


def _counted(episode: Episode, breach: Breach, measured_at: datetime, newest: bool) -> Episode:
    """One more reading beyond: worst and last move when it is of the sign that leads the episode."""
    leads = breach.sign is episode.sign
    worst = min if breach.side is Side.LOW else max
    return replace(
        episode,
        count=episode.count + 1,
        worst_value=worst(episode.worst_value, breach.value) if leads else episode.worst_value,
        last_value=breach.value if leads and newest else episode.last_value,
        last_measured_at=max(episode.last_measured_at, measured_at),
    )


def _led_by(breach: Breach, episode: Episode) -> Episode:
    """The episode as this breach leads it; of another sign, worst and last start anew."""
    if breach.sign is episode.sign:
        return replace(episode, value=breach.value, limit=breach.limit)
    return replace(
        episode, sign=breach.sign, value=breach.value, limit=breach.limit, worst_value=breach.value, last_value=breach.value
    )
