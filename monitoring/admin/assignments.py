"""Which device is on whom: a new assignment ends the device's former one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.access import Permission
from accounts.admin.keeping import Kept, NamedChoices, OfVisibleWards, VisibleChoices
from accounts.models import Ward
from monitoring.admin.forms import DeedForm, PastOrNow
from monitoring.models import DeviceAssignment, Patient
from monitoring.services import admissions, care


class AssignForm(DeedForm):
    started_at = PastOrNow(label="On the patient since")

    refusals = {
        admissions.NotAdmitted: ("patient", "This patient is not admitted."),
        admissions.TooEarly: ("started_at", "The device was on another patient then."),
        admissions.WornElsewhere: ("device", "The device is on somebody else's patient: who cares for him takes it off first."),
    }

    class Meta:
        model = DeviceAssignment
        fields = ("device", "patient", "started_at", "notes")

    def clean_patient(self) -> Patient:
        patient: Patient = self.cleaned_data["patient"]
        if not care.may(self.by, patient, Permission.ASSIGN):
            raise forms.ValidationError("Your role may not put a device on this patient.")
        return patient

    def act(self) -> DeviceAssignment:
        wanted = self.cleaned_data
        return admissions.assign(
            wanted["device"], patient=wanted["patient"], by=self.by, at=wanted["started_at"], notes=wanted["notes"]
        )


class NowFilter(NamedChoices):
    title = parameter_name = "assignment"
    means = {"now": Q(is_open=True), "over": Q(is_open=None)}


@admin.register(DeviceAssignment)
class AssignmentAdmin(Kept, OfVisibleWards, admin.ModelAdmin):
    patient_path = "patient"
    told_by_verb = True
    to_add = Permission.ASSIGN
    list_display = ("device", "patient", "started_at", "ended_at", "assigned_by")
    list_filter = (NowFilter, ("device__wards", VisibleChoices), "started_at")
    list_select_related = ("device", "patient", "assigned_by")
    search_fields = ("patient__patient_id__startswith", "device__name__startswith")
    search_help_text = "Search by the beginning of a patient id or a device's name."
    ordering = ("-started_at",)
    autocomplete_fields = ("device", "patient")
    fields = ("device", "patient", "started_at", "notes")
    actions = None
    show_full_result_count = False

    def within(self, rows: QuerySet[DeviceAssignment], wards: QuerySet[Ward]) -> QuerySet[DeviceAssignment]:
        return rows.filter(patient__in=Patient.objects.of_wards(wards).values("pk"))

    def has_change_permission(self, request: HttpRequest, obj: DeviceAssignment | None = None) -> bool:
        """Another patient is another assignment."""
        return False

    def get_fields(self, request: HttpRequest, obj: DeviceAssignment | None = None) -> tuple[str, ...]:
        return (*self.fields, "ended_at", "assigned_by") if obj else self.fields

    def get_form(self, request: HttpRequest, obj: DeviceAssignment | None = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is not None:
            return super().get_form(request, obj, change=change, **kwargs)
        form: Any = super().get_form(request, obj, change=change, form=AssignForm, **kwargs)
        form.by = request.user
        return form

    def save_model(self, request: HttpRequest, obj: DeviceAssignment, form: Any, change: bool) -> None:
        """The form's deed has saved it."""
