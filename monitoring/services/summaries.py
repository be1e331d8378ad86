"""The minutes of the trends: summed up by the watcher some time after they passed, and again when something in them changed.

Nobody waits for it. Whoever reads trends takes what is not summed up from the vitals (services/trends.py), so that they are
always what the vitals say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Min, QuerySet, Sum
from django.db.models.functions import Round

from accounts.transactions import retried
from monitoring import sql
from monitoring.clinical import trend
from monitoring.clinical.alarm import LIVE_WINDOW
from monitoring.clinical.signs import Sign
from monitoring.clinical.trend import BEGINNING, PARTS, Row
from monitoring.models import Minute, Patient, UnreadSpan, Vital

# A minute is summed up when no reading comes to it untold: beyond the live window each is told by `touch`, and a transaction
# that began before, with all its tries, is over by then.
SETTLED_AFTER = LIVE_WINDOW + timedelta(minutes=5)
AT_ONCE = timedelta(minutes=5)  # of a patient's minutes: a commit for each would be many
PIECE = timedelta(hours=1)  # at most in one call
LONGEST_REST = timedelta(hours=1)  # of who is silent

COLUMNS = [f"{sign}_{part}" for sign in Sign for part in PARTS]
COME_TO: dict[str, Any] = {
    f"its_{sign}_{name}": part
    for sign in Sign
    for number in (sql.Measured(sign),)
    for name, part in zip(PARTS, (Min(number), Max(number), Sum(Round(number * 100)), Count(number)), strict=True)
}


def begin(patient: Patient, *, at: datetime) -> None:
    """From his first stay on the watcher sums up this patient's minutes."""
    if not UnreadSpan.objects.filter(patient=patient, until=None).exists():
        UnreadSpan.objects.create(patient=patient, since=BEGINNING, until=None, look_at=at + SETTLED_AFTER)


def touch(vitals: Iterable[Vital], *, now: datetime) -> None:
    """These readings came, or are others than they were: part of every transaction that writes vitals.

    It costs a query only where one is older than the live window; younger minutes are not summed up yet.
    """
    minutes: dict[int, list[datetime]] = defaultdict(list)
    for vital in vitals:
        if now - vital.measured_at > LIVE_WINDOW:
            minutes[vital.patient_id].append(trend.minute_of(vital.measured_at))
    sql.insert(
        [
            UnreadSpan(patient_id=patient, since=since, until=until, look_at=until + SETTLED_AFTER)
            for patient, of in sorted(minutes.items())
            for since, until in trend.spans(of)
        ]
    )


def fill(*, now: datetime) -> bool:
    """A step of the watcher: sum up the span that has waited longest, at most an hour of it."""
    span = UnreadSpan.objects.filter(look_at__lte=now).order_by("look_at", "pk").first()
    return span is not None and _sum_up(span, now=now)


def rows_by(vitals: QuerySet[Vital], *, minutes: int) -> Iterable[tuple[int, Row]]:
    """What these readings come to in each stretch of so many minutes."""
    stretches = vitals.order_by().annotate(stretch=sql.Stretch("measured_at", minutes=minutes)).values("stretch")
    for stretch, *row in stretches.annotate(**COME_TO).values_list("stretch", *COME_TO):
        yield stretch, trend.whole(row)


@retried
def _sum_up(span: UnreadSpan, *, now: datetime) -> bool:
    """The claim comes first: what changes after it is told anew, and what was told before it is read."""
    settled = trend.minute_of(now - SETTLED_AFTER)
    since = _first(span, settled) if span.until is None else span.since
    if since is None or since >= settled:
        return _rest(span, now=now)
    until = min(settled, since + PIECE, span.until or settled)
    if not _claim(span, until, settled, now=now):
        return False
    UnreadSpan.objects.filter(patient=span.patient_id, since__gte=span.since, until__lte=until).delete()
    Minute.objects.filter(patient=span.patient_id, begins_at__gte=span.since, begins_at__lt=until).delete()
    # From where the claim begins: before the first reading that was found, another may have come by now.
    vitals = Vital.objects.standing().filter(patient=span.patient_id, measured_at__gte=span.since, measured_at__lt=until)
    minutes = vitals.order_by().annotate(begins=sql.MinuteOf("measured_at")).values("patient", "begins")
    rows = minutes.annotate(all=Count("pk"), **COME_TO).values_list("patient", "begins", "all", *COME_TO)
    sql.insert_selected(Minute, ["patient", "begins_at", "readings", *COLUMNS], rows)
    return True


def _first(span: UnreadSpan, settled: datetime) -> datetime | None:
    """The first minute of the span that has a reading, and is settled."""
    vitals = Vital.objects.filter(patient=span.patient_id, measured_at__gte=span.since, measured_at__lt=settled)
    first = vitals.order_by("measured_at").values_list("measured_at", flat=True).first()
    return first and trend.minute_of(first)


def _rest(span: UnreadSpan, *, now: datetime) -> bool:
    """Of who is silent: the longer he was, the later he is looked at again."""
    rest = min(max(now - span.since, AT_ONCE), LONGEST_REST)
    return bool(UnreadSpan.objects.filter(pk=span.pk, since=span.since, look_at=span.look_at).update(look_at=now + rest))


def _claim(span: UnreadSpan, until: datetime, settled: datetime, *, now: datetime) -> bool:
    mine = UnreadSpan.objects.filter(pk=span.pk, since=span.since)
    if until == span.until:
        return mine.delete()[0] > 0
    look_at = until + SETTLED_AFTER + AT_ONCE if until == settled else now
    return mine.update(since=until, look_at=look_at) > 0
