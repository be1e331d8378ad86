"""The ward once more, with the limits that hold in it: accounts knows places, monitoring what is watched there."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts.admin.wards import WardAdmin
from accounts.models import Ward
from monitoring import realtime
from monitoring.admin import limits
from monitoring.admin.overrides import SetsLimits

admin.site.unregister(Ward)


@admin.register(Ward)
class WatchedWardAdmin(WardAdmin, SetsLimits):
    readonly_fields = ("limits_in_force",)

    def get_fields(self, request: HttpRequest, obj: Ward | None = None) -> tuple[str, ...]:
        return ("name", "slug", "limits_in_force") if obj else ("name", "slug")

    @admin.display(description="limits in force")
    def limits_in_force(self, ward: Ward) -> SafeString:
        return limits.table(ward=ward)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The boards of the ward draw its beds anew."""
        super().save_related(request, form, formsets, change)
        realtime.beds_changed({form.instance.pk: list(form.instance.beds.values_list("pk", flat=True))})
