"""Limits as lines on the page of the ward or patient that they are for."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.forms import BaseModelFormSet, ModelForm
from django.http import HttpRequest

from accounts.models import User
from monitoring.admin import limits
from monitoring.models import Threshold


class ThresholdInline(admin.TabularInline):
    """Each line replaces one sign's wider limits; taking it out puts them back in force."""

    model = Threshold
    form = limits.ThresholdForm
    formset = limits.ThresholdFormSet
    readonly_fields = ("set_by", "set_at")
    extra = 0
    ordering = ("sign",)
    verbose_name = "limit override"
    verbose_name_plural = "limit overrides (each replaces all four limits of its sign)"

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        fields = ("sign", *limits.SIDES, "reason", "set_by", "set_at")
        return (*fields, "seen_version") if self.has_change_permission(request, obj) else fields

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("ward", "patient", "set_by")


class SetsLimits(admin.ModelAdmin):
    """A page with limits on it: they are stamped with who and when, and the history says what they were."""

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> Any:
        inlines = super().get_inlines(request, obj)
        return [*inlines, ThresholdInline] if obj else inlines

    def save_formset(self, request: HttpRequest, form: ModelForm, formset: BaseModelFormSet, change: bool) -> None:
        if not isinstance(formset, limits.ThresholdFormSet):
            super().save_formset(request, form, formset, change)
            return
        assert isinstance(request.user, User)
        rows = formset.save(commit=False)
        for removed in formset.deleted_objects:
            removed.delete()
        for threshold in rows:
            limits.stamp(threshold, by=request.user)
            threshold.save()

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> list[Any]:
        said = {
            str(threshold): f"{threshold}: {limits.phrase(threshold.limits)}"
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
