"""The alarm load page: for staff, of the wards that they may see."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts import access, audit
from accounts.access import Permission
from accounts.admin.keeping import roles
from accounts.models import Deed, User, Ward
from accounts.spreadsheet import Cell, harmless
from monitoring.services import load
from monitoring.services.load import Load, Span

PERIODS = {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}
LONGEST = timedelta(days=92)
OLDEST = timedelta(days=50 * 365)  # before that nothing was measured, and the calendar ends some time
SHOWN_ROWS = 10
BARS_HIGH = 100  # units of the drawing


class Moment(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class Question(forms.Form):
    """Which wards and which time. The wards are those that the person may see."""

    ward = forms.ModelChoiceField(Ward.objects.none(), to_field_name="slug", required=False, empty_label="all my wards")
    period = forms.ChoiceField(
        choices=[("24h", "24 hours"), ("7d", "7 days"), ("30d", "30 days"), ("own", "from … until …")], initial="7d"
    )
    start = forms.DateTimeField(label="From", required=False, widget=Moment)
    end = forms.DateTimeField(label="Until", required=False, widget=Moment)
    change = forms.DateTimeField(label="Compare before and after", required=False, widget=Moment)

    def __init__(self, told: QueryDict, *, person: User, now: datetime) -> None:
        told = told.copy()
        told.setdefault("period", "7d")
        super().__init__(told)
        self.now = now
        self.wards = access.wards_where(person, Permission.SEE_LOAD).order_by("name")
        self.fields["ward"].queryset = self.wards  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        told = self.cleaned_data
        if told.get("period") == "own":
            self._check_own(told.get("start"), told.get("end"))
        if change := told.get("change"):
            self._check_change(change)
        return told

    def _check_change(self, change: datetime) -> None:
        if change >= self.now:
            self.add_error("change", "There is nothing after it yet: name a moment that has passed.")
        elif change < self.now - OLDEST:
            self.add_error("change", f"At most {OLDEST.days // 365} years ago.")

    def _check_own(self, start: datetime | None, end: datetime | None) -> None:
        for name, moment in (("start", start), ("end", end)):
            if moment is None and name not in self.errors:
                self.add_error(name, "Say when.")
        if start is None or end is None:
            return
        if start >= end:
            self.add_error("end", "It must come after the beginning.")
        elif start >= self.now:
            self.add_error("start", "It has not come yet.")
        elif start < self.now - OLDEST:
            self.add_error("start", f"At most {OLDEST.days // 365} years ago.")
        elif end - start > LONGEST:
            self.add_error("end", f"At most {LONGEST.days} days at once.")

    @property
    def span(self) -> Span:
        told = self.cleaned_data
        if told["period"] == "own":
            return Span(told["start"], min(told["end"], self.now))
        return Span(self.now - PERIODS[told["period"]], self.now)

    @property
    def one_ward(self) -> Ward | None:
        ward: Ward | None = self.cleaned_data["ward"]
        return ward

    @property
    def ward_ids(self) -> list[int]:
        return [self.one_ward.pk] if self.one_ward else list(self.wards.values_list("pk", flat=True))


@require_GET
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """The load of the wards and the time asked for, as a page or, with `csv=1`, as a table for a spreadsheet."""
    assert isinstance(request.user, User)  # admin lets nobody else in
    if not access.holds(roles(request), Permission.SEE_LOAD):
        raise PermissionDenied
    question = Question(request.GET, person=request.user, now=timezone.now())
    context = admin.site.each_context(request) | {"title": "Alarm load", "question": question}
    if not question.is_valid():
        if "ward" in question.errors:
            raise Http404
        return render(request, "admin/load.html", context)
    wards, span = question.ward_ids, question.span
    measured = load.measure(wards, span)
    if "csv" in request.GET:
        audit.record(Deed.EXPORTED, by=request.user, at=question.now, ward=question.one_ward, about="load", detail=_asked(span))
        return _spreadsheet(measured, question)
    audit.saw(by=request.user, at=question.now, ward=question.one_ward, page="load")
    context |= _shown(measured) | _bars(load.bars(wards, span))
    context["noise"] = load.noise(wards, span)[:SHOWN_ROWS]
    context["changes"] = load.changes_of_limits(wards, Span(span.start, question.now))
    if change := question.cleaned_data["change"]:
        context["comparison"] = _compared(*load.compare(wards, change=change, longest=span.length, now=question.now))
    query = request.GET.copy()
    query.pop("change", None)
    context |= {"query": request.GET.urlencode(), "query_without_change": query.urlencode()}
    return render(request, "admin/load.html", context)


def _asked(span: Span) -> dict[str, Any]:
    return {"from": span.start, "until": span.end}


def _shown(measured: Load) -> dict[str, Any]:
    """Every figure in words, with its share of all calls for a bar."""
    calls = measured.calls
    return {
        "load": measured,
        "rate": _one(measured.rate),
        "cleared_share": percent(measured.cleared, calls),
        "top_share": percent(sum(row.calls for row in measured.top), calls),
        "conditions": [
            (row.condition.replace("_", " "), row.calls, _share(row.calls, calls), percent(row.cleared, row.calls))
            for row in measured.conditions[:SHOWN_ROWS]
        ],
        "beds": [(row, _share(row.calls, calls), _one(row.rate)) for row in measured.beds[:SHOWN_ROWS]],
        "waits": [(row.severity, row.taken, spoken(row.p50), spoken(row.p90)) for row in measured.waits],
    }


def _bars(bars: Sequence[load.Bar]) -> dict[str, Any]:
    """Where each bar of the drawing begins and how high it is: one unit wide each, the tallest BARS_HIGH."""
    most = max((bar.critical + bar.other for bar in bars), default=0)
    each = [
        {
            "bar": bar,
            "x": place + 0.1,
            "critical": BARS_HIGH * bar.critical / most if most else 0,
            "other": BARS_HIGH * bar.other / most if most else 0,
        }
        for place, bar in enumerate(bars)
    ]
    for one in each:
        one["critical_y"] = BARS_HIGH - one["critical"]  # type: ignore[operator]
        one["other_y"] = one["critical_y"] - one["other"]  # type: ignore[operator]
    return {"bars": each, "most": most, "hourly": len(bars) > 1 and bars[1].at - bars[0].at < timedelta(hours=12)}


def _compared(before: Load, after: Load) -> dict[str, Any]:
    """Rows of name, before, after and what became of it."""
    rows = [("Alerts per bed and day", _one(before.rate), _one(after.rate), _became(before.rate, after.rate))]
    rows.append(("Alerts", str(before.calls), str(after.calls), _became(before.calls, after.calls)))
    for severity in ("critical", "warning"):
        then, now = (sum(row.calls for row in each.kinds if row.severity == severity) for each in (before, after))
        rows.append((f"… {severity}", str(then), str(now), _became(then, now)))
    rows.append(("Cleared by themselves", percent(before.cleared, before.calls), percent(after.cleared, after.calls), ""))
    for severity in ("critical", "warning"):
        rows.append((f"Half of the {severity} ones were taken within", _half(before, severity), _half(after, severity), ""))
    return {"rows": rows, "before": before, "after": after}


def _half(measured: Load, severity: str) -> str:
    return next((spoken(row.p50) for row in measured.waits if row.severity == severity), "–")


def _became(before: float | None, after: float | None) -> str:
    if not before or after is None:
        return "–"
    return f"{100 * (after - before) / before:+.0f} %"


def _share(part: int, of: int) -> float:
    return 100 * part / of if of else 0.0


def percent(part: int, of: int) -> str:
    return f"{_share(part, of):.0f} %" if of else "–"


def _one(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def spoken(seconds: float) -> str:
    """`45 s`, `4 min 10 s`, `2 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _spreadsheet(measured: Load, question: Question) -> HttpResponse:
    ward = question.cleaned_data["ward"]
    name = f"alarm-load-{ward.slug if ward else 'all'}-{timezone.localtime(measured.span.end):%Y-%m-%d}.csv"
    answer = HttpResponse(
        content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
    table = csv.writer(answer)
    table.writerows([harmless(cell) for cell in row] for row in _rows(measured, question.ward_ids))
    return answer


def _rows(measured: Load, wards: Sequence[int]) -> Iterator[tuple[Cell, ...]]:
    """One figure a line: of what, which, the figure's name and its value."""
    yield ("of", "which", "figure", "value")
    span = measured.span
    yield from (("period", "", "from", span.start.isoformat()), ("period", "", "until", span.end.isoformat()))
    yield from (("all", "", "calls", measured.calls), ("all", "", "bed_days", round(measured.bed_days, 3)))
    yield ("all", "", "calls_per_bed_day", None if measured.rate is None else round(measured.rate, 3))
    yield from (("all", "", "cleared_within_20_s", measured.cleared), ("all", "", "without_bed", measured.without_bed))
    for kind in measured.kinds:
        for figure in ("raised", "reraised", "reopened", "risen", "recorded"):
            yield ("kind", f"{kind.kind} {kind.severity}", figure, getattr(kind, figure))
    for condition in measured.conditions:
        yield ("condition", condition.condition, "calls", condition.calls)
        yield ("condition", condition.condition, "cleared_within_20_s", condition.cleared)
    for bed in measured.beds:
        yield ("bed", f"{bed.ward} {bed.bed}", "calls", bed.calls)
        yield ("bed", f"{bed.ward} {bed.bed}", "bed_days", round(bed.days, 3))
    for wait in measured.waits:
        yield ("taken", wait.severity, "number", wait.taken)
        yield ("taken", wait.severity, "p50_seconds", round(wait.p50, 1))
        yield ("taken", wait.severity, "p90_seconds", round(wait.p90, 1))
    for mark in load.noise(wards, span):
        yield ("noise", mark.condition, mark.why or "no reason", mark.marks)
