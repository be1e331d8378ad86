"""Patients: never deleted, archived."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin.keeping import Kept, NamedChoices, OfVisibleWards
from accounts.models import User, Ward
from monitoring import realtime
from monitoring.admin import limits
from monitoring.admin.forms import VersionedForm
from monitoring.admin.overrides import SetsLimits
from monitoring.models import Admission, Alert, Patient, Placement


def visible_patients(person: User) -> QuerySet[Patient]:
    """Who lies in a ward of this person, who did last time and lies nowhere now, and who was never admitted."""
    mine = Placement.objects.filter(bed__ward__in=Ward.objects.visible_to(person))
    here = Q(pk__in=mine.filter(is_open=True).values("admission__patient"))
    was_here = Q(pk__in=mine.values("admission__patient"))
    elsewhere = Q(pk__in=Admission.objects.filter(is_open=True).values("patient"))
    return Patient.objects.filter(here | (~elsewhere & (was_here | Q(admissions=None))))


class ArchivedFilter(NamedChoices):
    title = parameter_name = "archived"
    means = {"no": Q(archived_at=None), "yes": Q(archived_at__isnull=False)}


class PatientForm(VersionedForm):
    class Meta:
        model = Patient
        fields = ("patient_id", "name", "gender", "birth_date")


@admin.register(Patient)
class PatientAdmin(Kept, OfVisibleWards, SetsLimits):
    form = PatientForm
    list_display = ("patient_id", "name", "gender", "birth_date", "bed", "open_alerts", "archived_at")
    list_display_links = ("patient_id", "name")
    list_filter = (ArchivedFilter,)
    search_fields = ("patient_id__startswith",)
    search_help_text = "Search by the beginning of a patient id. Names would end up in addresses and logs."
    ordering = ("patient_id",)
    actions = ("archive", "bring_back")
    show_full_result_count = False

    def visible(self, rows: QuerySet[Patient], person: User) -> QuerySet[Patient]:
        return rows.filter(pk__in=visible_patients(person).values("pk"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Patient]:
        lies = Placement.objects.filter(admission__patient=OuterRef("pk"), is_open=True)
        calls = Alert.objects.open().filter(patient=OuterRef("pk")).order_by().values("patient").annotate(n=Count("pk"))
        return (
            super()
            .get_queryset(request)
            .annotate(
                ward_name=Subquery(lies.values("bed__ward__name")),
                bed_name=Subquery(lies.values("bed__name")),
                open_alerts=Coalesce(Subquery(calls.values("n")), 0),
            )
        )

    def get_fieldsets(self, request: HttpRequest, obj: Patient | None = None) -> Any:
        seen = ("seen_version",) if obj and self.has_change_permission(request, obj) else ()
        person = (None, {"fields": ("patient_id", "name", "gender", "birth_date", *seen)})
        now = ("Now", {"fields": ("stay", "open_alerts", "limits_in_force")})
        return (person, now) if obj else (person,)

    def get_readonly_fields(self, request: HttpRequest, obj: Patient | None = None) -> tuple[str, ...]:
        now = ("stay", "open_alerts", "limits_in_force")
        return ("patient_id", *now) if obj else now  # devices know the patient by this id

    @admin.display(description="bed", ordering="bed_name")
    def bed(self, patient: Patient) -> str:
        name = getattr(patient, "bed_name", None)
        return f"{getattr(patient, 'ward_name', '')} {name}" if name else "–"

    @admin.display(description="open alerts", ordering="open_alerts")
    def open_alerts(self, patient: Patient) -> int:
        return getattr(patient, "open_alerts", 0)

    @admin.display(description="stay")
    def stay(self, patient: Patient) -> SafeString:
        """Where the patient lies, and the way to change it."""
        admission = Admission.objects.filter(patient=patient, is_open=True).first()
        if admission is None:
            way = reverse("admin:monitoring_admission_add")
            return format_html('not admitted: <a href="{}?patient={}">admit to a bed</a>', way, patient.pk)
        way = reverse("admin:monitoring_admission_change", args=[admission.pk])
        return format_html('{}: <a href="{}">move or discharge</a>', self.bed(patient), way)

    @admin.display(description="limits in force")
    def limits_in_force(self, patient: Patient) -> SafeString:
        return limits.table(patient=patient, ward=limits.ward_of(patient))

    def save_model(self, request: HttpRequest, obj: Patient, form: Any, change: bool) -> None:
        if change:
            obj.version += 1
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The board shows the patient as he is now."""
        super().save_related(request, form, formsets, change)
        lies = Placement.objects.filter(admission__patient=form.instance, is_open=True)
        realtime.beds_changed({ward: [bed] for ward, bed in lies.values_list("bed__ward", "bed")})

    @admin.action(description="Archive: keep the record, out of the way", permissions=["change"])
    def archive(self, request: HttpRequest, patients: QuerySet[Patient]) -> None:
        for patient in patients.filter(archived_at=None):
            if Admission.objects.filter(patient=patient, is_open=True).exists():
                self.message_user(request, f"{patient} is still admitted: discharge first.", "error")
                continue
            self._set_archived(request, patient, "Archived.")

    @admin.action(description="Bring back from the archive", permissions=["change"])
    def bring_back(self, request: HttpRequest, patients: QuerySet[Patient]) -> None:
        for patient in patients.exclude(archived_at=None):
            self._set_archived(request, patient, "Brought back from the archive.")

    def _set_archived(self, request: HttpRequest, patient: Patient, deed: str) -> None:
        now = timezone.now()
        at = None if patient.archived_at else now
        Patient.objects.filter(pk=patient.pk).update(archived_at=at, updated_at=now, version=F("version") + 1)
        self.log_change(request, patient, deed)
        self.message_user(request, f"{patient}: {deed.lower()}", "success")
