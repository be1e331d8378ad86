"""Stays: admit to a free bed, move, discharge."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from accounts.access import Permission
from accounts.admin.keeping import Kept, NamedChoices, OfVisibleWards, VisibleChoices
from accounts.models import User, Ward
from monitoring.admin.forms import BedField, DeedForm, PastOrNow, offer_beds
from monitoring.models import Admission, Alert, DeviceAssignment, Patient, Placement
from monitoring.services import admissions

TAKEN = "Another patient lies in this bed."


class AdmitForm(DeedForm):
    arriving = forms.CharField(
        required=False,
        label="or by patient id",
        help_text="The whole id of somebody who was another ward's patient and lies nowhere now.",
    )
    bed = BedField(help_text="Only free beds are listed.")
    admitted_at = PastOrNow()

    refusals = {
        admissions.AlreadyAdmitted: ("patient", "This patient is admitted already: move or discharge that stay."),
        admissions.Archived: ("patient", "This patient is archived: bring the record back first."),
        admissions.BedTaken: ("bed", TAKEN),
        admissions.TooEarly: ("admitted_at", "An earlier stay of this patient ended after that."),
    }

    class Meta:
        model = Admission
        fields = ("patient", "admitted_at", "notes")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_beds(self, to=self.by)
        self.fields["patient"].required = False

    def clean_patient(self) -> Any:
        patient = self.cleaned_data["patient"]
        if patient and patient.archived_at:
            raise forms.ValidationError("This patient is archived: bring the record back first.")
        return patient

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        chosen, patient_id = self.cleaned_data.get("patient"), self.cleaned_data.get("arriving")
        if chosen and patient_id:
            self.add_error("arriving", "Choose a patient, or write an id: not both.")
        elif patient_id:
            self.cleaned_data["patient"] = Patient.objects.admissible_by(self.by).named(patient_id).first()
            if not self.cleaned_data["patient"]:
                self.add_error("arriving", "Nobody with this id can be admitted here now.")
        elif not chosen and "patient" not in self.errors:
            self.add_error("patient", "Choose who is admitted.")
        return cleaned

    def act(self) -> Admission:
        wanted = self.cleaned_data
        return admissions.admit(
            wanted["patient"], bed=wanted["bed"], by=self.by, at=wanted["admitted_at"], notes=wanted["notes"]
        )


class MoveForm(DeedForm):
    """Another bed is a transfer; the notes are only written down."""

    bed = BedField(help_text="Another bed moves the patient there, with all open alerts.")
    moved_at = PastOrNow()

    refusals = {
        admissions.NotAdmitted: ("bed", "This stay is over."),
        admissions.BedTaken: ("bed", TAKEN),
        admissions.TooEarly: ("moved_at", "The patient came to the present bed after that."),
    }

    class Meta:
        model = Admission
        fields = ("notes",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lies = Placement.objects.select_related("bed__ward").get(admission=self.instance, is_open=True)
        self.fields["bed"].initial = self.lies.bed_id
        offer_beds(self, to=self.by, present=self.lies.bed)

    def act(self) -> Admission:
        if self.cleaned_data["bed"].pk != self.lies.bed_id:
            admissions.transfer(self.instance, bed=self.cleaned_data["bed"], by=self.by, at=self.cleaned_data["moved_at"])
        if "notes" in self.changed_data:
            admissions.note(self.instance, self.cleaned_data["notes"], by=self.by, at=timezone.now())
        return self.instance


class DischargeForm(forms.Form):
    at = PastOrNow(label="Left at")
    notes = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 3, "cols": 60}))


class OpenFilter(NamedChoices):
    title = parameter_name = "stay"
    means = {"now": Q(is_open=True), "over": Q(is_open=None)}


@admin.register(Admission)
class AdmissionAdmin(Kept, OfVisibleWards, admin.ModelAdmin):
    patient_path = "patient"
    told_by_verb = True
    to_change = Permission.ADMIT
    list_display = ("patient", "bed_now", "admitted_at", "admitted_by", "discharged_at", "discharged_by")
    list_filter = (OpenFilter, "admitted_at", ("placements__bed__ward", VisibleChoices))
    list_select_related = ("patient", "admitted_by", "discharged_by")
    search_fields = ("patient__patient_id__startswith",)
    search_help_text = "Search by the beginning of a patient id."
    ordering = ("-admitted_at",)
    autocomplete_fields = ("patient",)
    readonly_fields = ("admitted_by", "discharged_at", "discharged_by", "beds_so_far")
    actions = None
    show_full_result_count = False
    change_form_template = "admin/monitoring/admission/change_form.html"

    def within(self, rows: QuerySet[Admission], wards: QuerySet[Ward]) -> QuerySet[Admission]:
        return rows.filter(patient__in=Patient.objects.of_wards(wards).values("pk"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Admission]:
        lies = Placement.objects.filter(admission=OuterRef("pk"), is_open=True)
        return (
            super()
            .get_queryset(request)
            .annotate(ward_name=Subquery(lies.values("bed__ward__name")), bed_name=Subquery(lies.values("bed__name")))
        )

    def has_change_permission(self, request: HttpRequest, obj: Admission | None = None) -> bool:
        """A stay that is over stays as it was."""
        return super().has_change_permission(request, obj) and (obj is None or bool(obj.is_open))

    def get_fieldsets(self, request: HttpRequest, obj: Admission | None = None) -> Any:
        if obj is None:
            return ((None, {"fields": ("patient", "arriving", "bed", "admitted_at", "notes")}),)
        stay = ("Stay", {"fields": ("patient", "admitted_at", "admitted_by", "discharged_at", "discharged_by", "beds_so_far")})
        if not self.has_change_permission(request, obj):
            return (stay, ("Notes", {"fields": ("notes",)}))
        return (("Bed and notes", {"fields": ("bed", "moved_at", "notes")}), stay)

    def get_readonly_fields(self, request: HttpRequest, obj: Admission | None = None) -> tuple[str, ...]:
        return (*self.readonly_fields, "patient", "admitted_at") if obj else self.readonly_fields

    def get_form(self, request: HttpRequest, obj: Admission | None = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            return super().get_form(request, obj, change=change, **kwargs)
        form: Any = super().get_form(request, obj, change=change, form=MoveForm if obj else AdmitForm, **kwargs)
        form.by = request.user
        return form

    def save_model(self, request: HttpRequest, obj: Admission, form: Any, change: bool) -> None:
        """The form's deed has saved it."""

    @admin.display(description="bed", ordering="bed_name")
    def bed_now(self, admission: Admission) -> str:
        name = getattr(admission, "bed_name", None)
        return f"{getattr(admission, 'ward_name', '')} {name}" if name else "–"

    @admin.display(description="beds so far")
    def beds_so_far(self, admission: Admission) -> SafeString:
        rows = Placement.objects.filter(admission=admission).select_related("bed__ward").order_by("started_at")
        lines = ((row.bed, _clock(row.started_at), _clock(row.ended_at) if row.ended_at else "now") for row in rows)
        return format_html_join("", "<div>{}: {} – {}</div>", lines)

    def get_urls(self) -> list[URLPattern]:
        discharge = path(
            "<path:object_id>/discharge/",
            self.admin_site.admin_view(self.discharge_view),
            name="monitoring_admission_discharge",
        )
        return [discharge, *super().get_urls()]

    def discharge_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Says what a discharge ends, asks when it was, and does it."""
        admission = self.get_object(request, unquote(object_id))
        if admission is None:
            raise Http404
        if not super().has_change_permission(request, admission):
            raise PermissionDenied
        self.saw(request, f"{admission.pk}/discharge", admission)
        form = DischargeForm(request.POST if request.method == "POST" else None)
        if form.is_valid() and self._discharged(request, admission, form):
            return redirect("admin:monitoring_admission_change", admission.pk)
        context = self.admin_site.each_context(request) | {
            "title": f"Discharge {admission.patient}",
            "opts": self.opts,
            "original": admission,
            "form": form,
            "media": self.media + form.media,
            "bed": self.bed_now(admission),
            "alerts": Alert.objects.open().filter(admission=admission),
            "devices": DeviceAssignment.objects.filter(patient=admission.patient, is_open=True).select_related("device"),
        }
        return TemplateResponse(request, "admin/monitoring/admission/discharge.html", context)

    def _discharged(self, request: HttpRequest, admission: Admission, form: DischargeForm) -> bool:
        assert isinstance(request.user, User)
        at, notes = form.cleaned_data["at"], form.cleaned_data["notes"]
        try:
            admissions.discharge(admission, by=request.user, at=at, notes=notes)
        except admissions.NotAdmitted:
            form.add_error(None, "This stay is over already.")
        except admissions.TooEarly:
            form.add_error("at", "The patient came to the present bed after that.")
        else:
            self.log_change(request, admission, "Discharged.")
            self.message_user(request, f"{admission.patient} is discharged; the bed is free.", "success")
            return True
        return False


def _clock(at: Any) -> str:
    return f"{localtime(at):%Y-%m-%d %H:%M}"
