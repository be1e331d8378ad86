"""Patients: never deleted, archived."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from accounts.access import Permission
from accounts.admin.keeping import Kept, NamedChoices, OfVisibleWards
from accounts.models import User, Ward
from monitoring import realtime
from monitoring.admin import limits
from monitoring.admin.dossiers import HasDossier
from monitoring.admin.forms import VersionedForm
from monitoring.admin.overrides import SetsLimits, may_set
from monitoring.clinical.bands import months
from monitoring.models import Admission, Alert, Patient, Placement, PregnancyChange, ScaleChange
from monitoring.models.patient import today
from monitoring.services import care, dossiers, patients, suggestions
from monitoring.services.layers import Scope


class ArchivedFilter(NamedChoices):
    title = parameter_name = "archived"
    means = {"no": Q(archived_at=None), "yes": Q(archived_at__isnull=False)}


class PatientForm(VersionedForm):
    by: ClassVar[User]

    scale = forms.TypedChoiceField(
        label="NEWS2 scale of the saturation", choices=Patient.SCALES, coerce=int, empty_value=None, required=False
    )
    scale_why = forms.CharField(
        label="why", max_length=200, required=False, help_text="Scale 2 needs a reason: the diagnosis, and who prescribed it."
    )

    expecting = forms.TypedChoiceField(
        label="pregnant", choices=[(0, "no"), (1, "yes: no NEWS2")], coerce=int, empty_value=None, required=False
    )
    expecting_why = forms.CharField(
        label="why", max_length=200, required=False, help_text="“Yes” needs a reason: the week, and who says so."
    )

    class Meta:
        model = Patient
        fields = ("patient_id", "name", "gender", "birth_date", "user")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scale"].initial = self.instance.spo2_scale
        self.fields["expecting"].initial = int(self.instance.pregnant)

    @property
    def new_scale(self) -> int | None:
        """The scale that is wanted, if it is another one."""
        wanted = self.cleaned_data.get("scale")
        return wanted if self.instance.pk and wanted and wanted != self.instance.spo2_scale else None

    @property
    def new_pregnancy(self) -> bool | None:
        """Whether the patient is said to be pregnant, if that is another word than before."""
        wanted = self.cleaned_data.get("expecting")
        return bool(wanted) if self.instance.pk and wanted is not None and bool(wanted) != self.instance.pregnant else None

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.new_scale and not care.may(self.by, self.instance, Permission.SET_SCALE):
            self.add_error("scale", "Only a doctor of the ward may change the scale.")
        elif self.new_scale == 2 and not self.cleaned_data.get("scale_why"):
            self.add_error("scale_why", "Scale 2 needs a reason.")
        if self.new_pregnancy is not None and not care.may(self.by, self.instance, Permission.SET_PREGNANCY):
            self.add_error("expecting", "Only a doctor of the ward may say so: NEWS2 is off or on with it.")
        elif self.new_pregnancy and not self.cleaned_data.get("expecting_why"):
            self.add_error("expecting_why", "A pregnancy switches NEWS2 off: say why.")
        return cleaned


@admin.register(Patient)
class PatientAdmin(Kept, OfVisibleWards, HasDossier, SetsLimits):
    patient_path = "."
    fields_told_by_verb = frozenset({"scale", "scale_why", "expecting", "expecting_why"})
    named_by = "patient_id"
    to_add, to_change = Permission.REGISTER, Permission.CHANGE_PATIENT
    form = PatientForm
    list_display = ("patient_id", "name", "gender", "birth_date", "bed", "open_alerts", "archived_at")
    list_display_links = ("patient_id", "name")
    list_filter = (ArchivedFilter,)
    search_fields = ("patient_id__startswith",)
    autocomplete_fields = ("user",)
    search_help_text = "Search by the beginning of a patient id. Names would end up in addresses and logs."
    ordering = ("patient_id",)
    actions = ("archive", "bring_back")
    show_full_result_count = False

    def within(self, rows: QuerySet[Patient], wards: QuerySet[Ward]) -> QuerySet[Patient]:
        return rows.filter(pk__in=Patient.objects.of_wards(wards).values("pk"))

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
        if obj is None:
            return (person,)
        scale = ("scale", "scale_why") if self._may(request, obj, Permission.SET_SCALE) else ("spo2_scale",)
        pregnant = ("expecting", "expecting_why") if self._may(request, obj, Permission.SET_PREGNANCY) else ("pregnant",)
        scores = ("Scores", {"fields": (*scale, "scale_history", *pregnant, "pregnancy_history")})
        login = (("Own login", {"fields": ("user",)}),) if self.allows(request, Permission.RUN_HOSPITAL, None) else ()
        known = ("way_to_dossier",) if isinstance(request.user, User) and dossiers.may_read(request.user, obj) else ()
        now = (
            "Now",
            {"fields": ("stay", "way_to_vitals", *known, "open_alerts", "limits_in_force", "suggestion", "limits_history")},
        )
        return (person, scores, *login, now)

    @admin.display(description="vitals")
    def way_to_vitals(self, patient: Patient) -> SafeString:
        return format_html('<a class="button" href="{}">All vitals</a>', reverse("patient-vitals", args=[patient.patient_id]))

    def get_readonly_fields(self, request: HttpRequest, obj: Patient | None = None) -> tuple[str, ...]:
        now = ("stay", "way_to_vitals", "way_to_dossier", "open_alerts", "limits_in_force", "suggestion", "limits_history")
        settled = ("spo2_scale", "scale_history", "pregnant", "pregnancy_history")
        if obj is None:
            return (*now, *settled)
        himself = () if self.allows(request, Permission.CHANGE_PATIENT, obj) else ("name", "gender", "birth_date")
        return ("patient_id", *himself, *now, *settled)  # devices know the patient by this id

    def get_form(self, request: HttpRequest, obj: Patient | None = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.by = request.user
        return form

    def has_change_permission(self, request: HttpRequest, obj: Patient | None = None) -> bool:
        """Also where a nurse may set limits: the person himself she leaves as he is."""
        return super().has_change_permission(request, obj) or (obj is not None and may_set(request, obj))

    def has_archive_permission(self, request: HttpRequest) -> bool:
        return self.allows(request, Permission.ARCHIVE, None)

    def _may(self, request: HttpRequest, patient: Patient, permission: Permission) -> bool:
        return self.has_change_permission(request, patient) and self.allows(request, permission, patient)

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
        shown = limits.table(Scope(patient=patient))
        if months(patient.birth_date, on=today()) is not None:
            return shown
        why = "the birth date cannot be right" if patient.birth_date else "there is no birth date"
        return format_html("{}<p>Adult limits: {}.</p>", shown, why)

    @admin.display(description="limits so far")
    def limits_history(self, patient: Patient) -> SafeString | str:
        return limits.history(Scope(patient=patient))

    @admin.display(description="scale so far")
    def scale_history(self, patient: Patient) -> SafeString | str:
        changes = ScaleChange.objects.filter(patient=patient).select_related("by").order_by("-pk")
        lines = [(f"{timezone.localtime(one.at):%Y-%m-%d %H:%M}", one.was, one.becomes, one.by, one.why) for one in changes]
        return format_html_join("", "<div>{}: scale {} → {} by {}. {}</div>", lines) if lines else "always 1"

    @admin.display(description="pregnancy so far")
    def pregnancy_history(self, patient: Patient) -> SafeString | str:
        changes = PregnancyChange.objects.filter(patient=patient).select_related("by").order_by("-pk")
        lines = [
            (f"{timezone.localtime(one.at):%Y-%m-%d %H:%M}", "pregnant" if one.becomes else "not pregnant", one.by, one.why)
            for one in changes
        ]
        return format_html_join("", "<div>{}: {}, says {}. {}</div>", lines) if lines else "nobody has changed it"

    @admin.display(description="suggestion")
    def suggestion(self, patient: Patient) -> SafeString:
        way, words = "?suggest=1", "Fill in limits from the last values"
        return format_html('<a class="button" href="{}">{}</a> Nothing is saved by it.', way, words)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "GET" and "suggest" in request.GET:
            self._suggest(request, self.get_object(request, object_id))
        return super().change_view(request, object_id, *args, **kwargs)

    def _suggest(self, request: HttpRequest, patient: Patient | None) -> None:
        """Hand suggested limits to the lines of the page, which a person looks at and saves, or not."""
        if patient is None:
            return
        try:
            suggested = suggestions.for_patient(patient, now=timezone.now())
        except suggestions.NotAnAdult:
            self.message_user(request, "No suggestion: the formulas are for adults.", "warning")
            return
        request.suggested = suggested  # type: ignore[attr-defined]  # to the lines of this page
        said = f"{len(suggested)} limits are filled in below from the last values: look at each, then save or leave."
        self.message_user(request, said if suggested else "The last values suggest no other limits.", "info")

    def save_model(self, request: HttpRequest, obj: Patient, form: Any, change: bool) -> None:
        if change:
            obj.version += 1
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The board shows the patient as he is now."""
        assert isinstance(request.user, User)
        super().save_related(request, form, formsets, change)
        by, now = request.user, timezone.now()
        if scale := form.new_scale:
            patients.set_scale(form.instance, scale=scale, by=by, at=now, why=form.cleaned_data["scale_why"])
        if (pregnant := form.new_pregnancy) is not None:
            patients.set_pregnant(form.instance, pregnant=pregnant, by=by, at=now, why=form.cleaned_data["expecting_why"])
        lies = Placement.objects.filter(admission__patient=form.instance, is_open=True)
        realtime.beds_changed({ward: [bed] for ward, bed in lies.values_list("bed__ward", "bed")})

    @admin.action(description="Archive: keep the record, out of the way", permissions=["archive"])
    def archive(self, request: HttpRequest, chosen: QuerySet[Patient]) -> None:
        for patient in chosen:
            try:
                self._act(request, patient, patients.archive, "Archived.")
            except patients.StillAdmitted:
                self.message_user(request, f"{patient} is still admitted: discharge first.", "error")

    @admin.action(description="Bring back from the archive", permissions=["archive"])
    def bring_back(self, request: HttpRequest, chosen: QuerySet[Patient]) -> None:
        for patient in chosen:
            self._act(request, patient, patients.bring_back, "Brought back from the archive.")

    def _act(self, request: HttpRequest, patient: Patient, verb: Callable[..., bool], said: str) -> None:
        if verb(patient, by=request.user, at=timezone.now()):
            self.log_deed(request, patient, said)
            self.message_user(request, f"{patient}: {said.lower()}", "success")
