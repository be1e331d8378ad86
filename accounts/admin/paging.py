"""Lists over tables that grow for ever: the newest rows, whatever lies below."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

DEEPEST = 1_000


class NewestRows(Paginator):
    """Leafs through the first thousand rows of a list; the database never counts more of them."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return rows.values("pk")[:DEEPEST].count()


class UnjoinedList(ChangeList):
    """From a join MariaDB likes to begin with the few patients or wards, and sorts their millions of rows."""

    def apply_select_related(self, qs: QuerySet[Any]) -> QuerySet[Any]:
        return qs


class Endless(admin.ModelAdmin):
    """Name in `shown_beside` what the list shows of other rows: it is fetched once for the page."""

    paginator = NewestRows
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    shown_beside: tuple[str, ...] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related(*self.shown_beside)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return UnjoinedList
