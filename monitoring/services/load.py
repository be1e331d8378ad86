"""The alarm load of wards over a time: how often they were called, by what, for how long, and how much of it was for nothing.

A *call* is an alert that was raised, raised again or re-opened, of any severity but info: what somebody had to look at. Alerts
that got worse while they were there, and those recorded from late readings without a sound, are counted apart. Reads only; the
database counts, whatever the number of alerts.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from monitoring.clinical.limits import Severity
from monitoring.models import AlertEvent, Placement, ThresholdChange

What = AlertEvent.What

CALLS = (What.RAISED, What.RERAISED, What.REOPENED)
FIGURES = (*CALLS, What.RISEN, What.RECORDED)  # in the order of KindRow's fields
# What makes an alert wait for a hand: its answer is counted from the last of these.
CALLED_FOR_A_HAND = (*CALLS, What.RISEN, What.UNTAKEN)
ENDS = (What.RETURNED, What.RESOLVED)
BY_ITSELF_WITHIN = timedelta(seconds=20)
TOP_SHARE = 0.1  # of the occupied beds
HOURLY_UP_TO = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` up to, and without, `end`."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class KindRow:
    kind: str
    severity: str
    raised: int
    reraised: int
    reopened: int
    risen: int  # to this severity; counted apart, since the alert was there
    recorded: int

    @property
    def calls(self) -> int:
        return 0 if self.severity == Severity.INFO else self.raised + self.reraised + self.reopened


@dataclass(frozen=True, slots=True)
class ConditionRow:
    condition: str
    calls: int
    cleared: int  # by themselves


@dataclass(frozen=True, slots=True)
class BedRow:
    ward: str
    bed: str
    calls: int
    days: float  # that somebody lay in it

    @property
    def rate(self) -> float | None:
        return self.calls / self.days if self.days else None


@dataclass(frozen=True, slots=True)
class WaitRow:
    """Seconds from the call to the hand that took it."""

    severity: str
    taken: int
    p50: float
    p90: float


@dataclass(frozen=True, slots=True)
class Load:
    span: Span
    kinds: Sequence[KindRow]
    conditions: Sequence[ConditionRow]  # the most frequent first
    beds: Sequence[BedRow]  # those that were occupied, the busiest first
    waits: Sequence[WaitRow]  # the worst severity first

    @property
    def calls(self) -> int:
        return sum(row.calls for row in self.kinds)

    @property
    def recorded(self) -> int:
        return sum(row.recorded for row in self.kinds)

    @property
    def cleared(self) -> int:
        return sum(row.cleared for row in self.conditions)

    @property
    def bed_days(self) -> float:
        return sum(row.days for row in self.beds)

    @property
    def rate(self) -> float | None:
        """Calls per occupied bed and day; none where no bed was occupied."""
        return self.calls / self.bed_days if self.bed_days else None

    @property
    def without_bed(self) -> int:
        """Calls of a device or a ward, and those of patients who lay in no bed just then."""
        return self.calls - sum(row.calls for row in self.beds)

    @property
    def top(self) -> Sequence[BedRow]:
        """The busiest tenth of the occupied beds, one at least."""
        return self.beds[: math.ceil(TOP_SHARE * len(self.beds))]


@dataclass(frozen=True, slots=True)
class Bar:
    """Calls of one hour or day."""

    at: datetime
    critical: int
    other: int


@dataclass(frozen=True, slots=True)
class NoiseRow:
    condition: str
    why: str
    marks: int


def measure(wards: Collection[int], span: Span) -> Load:
    """The load of these wards (ids); `span` must lie in the past. Five queries, whatever happened."""
    return Load(span, _kinds(wards, span), _conditions(wards, span), _beds(wards, span), _waits(wards, span))


def compare(wards: Collection[int], *, change: datetime, longest: timedelta, now: datetime) -> tuple[Load, Load]:
    """The load before and after a change, for two spans of the same length: `longest`, or what has passed since."""
    length = min(longest, now - change)
    return measure(wards, Span(change - length, change)), measure(wards, Span(change, change + length))


def bars(wards: Collection[int], span: Span) -> list[Bar]:
    """Calls by hour up to two days, by day beyond; hours and days without any are there too. One query."""
    step = timedelta(hours=1) if span.length <= HOURLY_UP_TO else timedelta(days=1)
    counted = Counter(
        (_begin(at, step), severity == Severity.CRITICAL)
        for at, severity in _calls(wards, span).values_list("at", "severity").iterator()
    )
    found, at = [], _begin(span.start, step)
    while at < span.end:
        found.append(Bar(at, counted[at, True], counted[at, False]))
        at = _begin(at + step * 1.5, step)  # lands in the next one, though a day have 23 or 25 hours
    return found


def noise(wards: Collection[int], span: Span) -> list[NoiseRow]:
    """What people marked as not actionable, with their reasons, the most frequent first. One query."""
    marks = _events(wards, span).filter(what=What.NOISE).values_list("alert__condition", "alert__noise_why")
    return [NoiseRow(*row) for row in marks.annotate(marks=Count("pk")).order_by("-marks", "alert__condition")]


def changes_of_limits(wards: Collection[int], span: Span) -> list[ThresholdChange]:
    """The newest 50 changes of the hospital's and these wards' limits, the newest first."""
    changes = ThresholdChange.objects.filter(Q(ward=None) | Q(ward__in=wards), patient=None)
    return list(changes.filter(at__gte=span.start, at__lt=span.end).select_related("ward", "by").order_by("-at", "-pk")[:50])


def percentile(sorted_values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile: the smallest value that `share` of all do not exceed."""
    return sorted_values[max(0, math.ceil(share * len(sorted_values)) - 1)]


def _events(wards: Collection[int], span: Span) -> QuerySet[AlertEvent]:
    return AlertEvent.objects.filter(ward__in=wards, at__gte=span.start, at__lt=span.end)


def _calls(wards: Collection[int], span: Span) -> QuerySet[AlertEvent]:
    return _events(wards, span).filter(what__in=CALLS).exclude(severity=Severity.INFO)


def _kinds(wards: Collection[int], span: Span) -> list[KindRow]:
    events = _events(wards, span).filter(what__in=FIGURES).values_list("alert__kind", "severity", "what")
    counted: dict[tuple[str, str], dict[str, int]] = {}
    for kind, severity, what, number in events.annotate(number=Count("pk")).order_by():
        counted.setdefault((kind, severity), {})[what] = number
    rows = [KindRow(kind, severity, *(number.get(what, 0) for what in FIGURES)) for (kind, severity), number in counted.items()]
    return sorted(rows, key=lambda row: (-Severity(row.severity).rank, -row.calls, row.kind))


def _conditions(wards: Collection[int], span: Span) -> list[ConditionRow]:
    """An alert ends when its value has been back inside for the clear time; what counts here is until when it was beyond."""
    hand = AlertEvent.objects.filter(
        alert=OuterRef("alert"), by__isnull=False, pk__gt=OuterRef(OuterRef("pk")), pk__lt=OuterRef("pk")
    )
    end = AlertEvent.objects.annotate(over_at=Coalesce("beyond_until", "at")).filter(
        ~Exists(hand),
        alert=OuterRef("alert"),
        what__in=ENDS,
        by=None,
        pk__gt=OuterRef("pk"),
        over_at__lte=OuterRef("at") + BY_ITSELF_WITHIN,
    )
    calls = _calls(wards, span).annotate(cleared=Exists(end)).values_list("alert__condition")
    counted = calls.annotate(number=Count("pk"), of_itself=Count("pk", filter=Q(cleared=True)))
    return [ConditionRow(*row) for row in counted.order_by("-number", "alert__condition")]


def _beds(wards: Collection[int], span: Span) -> list[BedRow]:
    """Where the patient lay when the call came, and for how long the bed was occupied."""
    there = Q(alert__admission__placements__started_at__lte=F("at")) & (
        Q(alert__admission__placements__ended_at=None) | Q(alert__admission__placements__ended_at__gt=F("at"))
    )
    calls = dict(
        _calls(wards, span)
        .filter(there, alert__admission__placements__bed__ward__in=wards)
        .values_list("alert__admission__placements__bed")
        .annotate(number=Count("pk"))
        .order_by()
    )
    stays = Placement.objects.filter(Q(ended_at=None) | Q(ended_at__gt=span.start), bed__ward__in=wards)
    days: dict[tuple[int, str, str], float] = {}
    for bed, name, ward, begin, end in stays.filter(started_at__lt=span.end).values_list(
        "bed", "bed__name", "bed__ward__name", "started_at", "ended_at"
    ):
        stay = min(end or span.end, span.end) - max(begin, span.start)
        days[bed, ward, name] = days.get((bed, ward, name), 0.0) + stay / timedelta(days=1)
    rows = [BedRow(ward, name, calls.get(bed, 0), length) for (bed, ward, name), length in days.items()]
    return sorted(rows, key=lambda row: (-row.calls, row.ward, row.bed))


def _waits(wards: Collection[int], span: Span) -> list[WaitRow]:
    called = AlertEvent.objects.filter(alert=OuterRef("alert"), what__in=CALLED_FOR_A_HAND, at__lte=OuterRef("at"))
    taken = _events(wards, span).filter(what=What.ACKNOWLEDGED)
    waits: dict[str, list[float]] = {}
    answers: Iterable[Any] = taken.annotate(called_at=Subquery(called.order_by("-at", "-pk").values("at")[:1])).values_list(
        "severity", "at", "called_at"
    )
    for severity, at, called_at in answers:
        if called_at is not None:
            waits.setdefault(severity, []).append((at - called_at).total_seconds())
    return [
        WaitRow(severity, len(found), percentile(found, 0.5), percentile(found, 0.9))
        for severity in Severity
        if (found := sorted(waits.get(severity, [])))
    ]


def _begin(at: datetime, step: timedelta) -> datetime:
    """The hour or the day, as the hospital's clock says it, in which a moment lies."""
    local = timezone.localtime(at)
    return local.replace(hour=local.hour if step < timedelta(days=1) else 0, minute=0, second=0, microsecond=0)
