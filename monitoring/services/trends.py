"""A patient's values thinned: what they come to by the minute or the hour, always what the vitals themselves would give.

Minutes that are summed up are read as they are. Those that wait for it, and the ends of a window that begins or ends within a
minute, are read from the vitals.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import Count, F, Max, Min, Q, QuerySet, Sum
from django.db.models.lookups import IsNull

from monitoring import sql
from monitoring.clinical import trend
from monitoring.clinical.signs import Sign
from monitoring.clinical.trend import BEGINNING, MINUTE, Row, Span
from monitoring.models import Minute, Patient, UnreadSpan, Vital
from monitoring.services import summaries

MOST_SPANS = 50  # in one query; of more, all between them is read
OF_ALL_TIME = (BEGINNING, None)
TICK = timedelta(microseconds=1)


class Resolution(StrEnum):
    MINUTE = "1m"
    HOUR = "1h"


EVER = 10**9  # minutes: one stretch of all time
MINUTES = {Resolution.MINUTE: 1, Resolution.HOUR: 60}


@dataclass(frozen=True)
class Window:
    """From a time until another, both inclusive; None is without an end."""

    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def before(cls, end: datetime, *, since: datetime) -> Window:
        """Without the end itself."""
        return cls(since, end - TICK)

    def vitals(self) -> Q:
        since = Q(measured_at__gte=self.since) if self.since else Q()
        return since & (Q(measured_at__lte=self.until) if self.until else Q())

    def minutes(self) -> Q:
        """Those that lie in it wholly."""
        since = Q(begins_at__gte=self.since) if self.since else Q()
        return since & (Q(begins_at__lte=self.until - MINUTE) if self.until else Q())

    def ends(self) -> list[Span]:
        """What it has of minutes that it cuts."""
        cut = {trend.minute_of(self.until)} if self.until else set()
        if self.since and (first := trend.minute_of(self.since)) != self.since:
            cut.add(first)
        return [(begin, begin + MINUTE) for begin in sorted(cut)]


def thinned(
    patient: Patient, window: Window, *, by: Resolution, newest_first: bool, limit: int
) -> tuple[list[tuple[datetime, Row]], bool]:
    """The first stretches that have a reading, at most `limit`, each with its beginning; and whether there are more."""
    minutes, unread = MINUTES[by], _unread(patient, window)
    summed = _summed(patient, window, unread)
    window = _reach(summed, window, minutes=minutes, newest_first=newest_first, limit=limit)
    found = _come_to(patient, window, unread, minutes=minutes)
    order = sorted(found, reverse=newest_first)
    return [(BEGINNING + stretch * minutes * MINUTE, found[stretch]) for stretch in order[:limit]], len(order) > limit


def total(patient: Patient, window: Window) -> Row | None:
    """What all readings of the window come to; None where there are none."""
    return _come_to(patient, window, _unread(patient, window), minutes=EVER).get(0)


def count(patient: Patient) -> int:
    """How many readings there are of him."""
    window = Window()
    unread = _unread(patient, window)
    summed = _summed(patient, window, unread).order_by().values("patient").annotate(all=Sum("readings")).values_list("all")
    measured = _measured(patient, window, unread).order_by().values("patient").annotate(all=Count("pk")).values_list("all")
    return sum(int(readings) for (readings,) in summed.union(measured, all=True))


def newest_minutes(patient: Patient, window: Window, signs: Sequence[Sign], *, minutes: int) -> dict[Sign, list[datetime]]:
    """Of each stretch of so many minutes the last minute in which a sign was measured, by sign and in order."""
    unread, found = _unread(patient, window), {sign: set[datetime]() for sign in signs}
    summed = _summed(patient, window, unread).annotate(stretch=sql.Stretch("begins_at", minutes=minutes))
    measured = _measured(patient, window, unread).annotate(stretch=sql.Stretch("measured_at", minutes=minutes))
    of_minutes = {f"last_{sign}": Max("begins_at", filter=Q(**{f"{sign}_count__gt": 0})) for sign in signs}
    of_vitals = {f"last_{sign}": Max("measured_at", filter=IsNull(sql.Measured(sign), False)) for sign in signs}
    for rows, last in ((summed, of_minutes), (measured, of_vitals)):
        for row in rows.order_by().values("stretch").annotate(**last).values_list(*last):
            for sign, at in zip(signs, row, strict=True):
                found[sign] |= {trend.minute_of(at)} if at else set()
    return {sign: sorted(minutes_of) for sign, minutes_of in found.items()}


def _come_to(patient: Patient, window: Window, unread: Sequence[Span], *, minutes: int) -> dict[int, Row]:
    found = dict(_read(_summed(patient, window, unread), minutes=minutes))
    for stretch, row in summaries.rows_by(_measured(patient, window, unread), minutes=minutes):
        found[stretch] = trend.together(found.get(stretch), row)
    return found


def _summed(patient: Patient, window: Window, unread: Sequence[Span]) -> QuerySet[Minute]:
    """The minutes that lie in the window wholly and are summed up."""
    return Minute.objects.filter(~_within(unread, "begins_at"), window.minutes(), patient=patient)


def _measured(patient: Patient, window: Window, unread: Sequence[Span]) -> QuerySet[Vital]:
    """The readings in all the rest of it."""
    rest = _within([*unread, *window.ends()], "measured_at")
    return Vital.objects.standing().filter(rest, window.vitals(), patient=patient)


def _unread(patient: Patient, window: Window) -> list[Span]:
    """What is not summed up of the window: of who has no such span, all."""
    spans = UnreadSpan.objects.filter(patient=patient).values_list("since", "until")
    waits = list(spans) if spans else [OF_ALL_TIME]
    joined = trend.joined(waits if any(until is None for _, until in waits) else [OF_ALL_TIME])
    since, until = window.since or BEGINNING, window.until
    inside = [span for span in joined if (span[1] is None or span[1] > since) and (until is None or span[0] <= until)]
    return inside if len(inside) <= MOST_SPANS else [(inside[0][0], inside[-1][1])]


def _within(spans: Iterable[Span], time: str) -> Q:
    inside = Q(patient__in=[])
    for since, until in spans:
        inside |= Q(**{f"{time}__gte": since}) & (Q(**{f"{time}__lt": until}) if until else Q())
    return inside


def _reach(summed: QuerySet[Minute], window: Window, *, minutes: int, newest_first: bool, limit: int) -> Window:
    """The window as far as these stretches can reach: so many minutes make more than so many stretches."""
    if window.since and window.until and window.until - window.since <= limit * minutes * MINUTE:
        return window
    enough = (limit + 1) * minutes
    order = summed.order_by("-begins_at" if newest_first else "begins_at").values_list("begins_at", flat=True)
    beyond = next(iter(order[enough : enough + 1]), None)
    if beyond is None:
        return window
    at = trend.stretch_of(beyond, minutes)
    if newest_first:
        return replace(window, since=max(window.since or at, at))
    end = at + minutes * MINUTE - TICK
    return replace(window, until=min(window.until or end, end))


def _read(summed: QuerySet[Minute], *, minutes: int) -> Iterable[tuple[int, Row]]:
    """The minutes, by the stretches in which they lie."""
    stretches = summed.order_by().annotate(stretch=sql.Stretch("begins_at", minutes=minutes))
    if minutes == 1:
        for row in stretches.values_list("stretch", *summaries.COLUMNS):
            yield row[0], row[1:]
        return
    parts: dict[str, Any] = {}
    for sign in Sign:
        parts |= {f"{sign}_low": Min(f"{sign}_min"), f"{sign}_high": Max(f"{sign}_max")}
        parts |= {f"{sign}_sum": Sum(F(f"{sign}_total")), f"{sign}_of": Sum(F(f"{sign}_count"))}
    for stretch, *row in stretches.values("stretch").annotate(**parts).values_list("stretch", *parts):
        yield stretch, trend.whole(row)
