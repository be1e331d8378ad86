"""Who could not sign in, and who is shut out for it."""

from __future__ import annotations

from datetime import datetime

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts import lockout
from accounts.access import Permission
from accounts.admin.keeping import ReadOnly
from accounts.agents import browser_of
from accounts.models import FailedSignIn, User


@admin.register(FailedSignIn)
class FailedSignInAdmin(ReadOnly, admin.ModelAdmin):
    """What is older than a quarter of an hour counts no more, and goes with the next attempt of anybody."""

    to_see = Permission.RUN_HOSPITAL
    list_display = ("username", "ip_address", "browser", "failures_since_start", "attempt_time", "shut_out_until")
    search_fields = ("username",)
    search_help_text = "Search by login. What was typed instead of one is kept as a hash only."
    ordering = ("-attempt_time",)
    fields = list_display
    actions = ("lift",)

    @admin.display(description="browser")
    def browser(self, row: FailedSignIn) -> str:
        return browser_of(row.user_agent) or "–"

    @admin.display(description="shut out until", empty_value="–")
    def shut_out_until(self, row: FailedSignIn) -> datetime | None:
        return lockout.until(row.username or "", row.ip_address, now=timezone.now())

    @admin.action(description="Let them try again at once", permissions=["lift"])
    def lift(self, request: HttpRequest, rows: QuerySet[FailedSignIn]) -> None:
        """For every browser of the login at that address: they are shut out together."""
        assert isinstance(request.user, User)
        pairs = set(rows.values_list("username", "ip_address"))
        for login, address in pairs:
            lockout.lift(login or "", address, by=request.user, at=timezone.now())
        self.message_user(request, f"{len(pairs)} may try again.", "success")

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return self.allows(request, Permission.RUN_HOSPITAL, None)
