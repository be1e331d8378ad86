"""What devices sent and MedQL refused; once the cause is gone it can go through the door again."""

from __future__ import annotations

from collections import defaultdict

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin.keeping import OfVisibleWards, ReadOnly, VisibleChoices
from accounts.models import User
from monitoring.admin.paging import NewestRows
from monitoring.models import RejectedVital
from monitoring.services import ingestion
from monitoring.services.items import ITEM_CODES

CODES = sorted(ITEM_CODES | {"conflict", "invalid", "out_of_range", "pressure_order", "unknown_field"})
NAMED = 10  # of the rows that met the same fate, how many the message names


class CodeFilter(admin.SimpleListFilter):
    """By the codes of the contract: asking the table for its own would read all of it."""

    title = "code"
    parameter_name = "code"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [(code, code) for code in CODES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[RejectedVital]) -> QuerySet[RejectedVital]:
        return queryset.filter(code=self.value()) if self.value() else queryset


@admin.register(RejectedVital)
class RejectedVitalAdmin(ReadOnly, OfVisibleWards, admin.ModelAdmin):
    ward_path = "device__wards"
    list_display = ("received_at", "device", "code", "field", "detail", "stored", "item_start", "replayed_at", "replayed_by")
    list_filter = (
        CodeFilter,
        ("device", VisibleChoices),
        "stored",
        ("replayed_at", admin.EmptyFieldListFilter),
        "received_at",
    )
    list_select_related = ("device", "replayed_by")
    ordering = ("-pk",)
    paginator = NewestRows
    show_full_result_count = False
    actions = ("replay",)
    fieldsets = (
        (None, {"fields": ("device", "received_at", "position", "code", "field", "detail", "stored")}),
        ("As sent", {"fields": ("item_as_sent",)}),
        ("Replay", {"fields": ("replayed_at", "replayed_by")}),
    )

    @admin.display(description="as sent")
    def item_start(self, row: RejectedVital) -> str:
        return row.item if len(row.item) <= 80 else f"{row.item[:80]}…"

    @admin.display(description="as sent")
    def item_as_sent(self, row: RejectedVital) -> SafeString:
        return format_html('<pre class="medql-as-sent">{}</pre>', row.item)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("monitoring.change_rejectedvital")

    @admin.action(description="Replay: send it through the door again", permissions=["replay"])
    def replay(self, request: HttpRequest, rejected: QuerySet[RejectedVital]) -> None:
        assert isinstance(request.user, User)
        fates: dict[tuple[str, str], list[str]] = defaultdict(list)
        for row in rejected.order_by("pk"):
            fates[_replay(row, by=request.user)].append(str(row))
        for (level, fate), rows in fates.items():
            more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
            self.message_user(request, f"{fate}: {', '.join(rows[:NAMED])}{more}.", level)


def _replay(row: RejectedVital, *, by: User) -> tuple[str, str]:
    """What became of it, and how glad one may be."""
    if row.stored:
        return "warning", "The rest was stored when it came, only this value was refused: nothing to replay"
    if row.position is None:
        return "warning", "Nobody can decode it: nothing to replay"
    outcome = ingestion.replay(row, by=by, now=timezone.now())
    if outcome.rejected:
        return "error", f"{'Stored in part, r' if outcome.stored else 'R'}efused again {_reasons(outcome)}"
    if outcome.duplicates:
        return "success", "Stored already: a duplicate"
    return ("success", "Stored and judged") if outcome.stored else ("warning", "Replayed before")


def _reasons(outcome: ingestion.Outcome) -> str:
    reasons = [f"{refusal.field}: {refusal.detail}" if refusal.field else refusal.detail for refusal in outcome.rejected]
    return f"({' '.join(reasons)})"
