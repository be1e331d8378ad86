"""Who broke the glass, and why: to be read."""

from __future__ import annotations

from django.contrib import admin

from accounts.access import Permission
from accounts.admin.keeping import OfVisibleWards, ReadOnly, VisibleChoices
from accounts.models import EmergencyAccess


@admin.register(EmergencyAccess)
class EmergencyAccessAdmin(ReadOnly, OfVisibleWards, admin.ModelAdmin):
    to_see = Permission.SEE_STAFF
    list_display = ("started_at", "user", "role", "ward", "ends_at", "reason")
    list_filter = ("started_at", ("ward", VisibleChoices))
    list_select_related = ("user", "ward")
    search_fields = ("user__login",)
    ordering = ("-started_at",)
