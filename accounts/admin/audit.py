"""The audit: read by administrators, written by nobody here, and exported."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.timezone import localtime

from accounts import audit
from accounts.access import Permission
from accounts.admin.keeping import ReadOnly, VisibleChoices
from accounts.admin.paging import Endless
from accounts.models import AuditEntry, Deed, User, Ward
from accounts.spreadsheet import Cell, streamed

PIECE = 2_000  # rows of the export in memory
COLUMNS = ("number", "at", "written_at", "what", "by_kind", "who", "ward", "patient", "about", "detail", "address", "door")
SEALED = ("seal", "key", "mark", "id")
Row = dict[str, Any]


class Typed(admin.SimpleListFilter):
    """A filter with a field to write in."""

    template = "admin/typed_filter.html"
    kind = "text"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("", "")]  # without any the filter would not be shown

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:  # type: ignore[override]  # what our template needs
        others = {name: values[-1] for name, values in changelist.filter_params.items() if name != self.parameter_name}
        yield {"others": others, "query": changelist.query, "value": self.value() or ""}


class Who(Typed):
    """A person by his login, a device or a service by its name: as it was then."""

    title, parameter_name = "who (login or name)", "who"

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        name = (self.value() or "").strip()
        if User.objects.filter(login=name.lower()).exists():
            name = name.lower()
        return queryset.filter(who=name) if name else queryset


class Moment(Typed):
    kind = "datetime-local"

    def moment(self) -> datetime | None:
        """As it was typed, by the clock on the wall."""
        if not (text := self.value()):
            return None
        try:
            found = parse_datetime(text)
        except ValueError:
            found = None
        if found is None:
            raise IncorrectLookupParameters
        return timezone.make_aware(found) if timezone.is_naive(found) else found


class Since(Moment):
    title, parameter_name = "from", "since"

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return queryset.filter(at__gte=at) if (at := self.moment()) else queryset


class Until(Moment):
    title, parameter_name = "until", "until"

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return queryset.filter(at__lt=at) if (at := self.moment()) else queryset


@admin.register(AuditEntry)
class AuditAdmin(ReadOnly, Endless):
    """The list shows the newest thousand of what is asked for; the export has all of it."""

    to_see = Permission.READ_AUDIT
    list_display = ("at", "who_shown", "what", "patient", "ward", "about", "detail_shown", "address", "door", "number")
    list_filter = (Since, Until, Who, "what", "by_kind", ("ward", VisibleChoices), "door")
    shown_beside = ("ward",)
    search_fields = ("patient__exact",)
    search_help_text = "Search by a whole patient id."
    ordering = ("-at", "-pk")
    fieldsets = (
        (None, {"fields": ("at", "written_at", "who_shown", "by_kind", "what")}),
        ("Of what", {"fields": ("patient", "ward", "about", "detail_shown")}),
        ("From where", {"fields": ("address", "door")}),
        ("Seal", {"fields": ("number", "seal", "key", "mark")}),
    )
    actions = None
    change_list_template = "admin/accounts/auditentry/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        export = path("export/", self.admin_site.admin_view(self.export_view), name="accounts_auditentry_export")
        return [export, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"asked": request.GET.urlencode()} | (extra_context or {}))

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """What the list is asked for, whole, and down to the seals; that it was taken is written down before it leaves."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return redirect("admin:accounts_auditentry_changelist")
        assert isinstance(request.user, User)
        now, asked = timezone.now(), {"asked": request.GET.urlencode()}
        audit.record(Deed.EXPORTED, by=request.user, at=now, patient=request.GET.get("q", ""), about="audit", detail=asked)
        return streamed(_pieces(rows), name=f"audit-{localtime(now):%Y-%m-%d}.csv", request=request)

    @admin.display(description="who", ordering="who")
    def who_shown(self, entry: AuditEntry) -> str:
        return entry.who or entry.get_by_kind_display()

    @admin.display(description="detail")
    def detail_shown(self, entry: AuditEntry) -> str:
        said = {
            name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for name, value in entry.detail.items()
        }
        return ", ".join(f"{name}: {value}" for name, value in said.items())


def _pieces(rows: QuerySet[AuditEntry]) -> Iterator[list[list[Cell]]]:
    """The newest first. Each piece goes on below the last row of the one before: what is written meanwhile moves nothing."""
    slugs = dict(Ward.objects.values_list("pk", "slug"))
    yield [[*COLUMNS, *SEALED]]
    found = rows.select_related(None).prefetch_related(None).order_by("-at", "-pk").values(*COLUMNS, *SEALED)
    below = Q()
    while piece := list(found.filter(below)[:PIECE]):
        yield [[_cell(name, row[name], slugs) for name in (*COLUMNS, *SEALED)] for row in piece]
        at, pk = piece[-1]["at"], piece[-1]["id"]
        below = Q(at__lte=at) & (Q(at__lt=at) | Q(pk__lt=pk))


def _cell(name: str, value: Any, slugs: dict[int, str]) -> Cell:
    if isinstance(value, datetime):
        return value.isoformat()
    if name == "ward":
        return slugs.get(value, value)
    if name == "detail":
        return json.dumps(value, ensure_ascii=False) if value else ""
    return value
