"""Limits, hospital-wide and, one page further, of each ward and patient."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.admin.keeping import NamedChoices, OfVisibleWards
from accounts.models import User, Ward
from monitoring.admin import limits
from monitoring.admin.patients import visible_patients
from monitoring.clinical.limits import ADULT
from monitoring.clinical.signs import Sign
from monitoring.models import Threshold
from monitoring.models.threshold import HOSPITAL


class ScopeFilter(NamedChoices):
    title = parameter_name = "scope"
    means = {"hospital": Q(scope_key=HOSPITAL), "wards": Q(ward__isnull=False), "patients": Q(patient__isnull=False)}


class HospitalThresholdForm(limits.ThresholdForm):
    """Limits on a page of their own: here nothing else tells that the sign is taken."""

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        sign = self.cleaned_data.get("sign")
        if sign and not self.instance.pk and Threshold.objects.filter(scope_key=HOSPITAL, sign=sign).exists():
            self.add_error("sign", limits.already_set(sign))
        return cleaned


class SignFilter(NamedChoices):
    title = parameter_name = "sign"
    means = {limits.sign_name(sign): Q(sign=sign.value) for sign in Sign}


@admin.register(Threshold)
class ThresholdAdmin(OfVisibleWards, admin.ModelAdmin):
    """Every override there is; a new one made here is the hospital's. Taking one out puts the wider limits back in force."""

    form = HospitalThresholdForm
    list_display = ("sign_name", "scope", "set_to", "replaces", "reason", "set_by", "set_at")
    list_filter = (ScopeFilter, SignFilter)
    list_select_related = ("ward", "patient", "set_by")
    ordering = ("ward", "patient", "sign")
    actions = None
    readonly_fields = ("scope", "set_by", "set_at")
    change_list_template = "admin/monitoring/threshold/change_list.html"

    def visible(self, rows: QuerySet[Threshold], person: User) -> QuerySet[Threshold]:
        mine = Q(ward__in=Ward.objects.visible_to(person)) | Q(patient__in=visible_patients(person).values("pk"))
        return rows.filter(mine | Q(scope_key=HOSPITAL))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Hospital-wide limits are an administrator's."""
        return super().has_add_permission(request) and _is_administrator(request)

    def has_change_permission(self, request: HttpRequest, obj: Threshold | None = None) -> bool:
        return super().has_change_permission(request, obj) and _may_set(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Threshold | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_set(request, obj)

    def get_fields(self, request: HttpRequest, obj: Threshold | None = None) -> tuple[str, ...]:
        if not obj:
            return ("scope", "sign", *limits.SIDES, "reason")
        known = ("scope", "sign", *limits.SIDES, "reason", "set_by", "set_at")
        return (*known, "seen_version") if self.has_change_permission(request, obj) else known

    @admin.display(description="sign", ordering="sign")
    def sign_name(self, threshold: Threshold) -> str:
        return limits.sign_name(Sign(threshold.sign))

    @admin.display(description="of")
    def scope(self, threshold: Threshold) -> str:
        if threshold.patient:
            return f"patient {threshold.patient}"
        return f"ward {threshold.ward}" if threshold.ward else "hospital"

    @admin.display(description="limits")
    def set_to(self, threshold: Threshold) -> str:
        return limits.phrase(threshold.limits)

    @admin.display(description="shipped default")
    def replaces(self, threshold: Threshold) -> str:
        return limits.phrase(ADULT[Sign(threshold.sign)])

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"in_force": limits.table()} | (extra_context or {}))

    def save_model(self, request: HttpRequest, obj: Threshold, form: Any, change: bool) -> None:
        assert isinstance(request.user, User)
        limits.stamp(obj, by=request.user)
        super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: Threshold) -> None:
        self.log_change(request, obj, f"Took out {limits.phrase(obj.limits)}: the wider limits are in force again.")
        super().delete_model(request, obj)

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> list[Any]:
        if add:
            return [{"added": {"name": "limits", "object": limits.phrase(form.instance.limits)}}]
        return super().construct_change_message(request, form, formsets, add)


def _is_administrator(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_superuser


def _may_set(request: HttpRequest, threshold: Threshold | None) -> bool:
    return threshold is None or threshold.scope_key != HOSPITAL or _is_administrator(request)
