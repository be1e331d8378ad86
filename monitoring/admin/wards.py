"""The ward once more, with the limits that hold in it: accounts knows places, monitoring what is watched there."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminTimeWidget
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.admin.wards import WardAdmin
from accounts.models import User, Ward
from monitoring import realtime
from monitoring.admin import limits
from monitoring.admin.escalation import RulesInline, StepInline
from monitoring.admin.overrides import SetsLimits, may_set
from monitoring.clinical import night
from monitoring.models import Threshold, WardNight
from monitoring.models.threshold import Part
from monitoring.services import thresholds
from monitoring.services.layers import Scope

admin.site.unregister(Ward)

OF_LIMITS = ("nurses_set_limits", "night_begins", "night_ends")


class WardForm(forms.ModelForm):
    """A ward, and when its night is."""

    night_begins = forms.TimeField(required=False, widget=AdminTimeWidget)
    night_ends = forms.TimeField(
        required=False,
        widget=AdminTimeWidget,
        help_text="Limits marked “night” hold between these. Both empty: no night.",
    )

    class Meta:
        model = Ward
        fields = ("name", "slug", "second_factor", "nurses_set_limits")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = WardNight.objects.filter(ward=self.instance.pk).first()
        if stored and "night_begins" in self.fields:
            self.fields["night_begins"].initial, self.fields["night_ends"].initial = stored.begins, stored.ends

    @property
    def hours(self) -> thresholds.Hours | None:
        begins, ends = self.cleaned_data.get("night_begins"), self.cleaned_data.get("night_ends")
        return (begins, ends) if begins is not None and ends is not None else None

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if {"night_begins", "night_ends"} & set(self.errors) or "night_begins" not in self.fields:
            return cleaned
        for field, sentence in night.faults(self.cleaned_data["night_begins"], self.cleaned_data["night_ends"]).items():
            self.add_error(f"night_{field}", sentence)
        of_night = Threshold.objects.filter(ward=self.instance.pk, part=Part.NIGHT)
        if not self.errors and self.hours is None and of_night.exists():
            self.add_error("night_begins", "The ward has limits for the night: take them out first.")
        return cleaned


@admin.register(Ward)
class WatchedWardAdmin(WardAdmin, SetsLimits):
    fields_told_by_verb = frozenset({"night_begins", "night_ends"})
    form = WardForm
    readonly_fields = ("limits_in_force", "limits_history")

    def get_fields(self, request: HttpRequest, obj: Ward | None = None) -> tuple[str, ...]:
        if not obj:
            return ("name", "slug", "second_factor")
        own = OF_LIMITS if may_set(request, obj) and self.has_change_permission(request, obj) else ()
        return ("name", "slug", "second_factor", *own, "limits_in_force", "limits_history")

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> Any:
        inlines = super().get_inlines(request, obj)
        return [*inlines, StepInline, RulesInline] if obj else inlines

    @admin.display(description="limits in force")
    def limits_in_force(self, ward: Ward) -> SafeString:
        return limits.table(Scope(ward=ward))

    @admin.display(description="limits so far")
    def limits_history(self, ward: Ward) -> SafeString | str:
        return limits.history(Scope(ward=ward))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The boards of the ward draw its beds anew."""
        assert isinstance(request.user, User)
        if "night_begins" in form.fields:
            thresholds.set_night(form.instance, form.hours, by=request.user, at=timezone.now())
        super().save_related(request, form, formsets, change)
        realtime.beds_changed({form.instance.pk: list(form.instance.beds.values_list("pk", flat=True))})
