"""Limits as lines on the page of the ward or patient that they are for."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model, Q
from django.http import HttpRequest
from django.utils import timezone

from accounts.access import Permission
from accounts.admin.keeping import ByRole, once
from accounts.models import User, Ward
from monitoring.admin import limits
from monitoring.admin.dry_run import DryRun
from monitoring.clinical.overrides import SIDES
from monitoring.models import Patient, Threshold
from monitoring.services import refusals
from monitoring.services.layers import Scope


class ThresholdInline(ByRole, admin.TabularInline):
    """Each line replaces one sign's wider limits; taking it out puts them back in force."""

    to_change = Permission.SET_LIMITS
    model = Threshold
    form = limits.ThresholdForm
    formset = limits.ThresholdFormSet
    readonly_fields = ("set_by", "set_at")
    extra = 0
    ordering = ("sign", "part")
    verbose_name = "limit override"
    verbose_name_plural = "limit overrides (each replaces all four limits of its sign)"

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        own = ("expires_at", "confirmed") if isinstance(obj, Patient) else (*limits.BOUNDS, "expires_at")
        part = () if isinstance(obj, Patient) else ("part",)
        fields = (*part, "sign", *SIDES, "delay", "margin", "reason", *own, "set_by", "set_at")
        if not self.has_change_permission(request, obj):
            return tuple(name for name in fields if name != "confirmed")
        return (*fields, "seen_version")

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request).select_related("ward", "patient", "set_by", "set_in")
        return rows.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()))

    def get_formset(self, request: HttpRequest, obj: Model | None = None, **kwargs: Any) -> Any:
        formset: Any = super().get_formset(request, obj, **kwargs)
        formset.by = formset.form.by = request.user
        formset.suggested = getattr(request, "suggested", [])
        return formset

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_add_permission(request, obj) and may_set(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_change_permission(request, obj) and may_set(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_delete_permission(request, obj) and may_set(request, obj)


class WardThresholdInline(ThresholdInline):
    fk_name = "ward"


class PatientThresholdInline(ThresholdInline):
    fk_name = "patient"


def may_set(request: HttpRequest, noun: Model | None) -> bool:
    """Whether this person may set the limits of this patient, ward or (none) hospital."""
    scope = Scope(noun if isinstance(noun, Ward) else None, noun if isinstance(noun, Patient) else None)
    person = request.user
    return isinstance(person, User) and once(request, ("limits", scope.key), lambda: refusals.may_set(person, scope))


class SetsLimits(DryRun):
    """A page with limits on it: the service sets them, and the history of the page says what they were."""

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> Any:
        inlines = super().get_inlines(request, obj)
        own = PatientThresholdInline if self.model is Patient else WardThresholdInline
        return [*inlines, own] if obj else inlines

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> list[Any]:
        said = {
            str(threshold): f"{threshold}: {limits.phrase(threshold.override)}"
            for formset in formsets or []
            if isinstance(formset, limits.ThresholdFormSet)
            for threshold in [*formset.new_objects, *formset.deleted_objects]
        }
        message: list[Any] = super().construct_change_message(request, form, formsets, add)
        for what in message:
            for told in what.values():
                if told.get("object") in said:
                    told["object"] = said[told["object"]]
        return message
