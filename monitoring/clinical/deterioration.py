"""The score alert: NEWS2 over what the sensors say, damped like any other condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitoring.clinical.episode import Call, Episode, Kind, Scored, State
from monitoring.clinical.limits import DELAY, Limits, Severity
from monitoring.clinical.scores import calls, news2
from monitoring.clinical.scores.inputs import MAXIMUM_AGES, Chosen, Input, choose
from monitoring.clinical.scores.observations import Observations
from monitoring.clinical.scores.score import NotApplicable, Score
from monitoring.clinical.sensor import LONGEST_WAIT, Excursion, Sample, Standing, excursions
from monitoring.clinical.signs import Sign

SCORE = "news2"
# How bad the call is, as a value with limits: so it is delayed and cleared by the rules for signs.
STAYS_FOR = timedelta(hours=1)  # the interval in which the chart has a patient observed again, from a single 3 on
OVER_AFTER = timedelta(minutes=15)  # in a hand: sooner than a hand is asked again, later than a score that swings
BY_RANK = Limits(warning_high=Severity.INFO.rank, critical_high=Severity.WARNING.rank)


def chosen(
    state: State, patient: Observations, now: datetime, *, maximum_ages: Mapping[str, timedelta] = MAXIMUM_AGES
) -> Chosen:
    """The inputs of a score, each no older than its own maximum age: continuous ones as medians of the last minute.

    Of several sensors the one that was read last: a mean of two is what nobody has measured.
    """
    samples: dict[str, list[Input]] = {}
    for sign, by_sensor in state.standings.items():
        if sign in news2.PARTS and by_sensor:
            _, newest = max(by_sensor.items(), key=lambda named: (named[1].measured_at, named[0]))
            samples[sign.value] = [Input(value, at) for at, value in _spoken(newest)]
    for name, seen in state.observed.items():
        samples[name] = [Input(seen.value, seen.at)]
    return choose(samples, at=now, patient=patient, maximum_ages=maximum_ages)


def _spoken(standing: Standing) -> Sequence[tuple[datetime, float]]:
    return standing.recent if standing.continuous else standing.recent[-1:]


def score(state: State, patient: Observations, now: datetime) -> Score | None:
    """NEWS2 now; None for whom it was not made (children, pregnancy)."""
    return _score(chosen(state, patient, now))


def _score(given: Chosen) -> Score | None:
    try:
        return news2.score(given.observations)
    except NotApplicable:
        return None


def follow(state: State, patient: Observations, now: datetime, *, held: int | None = None) -> None:
    """Score what is known now. Losing an input takes no call back: what had points and is missing counts as it did.

    `held` is the rank of the call that a missing input holds, where that is not the one from before.
    """
    given = chosen(state, patient, now)
    present = _score(given)
    if present is None:
        state.scored = None
        return
    before = state.scored or Scored()
    called = calls.call(present, _alarmed(state))
    lost = set(before.inputs) & set(present.missing)
    held = _held(before) if held is None else held
    rank = max(called.severity.rank if called else 0, held if lost else 0)
    pointed = {name for name, points in present.parts.items() if points}
    measured_at = max((now - age for name, age in given.ages.items() if name in pointed), default=None)
    worst = max((each.severity.rank for each in before.excursions if each.is_active), default=0)
    detail = called.message if called and rank >= worst else before.detail  # what led to the call, not what is left of it
    waits = any(each.waits for each in before.excursions)
    if waits and (rank, measured_at) == (before.rank, before.measured_at):
        # The same points once more, because something else was measured: that confirms nothing.
        state.scored = replace(before, detail=detail)
        return
    delay = DELAY if _is_monitored(state, now) else None
    after = tuple(excursions(before.excursions, Sample(now, rank), BY_RANK, delay, _stays_for(state, rank), _is_inside))
    state.scored = Scored(after, tuple(sorted(pointed | lost)), detail, now, rank, measured_at)


def follow_correction(
    state: State, patient: Observations, now: datetime, *, was: State, at: datetime, told: Episode | None
) -> bool:
    """Score anew what was corrected. What only the wrong value called for was never so: it is over at once, and not held.

    `was` is the state before, `at` when the wrong value was measured, `told` the alert that stood then. What that one was told
    for is held again, however old by now, where only the wrong value had let it go: true, when it does. A correction that
    neither takes nor gives points to what was known last ends and begins nothing; nor does one of something else what a device
    called for that was taken off since, and of which nothing is known any more.
    """
    before, known, corrected = state.scored, _ever(was, patient, now), _ever(state, patient, now)
    if before is None or known is None or corrected is None or known.parts == corrected.parts:
        follow(state, patient, now)
        return False
    called = calls.call(corrected, _alarmed(state))
    ever, held = called.severity.rank if called else 0, _held(before)
    again = min(ever, told.severity.rank) if told and _fell(corrected, known) else 0
    fell, unknown = _fell(known, corrected), set(before.inputs) - known.parts.keys() - corrected.parts.keys()
    state.scored = replace(before, inputs=(*unknown, *(name for name, points in corrected.parts.items() if points)))
    follow(state, patient, now, held=max(again, min(held, ever) if fell and not unknown else held))
    if state.scored and fell:
        state.scored = _let_go(state.scored, before, at)
    if state.scored and told and again > held:
        state.scored = _stand_again(state.scored, told, again)
    return again > held


def _let_go(after: Scored, before: Scored, at: datetime) -> Scored:
    """What had begun with the value of that time is over; what had begun before it goes its way."""
    over = {(each.side, each.severity) for each in before.excursions if each.beyond_since and each.since >= at}
    left = tuple(each for each in after.excursions if each.beyond_since or (each.side, each.severity) not in over)
    return replace(after, excursions=left)


def _stand_again(after: Scored, told: Episode, rank: int) -> Scored:
    """As it was told: up to that rank nothing waits for a delay."""
    sure = tuple(replace(each, confirmed=True) if each.severity.rank <= rank else each for each in after.excursions)
    return replace(after, excursions=sure, detail=told.detail)


def _ever(state: State, patient: Observations, now: datetime) -> Score | None:
    """The score of what was known last of each input, however old."""
    return _score(chosen(state, patient, now, maximum_ages=dict.fromkeys(MAXIMUM_AGES, timedelta.max)))


def _fell(before: Score, after: Score) -> bool:
    """Some input has fewer points."""
    return any((after.parts.get(name) or 0) < (points or 0) for name, points in before.parts.items())


def look(state: State, now: datetime) -> None:
    """Time alone confirms a call that waits for its delay; it ends none, since nobody has measured anything."""
    due = confirms_at(state)
    if state.scored and due and due <= now:
        sure = tuple(replace(each, confirmed=True) if each.waits else each for each in state.scored.excursions)
        state.scored = replace(state.scored, excursions=sure)


def confirms_at(state: State) -> datetime | None:
    """When a call that waits is taken as confirmed although nothing more was measured; None: none waits."""
    scored = state.scored
    if scored is None or scored.at is None or not any(each.waits for each in scored.excursions):
        return None
    return scored.at + LONGEST_WAIT


def call(state: State) -> Call | None:
    """What the score has to tell now."""
    scored = state.scored or Scored()
    active = [each.severity for each in scored.excursions if each.is_active]
    if not active:
        return None
    return Call(Kind.SCORE, max(active, key=lambda severity: severity.rank), scored.detail[:200])


def _held(scored: Scored) -> int:
    """What the score called for when it was last known: not what is on its way back."""
    there = [each.severity.rank for each in scored.excursions if each.beyond_since and not each.dismissed]
    return max(there, default=0)


def _stays_for(state: State, rank: int) -> timedelta:
    """Who has the alert in his hand is told soon that the score calls for nothing more, and anew when it does again."""
    told = state.episodes.get(SCORE)
    return OVER_AFTER if rank == 0 and told and told.is_open and told.acknowledged else STAYS_FOR


def dismiss(state: State) -> None:
    """A person ended the alert: the next score decides."""
    if state.scored:
        set_aside = tuple(replace(excursion, dismissed=True) for excursion in state.scored.excursions)
        state.scored = replace(state.scored, excursions=set_aside)


def _is_monitored(state: State, now: datetime) -> bool:
    """An input comes continuously; without one a set of observations speaks for itself, as a spot value does."""
    inputs = [each for sign, by_sensor in state.standings.items() if sign in news2.PARTS for each in by_sensor.values()]
    return any(each.continuous and now - (each.seen_at or each.measured_at) <= each.old_after for each in inputs)


def _alarmed(state: State) -> set[Sign]:
    return {each.sign for each in state.episodes.values() if each.sign and each.is_active}


def _is_inside(excursion: Excursion) -> bool:
    return True
