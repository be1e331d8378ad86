"""What devices sent and MedQL refused; once the cause is gone it can go through the door again."""

from __future__ import annotations

from collections import defaultdict

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from accounts.access import Permission
from accounts.admin.keeping import NamedChoices, OfVisibleWards, ReadOnly, VisibleChoices
from accounts.admin.paging import Endless
from accounts.models import User
from monitoring.models import RejectedVital
from monitoring.services import ingestion
from monitoring.services.items import ITEM_CODES

CODES = sorted(ITEM_CODES | {"conflict", "invalid", "out_of_range", "pressure_order", "unknown_field"})
NAMED = 10  # of the rows that met the same fate, how many the message names


class CodeFilter(NamedChoices):
    """By the codes of the contract: asking the table for its own would read all of it."""

    title = parameter_name = "code"
    means = {code: Q(code=code) for code in CODES}


class ReplayedFilter(NamedChoices):
    title = parameter_name = "replayed"
    means = {"no": Q(replayed_at=None), "yes": Q(replayed_at__isnull=False)}


class RestFilter(NamedChoices):
    title = "rest of the item"
    parameter_name = "rest"
    means = {"stored": Q(stored=True), "refused": Q(stored=False)}


@admin.register(RejectedVital)
class RejectedVitalAdmin(ReadOnly, OfVisibleWards, Endless):
    ward_path = "device__wards"
    list_display = ("received_at", "device", "reason", "rest_stored", "item_start", "replayed")
    list_filter = (CodeFilter, RestFilter, ReplayedFilter, ("device", VisibleChoices), "received_at")
    shown_beside = ("device", "replayed_by")
    ordering = ("-pk",)
    actions = ("replay",)
    fieldsets = (
        (None, {"fields": ("device", "received_at", "position", "code", "field", "detail", "stored")}),
        ("As sent", {"fields": ("item_as_sent",)}),
        ("Replay", {"fields": ("replayed_at", "replayed_by")}),
    )

    @admin.display(description="why")
    def reason(self, row: RejectedVital) -> str:
        return f"{row.code}: {row.field or 'item'}. {row.detail}"

    @admin.display(description="rest stored", boolean=True)
    def rest_stored(self, row: RejectedVital) -> bool:
        return row.stored

    @admin.display(description="replayed")
    def replayed(self, row: RejectedVital) -> str:
        return f"{localtime(row.replayed_at):%Y-%m-%d %H:%M} by {row.replayed_by}" if row.replayed_at else "–"

    @admin.display(description="as sent")
    def item_start(self, row: RejectedVital) -> str:
        return row.item if len(row.item) <= 80 else f"{row.item[:80]}…"

    @admin.display(description="as sent")
    def item_as_sent(self, row: RejectedVital) -> SafeString:
        return format_html('<pre class="medql-as-sent">{}</pre>', row.item)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return self.allows(request, Permission.RECORD, None)

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
