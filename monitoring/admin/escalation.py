"""The plan of a ward, on the ward's page; and what it needs: webhooks and shifts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.validators import MinLengthValidator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts import access
from accounts.access import Permission
from accounts.admin.keeping import ByRole, Kept, NamedChoices, OfVisibleWards, VisibleChoices
from accounts.models import Bed, Ward
from monitoring.models import EscalationStep, Shift, WardRules, WebhookEndpoint
from monitoring.services import steps

FIELDS = ("after_minutes", "severity", "whom", "person", "in_app", "email", "push", "webhook")


class StepForm(forms.ModelForm):
    """A step that can reach somebody; one that cannot is refused at the field that is to blame."""

    class Meta:
        model = EscalationStep
        fields = FIELDS

    def __init__(self, *args: Any, ward: Ward, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ward = ward
        if "person" not in self.fields:  # only to be read
            return
        person: Any = self.fields["person"]
        person.queryset = access.staff(ward, now=timezone.now()).order_by("name")
        person.error_messages["invalid_choice"] = "This person is not active, or no member of this ward."
        webhook: Any = self.fields["webhook"]
        webhook.queryset = WebhookEndpoint.objects.filter(ward=ward, is_active=True).order_by("name")
        webhook.error_messages["invalid_choice"] = "This webhook is switched off, or of another ward."

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if not self.errors and not self.cleaned_data.get("DELETE"):
            step = EscalationStep(ward=self.ward, **{name: self.cleaned_data.get(name) for name in FIELDS})
            for field, sentence in steps.faults(step, now=timezone.now()).items():
                self.add_error(field, sentence)
        return cleaned


class StepFormSet(forms.BaseInlineFormSet):
    """The steps of one ward, each at a time of its own: of two at the same time the second would never be reached."""

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return super().get_form_kwargs(index) | {"ward": self.instance}

    def clean(self) -> None:
        super().clean()
        taken: set[int] = set()
        for form in self.forms:
            minutes = form.cleaned_data.get("after_minutes")
            if minutes is None or form.cleaned_data.get("DELETE"):
                continue
            if minutes in taken:
                form.add_error("after_minutes", "Another step has this time already: this one would never be reached.")
            taken.add(minutes)

    def validate_unique(self) -> None:
        """By time, above."""


class StepInline(ByRole, admin.TabularInline):
    model = EscalationStep
    form = StepForm
    formset = StepFormSet
    fields = FIELDS
    extra = 0
    ordering = ("after_minutes",)
    verbose_name = "escalation step"
    verbose_name_plural = (
        "escalation: whom to tell while nobody takes an alert (the last is repeated; your steps REPLACE the shipped ones)"
    )


class RulesInline(ByRole, admin.StackedInline):
    model = WardRules
    verbose_name_plural = "rules of this ward"
    can_delete = False


class EndpointForm(forms.ModelForm):
    """The secret is written and never shown."""

    secret = forms.CharField(
        required=False,
        max_length=100,
        strip=True,
        validators=[MinLengthValidator(16)],
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 16 letters; both sides know it, and every message is signed with it. Empty: it stays as it is.",
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("ward", "name", "url", "is_active")

    def clean_secret(self) -> str:
        secret: str = self.cleaned_data["secret"]
        if not secret and not self.instance.sealed_secret:
            raise forms.ValidationError("A webhook without a secret cannot be believed.", code="required")
        return secret

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if "ward" in self.cleaned_data:
            said = {name: self.cleaned_data[name] for name in ("ward", "is_active")}
            for field, sentence in steps.endpoint_faults(WebhookEndpoint(pk=self.instance.pk, **said)).items():
                self.add_error(field, sentence)
        return cleaned


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(Kept, OfVisibleWards, admin.ModelAdmin):
    to_see = Permission.SEE_STAFF
    form = EndpointForm
    list_display = ("name", "ward", "host", "is_active")
    list_filter = ("is_active", ("ward", VisibleChoices))
    list_select_related = ("ward",)
    ordering = ("ward__name", "name")
    fields = ("ward", "name", "url", "secret", "is_active")

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool) -> None:
        if secret := form.cleaned_data["secret"]:
            obj.signing_with(secret)
        super().save_model(request, obj, form, change)

    @admin.display(description="address")
    def host(self, endpoint: WebhookEndpoint) -> str:
        """Without its path, which may be a secret."""
        return "/".join(endpoint.url.split("/")[:3])


class DutyFilter(NamedChoices):
    title = parameter_name = "duty"

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        now = timezone.now()
        chosen = {"now": queryset.filter(starts_at__lte=now, ends_at__gt=now), "over": queryset.filter(ends_at__lte=now)}
        return chosen.get(self.value() or "", queryset)

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("now", "now"), ("over", "over")]


class ShiftForm(forms.ModelForm):
    class Meta:
        model = Shift
        fields = ("user", "ward", "starts_at", "ends_at", "beds")
        widgets = {"beds": forms.CheckboxSelectMultiple}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "beds" in self.fields:
            beds: Any = self.fields["beds"]
            beds.queryset = Bed.objects.select_related("ward").order_by("ward__name", "position")
            if self.instance.pk:
                beds.queryset = beds.queryset.filter(ward=self.instance.ward_id)
            elif "ward" in self.fields:
                wards: Any = self.fields["ward"]
                beds.queryset = beds.queryset.filter(ward__in=wards.queryset)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        starts_at, ends_at = self.cleaned_data.get("starts_at"), self.cleaned_data.get("ends_at")
        if starts_at and ends_at and ends_at <= starts_at:
            self.add_error("ends_at", "A shift ends after it begins.")
        user, ward = self.cleaned_data.get("user"), self.cleaned_data.get("ward")
        if user and ward and not access.staff(ward, now=timezone.now()).filter(pk=user.pk).exists():
            self.add_error("user", "This person is not active, or no member of this ward.")
        if ward and any(bed.ward_id != ward.pk for bed in self.cleaned_data.get("beds") or []):
            self.add_error("beds", "A bed is of another ward.")
        return cleaned


@admin.register(Shift)
class ShiftAdmin(OfVisibleWards, admin.ModelAdmin):
    to_see, to_change = Permission.SEE_STAFF, Permission.ALLOCATE
    form = ShiftForm
    list_display = ("user", "ward", "beds_shown", "starts_at", "ends_at", "returned_at")
    list_filter = (DutyFilter, ("ward", VisibleChoices), "starts_at")
    list_select_related = ("user", "ward")
    search_fields = ("user__login",)
    ordering = ("-ends_at",)
    autocomplete_fields = ("user",)
    readonly_fields = ("returned_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Shift]:
        return super().get_queryset(request).prefetch_related("beds")

    @admin.display(description="beds")
    def beds_shown(self, shift: Shift) -> str:
        return ", ".join(bed.name for bed in shift.beds.all()) or "the whole ward"

    def save_model(self, request: HttpRequest, obj: Shift, form: Any, change: bool) -> None:
        """A shift that is prolonged has not been left: what he holds goes back at its new end."""
        if obj.ends_at > timezone.now():
            obj.returned_at = None
        super().save_model(request, obj, form, change)
