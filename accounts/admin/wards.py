"""Wards and their beds."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from accounts.access import Permission
from accounts.admin.keeping import ByRole, Kept, OfVisibleWards
from accounts.models import Bed, Ward


class BedInline(ByRole, admin.TabularInline):
    """The beds in the order of the board; one that was ever used cannot be taken out."""

    model = Bed
    extra = 0
    ordering = ("position",)


@admin.register(Ward)
class WardAdmin(Kept, OfVisibleWards, admin.ModelAdmin):
    named_by = "slug"
    to_see = Permission.SEE_STAFF
    ward_path = "pk"
    list_display = ("name", "slug", "beds_count")
    search_fields = ("name", "slug")
    ordering = ("name",)
    prepopulated_fields = {"slug": ("name",)}
    inlines = (BedInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Ward]:
        return super().get_queryset(request).annotate(beds_count=Count("beds"))

    @admin.display(description="beds", ordering="beds_count")
    def beds_count(self, ward: Ward) -> int:
        return getattr(ward, "beds_count", 0)
