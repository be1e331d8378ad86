"""Alerts and what happened to them: to be read, never written here."""

from __future__ import annotations

from datetime import datetime

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.admin.keeping import NamedChoices, OfVisibleWards, ReadOnly, VisibleChoices
from accounts.admin.paging import Endless
from accounts.models import User
from monitoring.admin.deliveries import DeliveryInline
from monitoring.clinical.signs import plain
from monitoring.models import Alert, AlertEvent


class StateFilter(NamedChoices):
    """By the states that the list shows (`Alert.state`)."""

    title = parameter_name = "state"
    means = {
        "raised": Q(is_open=True, returned_at=None, acknowledged_at=None),
        "acknowledged": Q(is_open=True, returned_at=None, acknowledged_at__isnull=False),
        "returned": Q(is_open=True, returned_at__isnull=False),
        "resolved": Q(is_open=None),
    }


class EventInline(ReadOnly, admin.TabularInline):
    model = AlertEvent
    fields = ("at", "what", "severity", "value", "by", "note", "ward")
    readonly_fields = fields
    ordering = ("pk",)
    verbose_name_plural = "what happened to it"

    def get_queryset(self, request: HttpRequest) -> QuerySet[AlertEvent]:
        return super().get_queryset(request).select_related("by", "ward")


@admin.register(Alert)
class AlertAdmin(ReadOnly, OfVisibleWards, Endless):
    patient_path = "patient"
    list_display = ("message_shown", "standing", "raised_at", "place", "taken_by", "ended")
    list_filter = ("severity", StateFilter, ("ward", VisibleChoices), "raised_at", "kind", "recorded")
    shown_beside = ("patient", "ward", "acknowledged_by")
    search_fields = ("patient__patient_id__exact",)
    search_help_text = "Search by patient id."
    ordering = ("-raised_at",)
    inlines = (EventInline, DeliveryInline)
    fieldsets = (
        (None, {"fields": ("message_shown", "severity", "state_shown", "ward", "patient", "admission")}),
        ("Values", {"fields": ("vital_value", "threshold_breached", "worst_value", "last_value", "count", "recorded")}),
        ("When and who", {"fields": (
            "measured_at", "last_measured_at", "raised_at", "acknowledged_at", "acknowledged_by", "resolved_at", "resolved_by"
        )}),
        ("Identity", {"fields": ("id", "subject", "condition", "kind")}),
    )  # fmt: skip

    @admin.display(description="alert")
    def message_shown(self, alert: Alert) -> str:
        return alert.message

    @admin.display(description="state")
    def state_shown(self, alert: Alert) -> str:
        return alert.state

    # What stands in the list has short heads, so that all of it is seen beside the filters.
    @admin.display(description="state", ordering="severity")
    def standing(self, alert: Alert) -> str:
        return f"{alert.severity}, {alert.state}"

    @admin.display(description="patient", ordering="patient")
    def place(self, alert: Alert) -> str:
        return f"{alert.patient or '–'}, {alert.ward}"

    @admin.display(description="taken by", ordering="acknowledged_by")
    def taken_by(self, alert: Alert) -> User | None:
        return alert.acknowledged_by

    @admin.display(description="ended", ordering="resolved_at")
    def ended(self, alert: Alert) -> datetime | None:
        return alert.resolved_at


@admin.register(AlertEvent)
class AlertEventAdmin(ReadOnly, OfVisibleWards, Endless):
    patient_path = "alert.patient"
    list_display = ("at", "what", "alert_message", "severity", "value_shown", "by", "note", "ward")
    list_filter = ("what", "severity", ("ward", VisibleChoices), "at")
    shown_beside = ("alert", "by", "ward")
    search_fields = ("alert__patient__patient_id__exact",)
    search_help_text = "Search by patient id."
    ordering = ("-pk",)

    @admin.display(description="alert")
    def alert_message(self, event: AlertEvent) -> str:
        return f"{event.alert.message}, {event.alert.subject}"

    @admin.display(description="value")
    def value_shown(self, event: AlertEvent) -> str:
        return "–" if event.value is None else plain(event.value)
