"""What was sent to whom and what became of it: to be read, and what failed to be sent again."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.access import Permission
from accounts.admin.keeping import NamedChoices, OfVisibleWards, ReadOnly, VisibleChoices
from accounts.admin.paging import Endless
from accounts.models import User, Ward
from monitoring.clinical.escalation import Way
from monitoring.models import Delivery
from monitoring.services import deliveries


class OutcomeFilter(NamedChoices):
    title = parameter_name = "outcome"
    means = {
        "waiting": Q(state=Delivery.State.WAITING),
        "sent": Q(state=Delivery.State.SENT),
        "failed, tried again": Q(state=Delivery.State.FAILED),
        "given up": Q(state=Delivery.State.GIVEN_UP),
        "withdrawn": Q(state=Delivery.State.WITHDRAWN),
    }


class WayFilter(NamedChoices):
    title = parameter_name = "way"
    means = {way.value.replace("_", " "): Q(channel=way.value) for way in Way}


class DeliveryInline(ReadOnly, admin.TabularInline):
    """Of one alert: who was told, and whether it arrived."""

    model = Delivery
    fields = ("created_at", "step", "channel", "recipient_shown", "state", "attempts", "last_error", "sent_at", "seen_at")
    readonly_fields = fields
    ordering = ("pk",)
    verbose_name_plural = "who was told of it"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        return super().get_queryset(request).select_related("user", "endpoint__ward")

    @admin.display(description="to")
    def recipient_shown(self, delivery: Delivery) -> str:
        return delivery.recipient


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, OfVisibleWards, Endless):
    patient_path = "alert.patient"
    list_display = ("created_at", "alert_message", "channel", "recipient_shown", "state", "attempts", "last_error", "sent_at")
    list_filter = (OutcomeFilter, WayFilter, "severity", ("ward", VisibleChoices), "created_at")
    shown_beside = ("alert", "user", "endpoint__ward", "ward")
    ordering = ("-pk",)
    actions = ("send_again",)
    fieldsets = (
        (None, {"fields": ("alert", "ward", "severity", "why", "step")}),
        ("Message", {"fields": ("channel", "recipient_shown", "created_at", "seen_at")}),
        ("Outcome", {"fields": ("state", "attempts", "next_attempt_at", "last_error", "sent_at")}),
    )

    def within(self, rows: QuerySet[Delivery], wards: QuerySet[Ward]) -> QuerySet[Delivery]:
        return rows.filter(ward__in=list(wards.values_list("pk", flat=True)))

    @admin.display(description="alert")
    def alert_message(self, delivery: Delivery) -> str:
        return f"{delivery.ward}: {delivery.alert.message}"

    @admin.display(description="to")
    def recipient_shown(self, delivery: Delivery) -> str:
        return delivery.recipient

    def has_send_permission(self, request: HttpRequest) -> bool:
        return self.allows(request, Permission.RUN_HOSPITAL, None)

    @admin.action(description="Send again: what failed is tried anew, at once", permissions=["send"])
    def send_again(self, request: HttpRequest, chosen: QuerySet[Delivery]) -> None:
        keys = [delivery.pk for delivery in chosen]
        assert isinstance(request.user, User)
        count = deliveries.send_again(Delivery.objects.filter(pk__in=keys), by=request.user, now=timezone.now())
        left = len(keys) - count
        self.message_user(request, f"{count} will be sent again.", "success" if count else "warning")
        if left:
            self.message_user(request, f"{left} did not fail: nothing to send again.", "warning")
