"""A reading that was corrected, or counts no more: what its sensor has come to is folded again, as if it had never been else.

Young ones are judged as if they had just come. Older ones call nobody by themselves: what they would have raised is recorded,
and what stood on them ends. But what had been told and ended only by what was never so stands again, however old. No alert is
taken back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from monitoring.clinical import alarm, anchors, deterioration, setback
from monitoring.clinical import sensor as sensors
from monitoring.clinical.alarm import UNKNOWN, History
from monitoring.clinical.anchors import LIVE_WINDOW, Thread
from monitoring.clinical.course import Course
from monitoring.clinical.episode import CALLS, Episode, Event, Reading, State
from monitoring.clinical.limits import Breach, Limits, judge
from monitoring.clinical.scores.observations import Observations
from monitoring.clinical.sensor import Excursion, Sample, Standing
from monitoring.clinical.signs import Side, Sign, condition


@dataclass(frozen=True, slots=True)
class Change:
    """A reading as it was and as it is now; None: it was entered in error.

    `heard` are other readings that count, of which the newest words and observations take the place of those that are gone.
    `told`, by condition, is the newest alert that had begun by the time of the reading, however long ago it ended, with the
    worst severity that was told of it.
    """

    was: Reading
    became: Reading | None
    heard: Sequence[Reading] = ()
    told: Mapping[str, Episode] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Turn:
    """One thread of a correction: its sample before and after, and whether it is young enough to call somebody."""

    thread: Thread
    old: Sample | None
    new: Sample | None
    live: bool

    @property
    def at(self) -> datetime:
        sample = self.old or self.new
        assert sample is not None
        return sample.at


def threads(state: State, change: Change, limits: Mapping[Sign, Limits]) -> dict[Thread, datetime]:
    """The threads that change, and from when their other samples are needed."""
    return {turn.thread: _start_of(state, turn.thread, turn.at)[1] for turn in _turns(change, limits, live=False)}


def correct(
    state: State,
    change: Change,
    limits: Mapping[Sign, Limits],
    *,
    now: datetime,
    patient: Observations = UNKNOWN,
    history: History,
) -> tuple[State, list[Event]]:
    """Take a correction into a patient's state; the state given is left as it is.

    `history` has, by thread, the other samples that count. A thread that it lacks is too long to be folded again: its sensor
    stands as it did, and the value is recorded.
    """
    course = Course(state.copy(), limits, now, patient)
    setback.follow_clock(course.state, now)
    _say_anew(course, change)
    is_live = now - change.was.measured_at <= LIVE_WINDOW and not change.was.closed
    turns = list(_turns(change, limits, live=is_live))
    for turn in turns:
        if not change.was.closed and turn.thread in history:
            _fold_again(course, turn, history[turn.thread], change.told)
        if not is_live or turn.thread not in history:
            _record(course, turn)
    if not change.was.closed:
        _score_anew(course, change, was=state)
        course.look_around(heard=False)
    return course.state, course.events


def _score_anew(course: Course, change: Change, *, was: State) -> None:
    told, at = change.told.get(deterioration.SCORE), change.was.measured_at
    if told and told.resolved_at and told.resolved_at < at:
        told = None  # something else had ended it
    if deterioration.follow_correction(course.state, course.patient, course.now, was=was, at=at, told=told) and told:
        course.stand_again(told)


def _turns(change: Change, limits: Mapping[Sign, Limits], *, live: bool) -> Sequence[_Turn]:
    was = alarm.values(change.was, limits)
    became = alarm.values(change.became, limits) if change.became else {}
    at, declared = change.was.measured_at, change.was.declared

    def sample(values: Mapping[Sign, float], sign: Sign) -> Sample | None:
        return Sample(at, values[sign], True, declared) if sign in values else None

    return [
        _Turn((sign, change.was.sensor), sample(was, sign), sample(became, sign), live)
        for sign in Sign
        if was.get(sign) != became.get(sign)
    ]


def _say_anew(course: Course, change: Change) -> None:
    """Forget what the reading said in words, and hear instead what others said, and what it says now.

    What it says of its device as before is not said anew: a person may have ended that alert since.
    """
    state, was, became = course.state, change.was, change.became
    if became and became.device == was.device:
        was, became = replace(was, device=""), replace(became, device="")
    for words in state.words.values():
        if was.sensor in words and words[was.sensor].said_at == was.measured_at:
            del words[was.sensor]
    if was.device and was.sensor in state.devices and state.devices[was.sensor].said_at == was.measured_at:
        del state.devices[was.sensor]
    for name in was.observed:
        if name in state.observed and state.observed[name].at == was.measured_at:
            del state.observed[name]
    readings = [*change.heard, *([became] if became else [])]
    for reading in sorted(readings, key=lambda reading: reading.measured_at):
        alarm.hear(state, reading, course.limits)


def _start_of(state: State, thread: Thread, at: datetime) -> tuple[Standing | None, datetime]:
    """As of any window; but a sensor that sends now and then said long before this what it stands on."""
    start, since = anchors.start_of(state, thread, at)
    standing = state.standings.get(thread[0], {}).get(thread[1])
    return start, at - alarm.MEMORY if start is None and standing and not standing.continuous else since


def _fold_again(course: Course, turn: _Turn, history: Sequence[Sample], told: Mapping[str, Episode]) -> None:
    """The sensor's standing as it would be by now, had it always measured the new value."""
    sign, name = turn.thread
    by_sensor = course.state.standings.setdefault(sign, {})
    before, limits = by_sensor.get(name), course.limits[sign]
    start, since = _start_of(course.state, turn.thread, turn.at)
    if before is None and turn.new is None:
        return
    continuous = before is not None and before.continuous
    # Where a reading is gone, those that are left may no longer show that the sensor sends steadily.
    stays_known = continuous and start is None and turn.new is None
    others = [
        sample._replace(declared=sample.declared or stays_known)
        for sample in history
        if since < sample.at and sample.at != turn.at and (before is None or sample.at <= before.measured_at)
    ]
    without = list(sensors.path(start, sign, sorted([*others, *_given(turn.old)]), limits))
    folded = list(sensors.path(start, sign, sorted([*others, *_given(turn.new)]), limits))
    after = folded[-1] if folded else start
    if after is None:
        _stand_no_more(course, turn.thread)
        return
    if before:
        after = sensors.keep(after, before, without[-1] if without else None)
        after = replace(after, continuous=after.continuous or continuous, seen_at=before.seen_at or course.now)
    else:  # taken off, or long silent: nobody waits for it
        after = replace(after, continuous=False, paces=(), seen_at=course.now)
    _mend_anchors(course, turn, folded, after)
    prior = next((standing for standing in reversed(folded) if standing.measured_at < turn.at), start)
    after, again = _as_told(turn, after, before, prior, told)
    gains = anchors.gains(start, without, folded) if turn.live else {}
    new = _side(course, turn, turn.new)
    is_news = turn.live and (gains or new is not _side(course, turn, turn.old))
    course.state.standings[sign][name] = after
    for side in again:
        course.stand_again(told[condition(sign, side)])
    course.restand(turn.thread, after, _given(turn.new) if is_news or new in again else [], gains)


def _given(sample: Sample | None) -> list[Sample]:
    return [sample] if sample else []


def _stand_no_more(course: Course, thread: Thread) -> None:
    """Nothing is left that this sensor ever measured of this sign."""
    sign, name = thread
    course.state.standings[sign].pop(name, None)
    course.state.anchors.get(sign, {}).pop(name, None)
    for side in Side:
        course.settle(condition(sign, side), sign, None)


def _mend_anchors(course: Course, turn: _Turn, folded: Sequence[Standing], after: Standing) -> None:
    sign, name = turn.thread
    by_sensor = course.state.anchors.setdefault(sign, {})
    by_time = {standing.measured_at: standing for standing in folded}
    kept = (anchor for anchor in by_sensor.get(name, ()) if anchor.measured_at != turn.at or turn.at in by_time)
    by_sensor[name] = tuple(by_time.get(anchor.measured_at, anchor) for anchor in kept) or (after,)


def _as_told(
    turn: _Turn, after: Standing, before: Standing | None, prior: Standing | None, told: Mapping[str, Episode]
) -> tuple[Standing, set[Side]]:
    """The sides that stand again: they stood before this reading, and were told.

    What begins only by a correction of what is long past calls nobody; a further value beyond will.
    """
    known = {(each.side, each.severity) for each in before.excursions if each.live} if before else set()
    stood = {(each.side, each.severity, each.since) for each in prior.excursions} if before and prior else set()
    excursions: list[Excursion] = []
    again: set[Side] = set()
    for each in after.excursions:
        alert = told.get(condition(turn.thread[0], each.side))
        if (each.side, each.severity) in known:
            excursions.append(each)
        elif alert and (each.side, each.severity, each.since) in stood and _is_told(each, alert, after):
            by_hand = alert.by_hand and alert.resolved_at is not None and each.since <= alert.resolved_at < turn.at
            excursions.append(replace(each, confirmed=True, dismissed=by_hand))
            again |= set() if by_hand else {each.side}
        else:
            excursions.append(each if turn.live else replace(each, live=False))
    return replace(after, excursions=tuple(excursions)), again


def _is_told(excursion: Excursion, alert: Episode, after: Standing) -> bool:
    """What its values had not confirmed, silence had, if the alert began with it, and not with another that is as bad."""
    known = [each for each in after.excursions if each.side is excursion.side and each.confirmed]
    if not excursion.confirmed and any(each.severity.rank >= excursion.severity.rank for each in known):
        return False
    by_then = alert.last_measured_at if excursion.confirmed else alert.measured_at
    return excursion.live and excursion.severity.rank <= alert.severity.rank and excursion.since <= by_then


def _record(course: Course, turn: _Turn) -> None:
    """What nobody was told of: beyond, and on that side worse than it was known to be."""
    sign = turn.thread[0]
    breach = judge(sign, turn.new.value, course.limits[sign]) if turn.new else None
    known = judge(sign, turn.old.value, course.limits[sign]) if turn.old else None
    if turn.new is None or breach is None:
        return
    is_worse = known is None or known.side is not breach.side or known.severity.rank < breach.severity.rank
    if is_worse and not _has_called(course, breach):
        course.record(sign, turn.new)


def _has_called(course: Course, breach: Breach) -> bool:
    called = [event.episode for event in course.events if event.what in CALLS and event.episode.condition == breach.condition]
    return any(episode.severity.rank >= breach.severity.rank for episode in called)


def _side(course: Course, turn: _Turn, sample: Sample | None) -> Side | None:
    sign = turn.thread[0]
    breach = judge(sign, sample.value, course.limits[sign]) if sample else None
    return breach.side if breach else None
