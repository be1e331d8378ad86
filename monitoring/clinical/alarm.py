"""The alarm: one pure function from (state, readings, limits, now) to (state, events). No clock, no database, no Django.

The state of one patient is where each sensor stands (`clinical/sensor.py`) and the newest episode of each condition
(`clinical/episode.py`). Live judging, replay, previews and tests run this very code; docs/alarm.md tells its rules in prose.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitoring.clinical import anchors, deterioration, setback, silence
from monitoring.clinical import sensor as sensors
from monitoring.clinical.anchors import ANCHOR_EVERY, LIVE_WINDOW, Thread
from monitoring.clinical.course import COOLDOWN, Course
from monitoring.clinical.device import TOLD
from monitoring.clinical.episode import Episode, Event, Observed, Reading, State, What, Word
from monitoring.clinical.lead import holders
from monitoring.clinical.limits import Limits, Severity
from monitoring.clinical.scores.observations import Observations
from monitoring.clinical.sensor import Sample, Standing
from monitoring.clinical.signs import Sign, conditions
from monitoring.clinical.words import NO_SIGNAL, measured

__all__ = ["COOLDOWN", "LIVE_WINDOW", "Episode", "Event", "Reading", "State", "Thread", "What"]

MEMORY = timedelta(hours=24)  # a sensor that said nothing for so long is forgotten, unless an alert stands on it

UNKNOWN = Observations()  # an adult, as far as anybody knows; saturation on NEWS2's scale 1

NO_PULSE = "no_pulse"  # of a flushed line

History = Mapping[Thread, Sequence[Sample]]


def follow(
    state: State,
    readings: Iterable[Reading],
    limits: Mapping[Sign, Limits],
    *,
    now: datetime,
    patient: Observations = UNKNOWN,
    history: History | None = None,
) -> tuple[State, list[Event]]:
    """Take readings into a patient's state; the state given is left as it is.

    A value beyond a limit for the limit's delay raises its condition, or moves the episode that is open. A condition ends when
    no sensor stands beyond any more, and a sensor comes back inside only by values of its own. Readings older than LIVE_WINDOW
    are recorded and call nobody. `patient` has what a score needs and no sensor tells: age in months, the saturation's scale,
    pregnancy. For threads that `unordered` names, `history` has the samples that are known from before, without these readings.
    """
    course = Course(state.copy(), limits, now, patient)
    setback.follow_clock(course.state, now)
    readings = sorted(readings, key=lambda reading: reading.measured_at)
    late, fresh = _sorted_out(course, readings)
    for thread, samples in late.items():
        _insert(course, thread, samples, (history or {}).get(thread, ()))
    for thread, sample in fresh:
        _append(course, thread, sample)
    _forget(course.state, now)
    if any(not reading.closed for reading in readings):
        deterioration.follow(course.state, patient, now)
        course.look_around()
    return course.state, course.events


def look(
    state: State,
    limits: Mapping[Sign, Limits],
    *,
    now: datetime,
    patient: Observations = UNKNOWN,
    link_lost: bool = False,
) -> tuple[State, list[Event]]:
    """What time alone has done: excursions whose confirming value did not come, sensors that fell silent.

    `link_lost`: nothing comes from anybody; that is told once for all, and not of each patient again.
    """
    course = Course(state.copy(), limits, now, patient, link_lost)
    setback.follow_clock(course.state, now)
    for sign, by_sensor in course.state.standings.items():
        for name, standing in by_sensor.items():
            due = sensors.confirms_at(standing, limits[sign])
            if due is not None and due <= now:
                by_sensor[name] = sensors.confirm(standing)
                course.unconfirmed(sign)
    deterioration.look(course.state, now)
    course.look_around(heard=False)
    return course.state, course.events


def take(state: State, condition: str, limits: Mapping[Sign, Limits], *, now: datetime) -> tuple[State, list[Event]]:
    """A person takes the open alert of a condition; where none is open, nothing happens."""
    course = Course(state.copy(), limits, now, UNKNOWN)
    if condition in state.episodes and state.episodes[condition].is_open:
        course.take(condition)
    return course.state, course.events


def dismiss(state: State, condition: str, limits: Mapping[Sign, Limits], *, now: datetime) -> tuple[State, list[Event]]:
    """A person ends the open alert of a condition; while a sensor still stands beyond, its next value brings it back."""
    course = Course(state.copy(), limits, now, UNKNOWN)
    if condition in state.episodes and state.episodes[condition].is_open:
        course.dismiss(condition)
    return course.state, course.events


def release(state: State, names: Collection[str], limits: Mapping[Sign, Limits], *, now: datetime) -> tuple[State, list[Event]]:
    """A person took these sensors off the patient: what they hold ends with them, and nobody waits for them any more."""
    course = Course(state.copy(), limits, now, UNKNOWN)
    for name in names:
        course.state.devices.pop(name, None)
        for kept in (course.state.standings, course.state.words, course.state.anchors):
            for by_sensor in kept.values():
                by_sensor.pop(name, None)
    for sign in Sign:
        for condition in conditions(sign):
            course.settle(condition, sign, None)
    course.look_around()
    return course.state, course.events


def next_look(state: State, limits: Mapping[Sign, Limits], now: datetime) -> datetime | None:
    """When `look` may find something although no reading came."""
    waiting = [
        due
        for sign, by_sensor in state.standings.items()
        for standing in by_sensor.values()
        if (due := sensors.confirms_at(standing, limits[sign]))
    ]
    others = deterioration.confirms_at(state), silence.next_look(state, now)
    return min([*waiting, *(time for time in others if time)], default=None)


def unordered(state: State, readings: Iterable[Reading], limits: Mapping[Sign, Limits]) -> dict[Thread, datetime]:
    """The threads in which a reading is older than the newest known, and from when their history is needed."""
    wanted: dict[Thread, datetime] = {}
    for reading in sorted(readings, key=lambda reading: reading.measured_at, reverse=True):
        for sign in values(reading, limits):
            thread = sign, reading.sensor
            standing = _standing(state, thread)
            # What is older still is history whenever it arrives, and moves nothing.
            if standing and not reading.closed and timedelta() < standing.measured_at - reading.measured_at <= ANCHOR_EVERY:
                wanted[thread] = anchors.start_of(state, thread, reading.measured_at)[1]
    return wanted


def active(state: State, condition: str) -> Severity | None:
    """How bad a condition is now by what its sensors say, whoever has taken or resolved it."""
    held = [severity for _, side, standing in holders(state, condition) if (severity := standing.active(side))]
    return max(held, key=lambda severity: severity.rank, default=None)


def values(reading: Reading, limits: Mapping[Sign, Limits]) -> dict[Sign, float]:
    """What a reading says of the patient in numbers, not what a flushed line says."""
    said = measured(reading.values, reading.statuses)
    if is_flushed(reading, limits):
        said.pop(Sign.MEAN_BP, None)
    return said


def is_flushed(reading: Reading, limits: Mapping[Sign, Limits]) -> bool:
    """A high mean pressure whose own systolic cannot be measured has no pulse: the line is flushed, drawn from or zeroed.

    A low one may be the patient's, and counts.
    """
    mean, high = reading.values.get(Sign.MEAN_BP), limits[Sign.MEAN_BP].warning_high
    return mean is not None and high is not None and mean > high and reading.statuses.get(Sign.SYSTOLIC_BP) == NO_SIGNAL


def hear(state: State, reading: Reading, limits: Mapping[Sign, Limits]) -> None:
    """What a reading says in words, and what a person observed; the newest word stays."""
    flushed = {Sign.MEAN_BP: NO_PULSE} if is_flushed(reading, limits) else {}
    for sign, status in (dict(reading.statuses) | flushed).items():
        words = state.words.setdefault(sign, {})
        if reading.sensor not in words or words[reading.sensor].said_at <= reading.measured_at:
            words[reading.sensor] = Word(reading.measured_at, status)
    said = state.devices.get(reading.sensor)
    if reading.device and (said is None or said.said_at <= reading.measured_at):
        state.devices[reading.sensor] = Word(reading.measured_at, reading.device)
    for name, value in reading.observed.items():
        if name not in state.observed or state.observed[name].at <= reading.measured_at:
            state.observed[name] = Observed(reading.measured_at, value)


def _sorted_out(course: Course, readings: Sequence[Reading]) -> tuple[dict[Thread, list[Sample]], list[tuple[Thread, Sample]]]:
    """The samples that came out of order, by thread, and those in order; what is history is recorded at once."""
    late: dict[Thread, list[Sample]] = {}
    fresh: list[tuple[Thread, Sample]] = []
    for reading in readings:
        hear(course.state, reading, course.limits)
        for sign, value in values(reading, course.limits).items():
            is_live = course.now - reading.measured_at <= LIVE_WINDOW
            sample = Sample(reading.measured_at, value, is_live, reading.declared)
            thread = sign, reading.sensor
            standing = _standing(course.state, thread)
            is_older = standing is not None and sample.at < standing.measured_at
            if reading.closed or (is_older and not sample.live):
                course.record(sign, sample)
            elif standing and is_older and not setback.is_ahead(standing, course.now):
                late.setdefault(thread, []).append(sample)
            else:
                fresh.append((thread, sample))
    return late, fresh


def _standing(state: State, thread: Thread) -> Standing | None:
    return state.standings.get(thread[0], {}).get(thread[1])


def _append(course: Course, thread: Thread, sample: Sample) -> None:
    before = _standing(course.state, thread)
    if before is not None and sample.at == before.measured_at:
        _correct(course, thread, before, sample)
        return
    if before is not None and sample.at < before.measured_at:
        before = _put_before(course.state, thread, before, sample.at)
    # A backlog of old values is no word of the patient now: while nothing else comes, the sensor is silent.
    seen_at = before.seen_at if before and not sample.live else course.now
    after = sensors.carry_on(before, thread[0], sample, course.limits[thread[0]], seen_at=seen_at)
    anchors.drop(course.state, thread, before or after, sample.at)
    course.stand(thread, before, after, sample)


def _correct(course: Course, thread: Thread, before: Standing, sample: Sample) -> None:
    """The same moment once more: nothing, but where a word came to stand beside the number, such as *asystole*."""
    if sample.value == before.value:
        return
    after = sensors.carry_on(before, thread[0], sample, course.limits[thread[0]], seen_at=course.now)
    course.stand(thread, before, replace(after, interval=before.interval, paces=before.paces), sample)


def _put_before(state: State, thread: Thread, standing: Standing, at: datetime) -> Standing:
    """The sensor's clock was set back: it goes on from this time, and its past moves along."""
    moved = setback.put_before(standing, at)
    state.anchors.setdefault(thread[0], {})[thread[1]] = (moved,)
    return moved


def _insert(course: Course, thread: Thread, samples: Sequence[Sample], history: Sequence[Sample]) -> None:
    """Fold the window again, with and without what arrived out of order: what is worse than before is news."""
    before = _standing(course.state, thread)
    assert before is not None
    start, since = anchors.start_of(course.state, thread, samples[0].at)
    stored = {sample.at: sample for sample in history if since < sample.at < before.measured_at}
    known = [*sorted(stored.values()), _newest(before, history)]
    new = {sample.at: sample for sample in samples if sample.at not in stored}
    if not new:
        return
    limits, begins = course.limits[thread[0]], min(new)
    for standing in sensors.path(start, thread[0], [sample for sample in known if sample.at < begins], limits):
        start = standing
    known = [sample for sample in known if sample.at > begins]
    without = list(sensors.path(start, thread[0], known, limits))
    folded = list(sensors.path(start, thread[0], sorted([*known, *new.values()]), limits))
    anchors.mend(course.state, thread, folded)
    continuous = folded[-1].continuous or any(sample.declared for sample in samples)
    after = replace(sensors.keep(folded[-1], before, without[-1]), seen_at=course.now, continuous=continuous)
    course.restand(thread, after, list(new.values()), anchors.gains(start, without, folded))


def _newest(standing: Standing, history: Sequence[Sample]) -> Sample:
    """The sample that a standing ends with, also where the history lacks it: a fold never ends before it."""
    own = (sample for sample in history if sample.at == standing.measured_at)
    return next(own, Sample(standing.measured_at, standing.value))


def _forget(state: State, now: datetime) -> None:
    """Sensors that have long been silent take no room for ever; but what an open alert stands on is kept while it is open."""
    horizon = now - MEMORY
    missed = silence.told(state, now)
    for sign, by_sensor in state.standings.items():
        for name, standing in [*by_sensor.items()]:
            if standing.measured_at < horizon and not standing.holds and (sign, name) not in missed:
                del by_sensor[name]
                state.anchors.get(sign, {}).pop(name, None)
    for sign, words in state.words.items():
        for name in [name for name, word in words.items() if word.said_at < horizon and (sign, name) not in missed]:
            del words[name]
    for name, word in [*state.devices.items()]:
        if word.said_at < horizon and not _holds(state, word):
            del state.devices[name]


def _holds(state: State, word: Word) -> bool:
    """An alert is open for what this device said last."""
    return word.status in TOLD and (episode := state.episodes.get(TOLD[word.status][0])) is not None and episode.is_open
