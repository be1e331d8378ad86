"""What one sensor's values of one sign have come to: a fold over its samples in the order of their measurement.

An excursion is confirmed when it outlasts its delay and ends when the value has been back inside by the margin for the clear
time. Nothing here depends on the order of arrival, and silence neither begins nor ends anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from monitoring.clinical.limits import Breach, Limits, Severity, judge
from monitoring.clinical.signs import FACTS, Side, Sign

FRESH = timedelta(seconds=30)  # a value younger than this is never old
CLEAR_TIME = timedelta(minutes=5)  # back inside for so long ends an excursion
STEADY_GAP = timedelta(seconds=66)  # "at least once a minute", with a tenth for a clock that wobbles
ESTABLISHED_AFTER = timedelta(minutes=3)  # of steady sending a sensor counts as continuous
LONGEST_WAIT = timedelta(seconds=90)  # for the value that would confirm an excursion
RECENT = timedelta(minutes=1)  # of values are kept for medians
STRIDE = 5.0  # seconds: one value of each such stretch is kept
SCHEDULE = timedelta(minutes=2), timedelta(hours=2)  # between two values of a sensor that measures at set times
REGULAR, TIMES = 1.25, 3  # so many intervals in a row are regular when the longest is no more than a quarter longer
LEVELS = tuple((side, severity, f"{severity}_{side}") for severity in (Severity.CRITICAL, Severity.WARNING) for side in Side)
# Values beyond that confirm, besides the delay: a warning among sparse values waits for a fourth one.
ENOUGH_VALUES = {Severity.CRITICAL: 1, Severity.WARNING: 4}
DESATURATION = 80.0  # %: below it nothing waits for a delay (a separate alarm on monitors, docs/clinical.md)


class Sample(NamedTuple):
    """One value of a sensor. `live`: young enough on arrival to call somebody. `declared`: of one declared as continuous."""

    at: datetime
    value: float
    live: bool = True
    declared: bool = False


@dataclass(frozen=True, slots=True)
class Excursion:
    """A sensor beyond one limit, from the first value beyond until the clear time after its return is over."""

    side: Side
    severity: Severity
    since: datetime
    count: int = 0  # values beyond
    confirmed: bool = False  # it outlasted its delay
    live: bool = False
    beyond_since: datetime | None = None  # of the present run of values beyond; None: it is on its way back
    inside_since: datetime | None = None
    dismissed: bool = False  # a person ended its alert: it holds nothing until the next value

    @property
    def is_active(self) -> bool:
        return self.confirmed and self.live and not self.dismissed

    @property
    def waits(self) -> bool:
        """For the delay to be over, with the newest value beyond."""
        return self.live and not self.confirmed and not self.dismissed and self.beyond_since is not None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a sensor stands in one sign: its newest value, its rhythm in seconds, and its excursions.

    `continuous` once it has sent at least once a minute for three minutes, or declared so.
    `seen_at` is our clock, `measured_at` the device's.
    """

    measured_at: datetime
    value: float
    breach: Breach | None = None
    interval: float | None = None
    seen_at: datetime | None = None
    steady_since: datetime | None = None
    continuous: bool = False
    excursions: tuple[Excursion, ...] = ()
    recent: tuple[tuple[datetime, float], ...] = ()
    paces: tuple[float, ...] = ()  # the last intervals in seconds, while they are those of a schedule

    @property
    def scheduled(self) -> bool:
        """It measures at set times, as a cuff does."""
        return not self.continuous and len(self.paces) == TIMES and max(self.paces) <= REGULAR * min(self.paces)

    @property
    def is_spot(self) -> bool:
        """Nobody expects a further value: it grows old, and nothing is lost by that."""
        return not self.continuous and not self.scheduled

    @property
    def old_after(self) -> timedelta:
        """The age at which the value is old: two of its sensor's rhythms, and 30 s at least."""
        return max(FRESH, 2 * timedelta(seconds=self.interval or 0))

    @property
    def old_at(self) -> datetime:
        return self.measured_at + self.old_after

    @property
    def holds(self) -> bool:
        return any(excursion.is_active for excursion in self.excursions)

    def is_fresh(self, at: datetime) -> bool:
        return at <= self.old_at

    def active(self, side: Side) -> Severity | None:
        """The worst confirmed excursion on this side."""
        active = [excursion.severity for excursion in self.excursions if excursion.side is side and excursion.is_active]
        return max(active, key=lambda severity: severity.rank, default=None)


def carry_on(before: Standing | None, sign: Sign, sample: Sample, limits: Limits, *, seen_at: datetime | None) -> Standing:
    """The standing after one more sample, which is newer than all before it."""
    interval, steady_since = _rhythm(before, sample.at)
    continuous = bool(before and before.continuous) or sample.declared or sample.at - steady_since >= ESTABLISHED_AFTER
    return Standing(
        measured_at=sample.at,
        value=sample.value,
        breach=judge(sign, sample.value, limits),
        interval=interval,
        seen_at=seen_at,
        steady_since=steady_since,
        continuous=continuous,
        excursions=tuple(_excursions(before, sign, sample, limits, continuous)),
        recent=_recent(before, sample),
        paces=_paces(before, sample.at),
    )


def path(start: Standing | None, sign: Sign, samples: Iterable[Sample], limits: Limits) -> Iterator[Standing]:
    """The standing after each of these samples, which are in the order of their measurement."""
    standing = start
    for sample in samples:
        standing = carry_on(standing, sign, sample, limits, seen_at=sample.at)
        yield standing


def confirms_at(standing: Standing, limits: Limits) -> datetime | None:
    """When an excursion that waits for its delay is taken as confirmed although no further value came; None: none waits."""
    if standing.seen_at is None or not any(excursion.waits for excursion in standing.excursions):
        return None
    usual = timedelta(seconds=1.5 * (standing.interval or 0))
    return standing.seen_at + min(max(timedelta(seconds=limits.delay), usual), LONGEST_WAIT)


def confirm(standing: Standing) -> Standing:
    """Silence confirms what it cannot refute."""
    return _each(standing, lambda excursion: replace(excursion, confirmed=True) if excursion.waits else excursion)


def dismiss(standing: Standing, side: Side) -> Standing:
    """A person ended the alert: its excursions hold nothing until the next value."""
    return _each(standing, lambda excursion: replace(excursion, dismissed=True) if excursion.side is side else excursion)


def keep(folded: Standing, before: Standing, without: Standing | None) -> Standing:
    """A window folded again, with what its values cannot know: that silence confirmed, that a person ended the alert."""
    was = {(each.side, each.severity): each for each in before.excursions}
    plain = {(each.side, each.severity): each for each in without.excursions} if without else {}

    def kept(excursion: Excursion) -> Excursion:
        key = excursion.side, excursion.severity
        if key not in was or key not in plain:
            return excursion
        by_silence = was[key].confirmed and not plain[key].confirmed
        return replace(excursion, confirmed=excursion.confirmed or by_silence, dismissed=was[key].dismissed)

    return _each(folded, kept)


def _each(standing: Standing, change: Callable[[Excursion], Excursion]) -> Standing:
    return replace(standing, excursions=tuple(map(change, standing.excursions)))


def _rhythm(before: Standing | None, at: datetime) -> tuple[float | None, datetime]:
    """The interval in seconds, which a gap lengthens at most twice, and since when values come at least once a minute."""
    if before is None:
        return None, at
    gap = at - before.measured_at
    steady_since = before.steady_since if before.steady_since and gap <= STEADY_GAP else at
    seconds = gap.total_seconds()
    return (seconds if before.interval is None else min(seconds, 2 * before.interval)), steady_since


def _paces(before: Standing | None, at: datetime) -> tuple[float, ...]:
    if before is None or not SCHEDULE[0] <= at - before.measured_at <= SCHEDULE[1]:
        return ()
    return (*before.paces, (at - before.measured_at).total_seconds())[-TIMES:]


def _excursions(before: Standing | None, sign: Sign, sample: Sample, limits: Limits, continuous: bool) -> Iterator[Excursion]:
    waits = continuous and not _at_once(sign, sample.value)

    def is_inside(excursion: Excursion) -> bool:
        return _is_inside_by_margin(excursion, sign, sample.value, limits)

    there = before.excursions if before else ()
    clear_time = CLEAR_TIME if continuous else timedelta()
    return excursions(there, sample, limits, limits.delay if waits else None, clear_time, is_inside)


def excursions(
    there: Iterable[Excursion],
    sample: Sample,
    limits: Limits,
    delay: float | None,
    clear_time: timedelta,
    is_inside: Callable[[Excursion], bool],
) -> Iterator[Excursion]:
    """The excursions after one more sample. `delay` in seconds; None: the value speaks for itself."""
    known = {(excursion.side, excursion.severity): excursion for excursion in there}
    for side, severity, limit in _levels(limits):
        excursion = known.get((side, severity))
        if _is_beyond(sample.value, side, limit):
            yield _goes_on(excursion or Excursion(side, severity, sample.at), sample, delay)
        elif excursion and (left := _comes_back(excursion, sample.at, clear_time, is_inside(excursion))):
            yield left


def _levels(limits: Limits) -> Iterator[tuple[Side, Severity, float]]:
    for side, severity, name in LEVELS:
        limit = getattr(limits, name)
        if limit is not None:
            yield side, severity, limit


def _is_beyond(value: float, side: Side, limit: float) -> bool:
    return value < limit if side is Side.LOW else value > limit


def _at_once(sign: Sign, value: float) -> bool:
    """Values that wait for no delay."""
    if sign is Sign.SPO2:
        return value < DESATURATION
    return value == 0 and sign in (Sign.HEART_RATE, Sign.RESPIRATORY_RATE)


def _goes_on(excursion: Excursion, sample: Sample, delay: float | None) -> Excursion:
    """One more value beyond; without a delay it speaks for itself."""
    count, enough = excursion.count + 1, ENOUGH_VALUES[excursion.severity] if delay else 1
    lasted = sample.at - excursion.since >= timedelta(seconds=delay or 0) and count >= enough
    return replace(
        excursion,
        count=count,
        confirmed=excursion.confirmed or lasted or delay is None,
        live=excursion.live or sample.live,
        beyond_since=excursion.beyond_since or sample.at,
        inside_since=None,
        dismissed=False,
    )


def _comes_back(excursion: Excursion, at: datetime, clear_time: timedelta, is_inside: bool) -> Excursion | None:
    """What is left of an excursion after a value that is not beyond its limit.

    One that waits for its delay is over; a critical one only inside by the margin, or a value that hovers about its limit for
    an hour would never have lasted.
    """
    if excursion.dismissed or not (excursion.confirmed or (excursion.severity is Severity.CRITICAL and not is_inside)):
        return None
    if not is_inside:
        return replace(excursion, beyond_since=None, inside_since=None)
    since = excursion.inside_since or at
    if at - since >= clear_time:
        return None
    return replace(excursion, beyond_since=None, inside_since=since)


def _is_inside_by_margin(excursion: Excursion, sign: Sign, value: float, limits: Limits) -> bool:
    """Inside by the margin, or by what room there is: half way to the other limit, the end of what can be measured."""
    limit = getattr(limits, f"{excursion.severity}_{excursion.side}")
    low, high = limits.warning_low, limits.warning_high
    room = [] if low is None or high is None else [(low + high) / 2]
    if excursion.side is Side.LOW:
        return bool(value >= min(limit + limits.margin, FACTS[sign].highest, *room))
    return bool(value <= max(limit - limits.margin, FACTS[sign].lowest, *room))


def _recent(before: Standing | None, sample: Sample) -> tuple[tuple[datetime, float], ...]:
    """The values of the last minute, one of each stride."""
    kept = [(at, value) for at, value in (before.recent if before else ()) if sample.at - at < RECENT]
    if kept and _stride(kept[-1][0]) == _stride(sample.at):
        kept.pop()
    return (*kept, (sample.at, sample.value))


def _stride(at: datetime) -> int:
    return int(at.timestamp() // STRIDE)
