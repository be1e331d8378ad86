"""Limits, hospital-wide and, one page further, of each ward and patient; and what became of them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.access import Permission
from accounts.admin.keeping import NamedChoices, OfVisibleWards, ReadOnly
from accounts.admin.paging import Endless
from accounts.models import User, Ward
from monitoring.admin import limits
from monitoring.admin.dry_run import DryRun
from monitoring.admin.overrides import may_set
from monitoring.clinical.limits import ADULT
from monitoring.clinical.overrides import SIDES
from monitoring.clinical.signs import Sign
from monitoring.models import Patient, Threshold, ThresholdChange
from monitoring.models.threshold import HOSPITAL
from monitoring.services import thresholds
from monitoring.services.layers import Scope


class ScopeFilter(NamedChoices):
    title = parameter_name = "scope"
    means = {"hospital": Q(scope_key=HOSPITAL), "wards": Q(ward__isnull=False), "patients": Q(patient__isnull=False)}


class HospitalThresholdForm(limits.ThresholdForm):
    """Limits on a page of their own: here nothing else tells that the sign is taken."""

    def clean(self) -> dict[str, Any] | None:
        thresholds.hold(self.above.scope)
        cleaned = super().clean()
        sign = self.cleaned_data.get("sign")
        if sign and not self.instance.pk and Threshold.objects.filter(scope_key=HOSPITAL, sign=sign).exists():
            self.add_error("sign", limits.already_set(Sign(sign)))
        return cleaned


class SignFilter(NamedChoices):
    title = parameter_name = "sign"
    means = {limits.sign_name(sign): Q(sign=sign.value) for sign in Sign}


class OfScopes(OfVisibleWards):
    """The hospital's limits everybody sees, those of wards and patients who sees the ward or patient."""

    def within(self, rows: QuerySet[Any], wards: QuerySet[Ward]) -> QuerySet[Any]:
        theirs = Q(ward__in=wards) | Q(patient__in=Patient.objects.of_wards(wards).values("pk"))
        return rows.filter(theirs | Q(scope_key=HOSPITAL))


def _scope(row: Threshold | ThresholdChange) -> str:
    if row.patient:
        return f"patient {row.patient}"
    return f"ward {row.ward}" if row.ward else "hospital"


@admin.register(Threshold)
class ThresholdAdmin(OfScopes, DryRun):
    """Every override there is; a new one made here is the hospital's. Taking one out puts the wider limits back in force."""

    patient_path = "patient"
    told_by_verb = True
    to_add, to_change = Permission.RUN_HOSPITAL, Permission.SET_LIMITS
    form = HospitalThresholdForm
    list_display = ("sign_name", "scope", "part", "set_to", "replaces", "reason", "expires_at", "set_by", "set_at")
    list_filter = (ScopeFilter, SignFilter)
    list_select_related = ("ward", "patient", "set_by")
    ordering = ("ward", "patient", "sign")
    actions = None
    readonly_fields = ("scope", "set_by", "set_at")
    change_list_template = "admin/monitoring/threshold/change_list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Threshold]:
        return super().get_queryset(request).filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()))

    def has_change_permission(self, request: HttpRequest, obj: Threshold | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or may_set(request, obj.patient or obj.ward))

    def has_delete_permission(self, request: HttpRequest, obj: Threshold | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or may_set(request, obj.patient or obj.ward))

    def get_fields(self, request: HttpRequest, obj: Threshold | None = None) -> tuple[str, ...]:
        bounds = () if obj and obj.patient_id else limits.BOUNDS
        said = ("scope", "sign", *SIDES, "delay", "margin", *bounds, "reason", "expires_at")
        if not obj:
            return said
        known = (*said, "set_by", "set_at")
        return (*known, "seen_version") if self.has_change_permission(request, obj) else known

    def get_form(self, request: HttpRequest, obj: Threshold | None = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.by = request.user
        return form

    @admin.display(description="sign", ordering="sign")
    def sign_name(self, threshold: Threshold) -> str:
        return limits.sign_name(Sign(threshold.sign))

    @admin.display(description="of")
    def scope(self, threshold: Threshold) -> str:
        return _scope(threshold)

    @admin.display(description="limits")
    def set_to(self, threshold: Threshold) -> str:
        return limits.phrase(threshold.override)

    @admin.display(description="shipped for adults")
    def replaces(self, threshold: Threshold) -> str:
        return limits.phrase(ADULT[Sign(threshold.sign)])

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"in_force": limits.table(Scope())} | (extra_context or {}))

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Threshold:
        form.tell_from_what()
        row: Threshold = form.instance
        return row

    def save_model(self, request: HttpRequest, obj: Threshold, form: Any, change: bool) -> None:
        assert isinstance(request.user, User)
        scope, at = limits.scope_of(obj), timezone.now()
        seen = {form.key: form.cleaned_data.get("seen_version") or obj.version if change else 0}
        thresholds.change(scope, {form.key: form.override}, by=request.user, at=at, seen=seen)
        stored = Threshold.objects.get(scope_key=scope.key, sign=form.key[0], part=form.key[1])
        obj.pk, obj.sign = stored.pk, stored.sign

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The service has saved all there is."""

    def delete_model(self, request: HttpRequest, obj: Threshold) -> None:
        assert isinstance(request.user, User)
        self.log_change(request, obj, f"Took out {limits.phrase(obj.override)}: the wider limits are in force again.")
        thresholds.remove(limits.scope_of(obj), limits.key_of(obj), by=request.user, at=timezone.now())

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> list[Any]:
        if add:
            return [{"added": {"name": "limits", "object": limits.phrase(form.override)}}]
        return super().construct_change_message(request, form, formsets, add)


@admin.register(ThresholdChange)
class ThresholdChangeAdmin(ReadOnly, OfScopes, Endless):
    """Who changed which limit, when, from what to what and why."""

    patient_path = "patient"
    list_display = ("at", "what", "sign_name", "scope", "part", "was_said", "becomes_said", "reason", "by")
    list_filter = ("what", ScopeFilter, SignFilter, "at")
    shown_beside = ("ward", "patient", "by")
    search_fields = ("patient__patient_id__exact",)
    search_help_text = "Search by patient id."
    ordering = ("-pk",)
    fields = ("at", "by", "what", "scope", "sign_name", "part", "was_said", "becomes_said", "was", "becomes", "reason")
    readonly_fields = fields

    @admin.display(description="sign", ordering="sign")
    def sign_name(self, change: ThresholdChange) -> str:
        return limits.sign_name(Sign(change.sign)) if change.sign else "when the night is"

    @admin.display(description="of")
    def scope(self, change: ThresholdChange) -> str:
        return _scope(change)

    @admin.display(description="from")
    def was_said(self, change: ThresholdChange) -> str:
        return limits.said(change.was)

    @admin.display(description="to")
    def becomes_said(self, change: ThresholdChange) -> str:
        return limits.said(change.becomes)
