"""From what the sensors say to alerts: the work of one `follow` on a state of its own, and what happened on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import uuid4

from monitoring.clinical import deterioration, device, silence, together
from monitoring.clinical.episode import CALLS, Call, Episode, Event, Kind, State, What
from monitoring.clinical.lead import Lead, counted, holders, lead_of, led_by, may_ease, worst_of
from monitoring.clinical.limits import Breach, Limits, Severity, judge
from monitoring.clinical.scores.observations import Observations
from monitoring.clinical.sensor import Sample, Standing, dismiss
from monitoring.clinical.signs import Side, Sign, condition, conditions

COOLDOWN = timedelta(minutes=5)  # a condition that comes back within this is the same alert, re-opened

Thread = tuple[Sign, str]


@dataclass(slots=True)
class Course:
    state: State
    limits: Mapping[Sign, Limits]
    now: datetime
    patient: Observations
    link_lost: bool = False
    events: list[Event] = field(default_factory=list)

    def stand(self, thread: Thread, before: Standing | None, after: Standing, sample: Sample) -> None:
        """A sensor's newest value: the conditions of its sign follow."""
        sign, name = thread
        alone = {side: self._turns_alone(thread, side, before, after) for side in Side}
        self.state.standings.setdefault(sign, {})[name] = after
        if after.breach and not sample.live and not after.active(after.breach.side):
            self.record(sign, sample)
        for side in Side:
            self.settle(condition(sign, side), sign, sample, alone=alone[side])

    def restand(self, thread: Thread, after: Standing, samples: Sequence[Sample], gains: Mapping[Side, Severity]) -> None:
        """A sensor whose window was folded again: what was worse than known for a time is told though it may be over."""
        sign, name = thread
        self.state.standings[sign][name] = after
        for side in Side:
            beyond = [(breach, sample.at) for sample in samples if (breach := self._breach(sign, sample, side))]
            if side in gains and beyond:
                worst, at = max(beyond, key=lambda pair: pair[0].badness)
                self._gain(worst, gains[side], at)
            for breach, at in beyond:
                self._count(breach, at)
            self.settle(condition(sign, side), sign, None)

    def stand_again(self, told: Episode) -> None:
        """It had ended by what was never so: the same alert is open again, in nobody's hand, unless another one is."""
        lead, newest = self.lead(told.condition), self.state.episodes.get(told.condition)
        if newest and newest.is_open:
            return
        back = replace(told, resolved_at=None, returned_at=None, by_hand=False, acknowledged=False)
        if lead:
            self._put(led_by(lead, back), What.REOPENED)
        elif told.kind is Kind.SCORE:  # which no sensor holds
            self._put(back, What.REOPENED)

    def unconfirmed(self, sign: Sign) -> None:
        """Silence has confirmed an excursion of this sign."""
        for name in conditions(sign):
            told = len(self.events)
            self.settle(name, sign, None)
            if any(event.what in CALLS for event in self.events[told:]):
                self._put(replace(self.state.episodes[name], unconfirmed=True), What.COUNTED)

    def take(self, name: str) -> None:
        """A person takes the alert: one that only waited for that ends, another one eases to what it is now."""
        old = self.state.episodes[name]
        taken = replace(old, acknowledged=True)
        lead = self.lead(name)
        if old.returned_at:
            self._put(replace(taken, resolved_at=self.now, returned_at=None), What.RESOLVED)
        elif lead and lead.severity.rank < old.severity.rank:
            self._put(led_by(lead, taken), What.EASED)
        else:
            self._amend(taken)
        if name == deterioration.SCORE and not old.returned_at:
            self._follow_call(name, deterioration.call(self.state))

    def dismiss(self, name: str) -> None:
        """A person ends the alert. What still stands beyond brings it back with its next value."""
        bundle = self.state.episodes.get(together.MULTIPLE_SIGNS)
        self._put(replace(self.state.episodes[name], resolved_at=self.now, returned_at=None, by_hand=True), What.RESOLVED)
        if name == silence.NO_DATA:
            silence.expect_no_more(self.state, self.now)
        if name == deterioration.SCORE:
            deterioration.dismiss(self.state)
        device.forget(self.state, name)
        for sign, by_sensor in self.state.standings.items():
            for side in Side:
                if condition(sign, side) == name:
                    by_sensor |= {sensor: dismiss(standing, side) for sensor, standing in by_sensor.items()}
        if bundle and bundle.is_active and name != together.MULTIPLE_SIGNS:
            self._follow_call(together.MULTIPLE_SIGNS, together.call(self.state))

    def record(self, sign: Sign, sample: Sample) -> None:
        """A value that came too late to call anybody: written down when it is beyond, one record a stretch of readings."""
        breach = judge(sign, sample.value, self.limits[sign])
        if breach is None:
            return
        old = self.state.records.get(breach.condition)
        if old and old.measured_at - COOLDOWN <= sample.at <= old.last_measured_at + COOLDOWN:
            more = replace(counted(old, breach, sample.at), measured_at=min(old.measured_at, sample.at))
            self._put(replace(more, severity=worst_of(old.severity, breach.severity)), What.COUNTED)
            return
        new = self._episode(breach, breach.severity, sample.at)
        self._put(replace(new, resolved_at=self.now, recorded=True), What.RECORDED)

    def look_around(self, *, heard: bool = True) -> None:
        """The conditions over the patient as a whole, after his signs have been followed. What nobody heard ends no silence."""
        for name, call in device.calls(self.state):
            self._follow_call(name, call)
        lost = silence.call(self.state, self.now)
        if not self.link_lost and (lost or heard):
            self._follow_call(silence.NO_DATA, lost)
        self._follow_call(deterioration.SCORE, deterioration.call(self.state))
        self._follow_call(together.MULTIPLE_SIGNS, together.call(self.state))

    def lead(self, name: str) -> Lead | None:
        """The worst of what the sensors of a condition hold."""
        return lead_of(self.state, self.limits, name)

    def settle(self, name: str, sign: Sign, sample: Sample | None, *, alone: bool = False) -> None:
        """Bring the episode of a condition to what its sensors say now; `sample` is a newest value of this sign."""
        lead, old = self.lead(name), self.state.episodes.get(name)
        if lead and (old is None or not old.is_open):
            self._begin(lead, old)
        elif lead and old:
            self._go_on(lead, old, self._moved(old, sign, sample), alone)
        elif old and old.is_open:
            self._end(self._moved(old, sign, sample))

    def _begin(self, lead: Lead, old: Episode | None) -> None:
        breach = Breach(lead.sign, lead.severity, lead.side, lead.value, lead.limit)
        if old is None or not self._continues(old, lead):
            self._put(self._episode(breach, lead.severity, lead.at), What.RAISED)
            return
        taken = old.acknowledged and not old.by_hand and lead.severity is not Severity.CRITICAL
        back = replace(counted(old, breach, lead.at), resolved_at=None, by_hand=False, acknowledged=taken)
        self._put(led_by(lead, back), What.REOPENED)

    def _go_on(self, lead: Lead, old: Episode, moved: Episode, alone: bool) -> None:
        if old.returned_at:
            self._call_again(lead, moved)
        elif lead.severity.rank > old.severity.rank:
            self._put(led_by(lead, replace(moved, acknowledged=False)), What.RISEN)
        elif alone:
            self._call_again(lead, moved)
        elif lead.severity.rank < old.severity.rank and may_ease(old):
            self._put(led_by(lead, moved), What.EASED)
        else:
            is_led = any(sign is moved.sign for sign, _, _ in holders(self.state, old.condition))
            is_held = moved.severity.rank > lead.severity.rank  # it says what made it critical until somebody takes it
            self._amend(moved if is_led or is_held else led_by(lead, moved))

    def _call_again(self, lead: Lead, moved: Episode) -> None:
        again = replace(moved, returned_at=None, acknowledged=False)
        is_held = not may_ease(moved) and moved.severity.rank > lead.severity.rank
        self._put(again if is_held else led_by(lead, again), What.RERAISED)

    def _moved(self, episode: Episode, sign: Sign, sample: Sample | None) -> Episode:
        if sample is None or episode.side is None:
            return episode
        if breach := self._breach(sign, sample, episode.side):
            episode = counted(episode, breach, sample.at)
        return replace(episode, last_value=sample.value) if sign is episode.sign else episode

    def _continues(self, ended: Episode, lead: Lead) -> bool:
        """It is the same alert: a person ended it while it went on, or it ended a moment ago and is no worse."""
        assert ended.resolved_at is not None
        if ended.by_hand and lead.since <= ended.resolved_at:
            return True
        return self._is_recent(ended, lead.severity)

    def _end(self, episode: Episode) -> None:
        """Nothing stands beyond any more. What was critical and nobody has taken stays until somebody does."""
        if episode.severity is Severity.CRITICAL and not episode.acknowledged:
            if episode.returned_at is None:
                self._put(replace(episode, returned_at=self.now), What.RETURNED)
            else:
                self._amend(episode)
        else:
            self._put(replace(episode, resolved_at=self.now, returned_at=None), What.RESOLVED)

    def _gain(self, breach: Breach, severity: Severity, at: datetime) -> None:
        """For some time, perhaps over by now, the condition was worse than anybody was told."""
        old = self.state.episodes.get(breach.condition)
        if old is None or not (old.is_open or self._is_recent(old, severity)):
            self._put(replace(self._episode(breach, severity, at), count=0), What.RAISED)
        elif not old.is_open and severity is Severity.CRITICAL:
            back = replace(old, resolved_at=None, by_hand=False, acknowledged=False, severity=severity)
            self._put(back, What.REOPENED)
        elif old.is_open and severity.rank > old.severity.rank:
            worse = replace(old, severity=severity, acknowledged=False, value=breach.value, limit=breach.limit)
            self._put(worse, What.RISEN)

    def _count(self, breach: Breach, at: datetime) -> None:
        episode = self.state.episodes.get(breach.condition)
        if episode and (episode.is_open or self._is_recent(episode, episode.severity)):
            self._put(counted(episode, breach, at), What.COUNTED)

    def _follow_call(self, name: str, call: Call | None) -> None:
        """A condition that is there or not, without a value: raised, moved and ended by the same rules."""
        old = self.state.episodes.get(name)
        if call is None:
            if old and old.is_open:
                self._end(old)
            self.state.named.pop(name, None)
            return
        is_more = bool(call.names - self.state.named.get(name, call.names))
        self.state.named[name] = call.names
        if old is None or not (old.is_open or self._is_recent(old, call.severity)):
            self._put(self._called(name, call), What.RAISED)
            return
        now = replace(old, severity=call.severity, detail=call.detail, returned_at=None, resolved_at=None, by_hand=False)
        if not old.is_open:
            taken = old.acknowledged and not old.by_hand and call.severity is not Severity.CRITICAL
            self._put(replace(now, acknowledged=taken), What.REOPENED)
        elif old.returned_at:
            worst = worst_of(old.severity, call.severity)
            self._put(replace(now, acknowledged=False, severity=worst), What.RERAISED)
        elif is_more and old.acknowledged:  # nobody took what has come since
            self._put(replace(old, detail=call.detail, acknowledged=False), What.RERAISED)
        elif call.severity.rank > old.severity.rank:
            self._put(replace(now, acknowledged=False), What.RISEN)
        elif call.severity.rank < old.severity.rank and may_ease(old):
            self._put(now, What.EASED)
        else:
            is_held = call.severity.rank < old.severity.rank  # it says what made it critical until somebody takes it
            self._amend(old if is_held else replace(old, detail=call.detail))

    def _is_recent(self, ended: Episode, severity: Severity) -> bool:
        """It ended less than the cooldown ago, and was no less bad."""
        assert ended.resolved_at is not None
        return timedelta() <= self.now - ended.resolved_at < COOLDOWN and severity.rank <= ended.severity.rank

    def _called(self, name: str, call: Call) -> Episode:
        return Episode(uuid4(), name, call.severity, self.now, self.now, self.now, kind=call.kind, detail=call.detail)

    def _turns_alone(self, thread: Thread, side: Side, before: Standing | None, after: Standing) -> bool:
        """This sensor goes beyond, or further, and whoever held the condition as bad until now has fallen silent."""
        now, was = after.active(side), before.active(side) if before else None
        if now is None or (was and was.rank >= now.rank):
            return False
        name = condition(thread[0], side)
        own = self.state.standings.get(thread[0], {}).get(thread[1])
        others = [each for _, _, each in holders(self.state, name) if each is not own]
        if was is None:
            return not any(standing.is_fresh(after.measured_at) for standing in others)
        as_bad = [each for each in others if (severity := each.active(side)) and severity.rank >= now.rank]
        is_taken = name in self.state.episodes and self.state.episodes[name].acknowledged
        return is_taken and bool(as_bad) and not any(standing.is_fresh(after.measured_at) for standing in as_bad)

    def _breach(self, sign: Sign, sample: Sample, side: Side) -> Breach | None:
        breach = judge(sign, sample.value, self.limits[sign])
        return breach if breach and breach.side is side else None

    def _episode(self, breach: Breach, severity: Severity, measured_at: datetime) -> Episode:
        return Episode(
            id=uuid4(),
            condition=breach.condition,
            severity=severity,
            raised_at=self.now,
            measured_at=measured_at,
            last_measured_at=measured_at,
            sign=breach.sign,
            side=breach.side,
            value=breach.value,
            limit=breach.limit,
            worst_value=breach.value,
            last_value=breach.value,
        )

    def _amend(self, episode: Episode) -> None:
        """The episode moves without anything to tell."""
        if episode != self.state.episodes.get(episode.condition):
            self._put(episode, What.COUNTED)

    def _put(self, episode: Episode, what: What) -> None:
        shelf = self.state.records if episode.recorded else self.state.episodes
        shelf[episode.condition] = episode
        self.events.append(Event(what, episode, self.now))
