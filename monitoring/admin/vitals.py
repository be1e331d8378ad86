"""Vital signs: one can be written down by hand, and is judged like every other; each is put right on a page of its own."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from accounts.access import Permission
from accounts.admin.keeping import Kept, OfVisibleWards
from accounts.admin.paging import Endless
from accounts.fields import validate_sensor_id
from accounts.models import User, Ward
from monitoring.admin.forms import PastOrNow
from monitoring.admin.limits import sign_name
from monitoring.clinical.alarm import LIVE_WINDOW
from monitoring.clinical.signs import PRESSURES, Sign, plain
from monitoring.clinical.silence import BY_HAND
from monitoring.models import Patient, Placement, Vital
from monitoring.services import alerts, care, entries
from monitoring.services.items import PRESSURE_ORDER, RANGES

SIGNS = tuple(sign.value for sign in Sign)
MEASURED = (*SIGNS, "consciousness", "on_oxygen", "oxygen_flow")


class VitalForm(forms.ModelForm):
    """A reading by hand. It belongs to the stay that the patient was in when it was measured."""

    by: ClassVar[User]

    # It becomes a sensor of who writes it down: no field of the row.
    sensor = forms.CharField(max_length=64, validators=[validate_sensor_id], initial=BY_HAND, help_text="Where it comes from.")
    measured_at = PastOrNow()

    class Meta:
        model = Vital
        fields = ("patient", "measured_at", *MEASURED)

    def clean_patient(self) -> Patient:
        patient: Patient = self.cleaned_data["patient"]
        if not care.may(self.by, patient, Permission.RECORD):
            raise forms.ValidationError("Your role may not write vitals down in this patient's ward.")
        return patient

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        self._keep_ranges()
        self._keep_pressure_order()
        if not self.errors and not any(self.cleaned_data.get(name) not in (None, "") for name in MEASURED):
            self.add_error(None, "Give at least one value.")
        if not self.errors:
            self._bind()
        return cleaned

    def _keep_ranges(self) -> None:
        """Kept to 0.01, and only what a sensor can measure at all."""
        for name, (lowest, highest) in RANGES.items():
            value = self.cleaned_data.get(name)
            if value is None:
                continue
            self.cleaned_data[name] = round(value, 2)
            if not lowest <= value <= highest:
                self.add_error(name, f"Can be measured from {plain(lowest)} to {plain(highest)}.")

    def _keep_pressure_order(self) -> None:
        given = [sign.value for sign in PRESSURES if self.cleaned_data.get(sign.value) is not None]
        for higher, lower in pairwise(given):
            if self.cleaned_data[higher] < self.cleaned_data[lower]:
                self.add_error(lower, PRESSURE_ORDER)
                return

    def _bind(self) -> None:
        """To the stay at the time of measuring; the patient is held until commit, so that it stays so."""
        patient, at, given = (self.cleaned_data[name] for name in ("patient", "measured_at", "sensor"))
        sensor = entries.sensor_of(self.by, given)
        alerts.lock({patient.pk})
        covering = Q(started_at__lte=at) & (Q(ended_at=None) | Q(ended_at__gt=at))
        placement = Placement.objects.filter(covering, admission__patient=patient).first()
        if placement is None:
            self.add_error("patient", "The patient had no bed at that time.")
        elif Vital.objects.filter(patient=patient, measured_at=at, device=None, sensor_id__in=[sensor, given]).exists():
            self.add_error("measured_at", "This sensor has a reading of that time already; it stays.")
        else:
            self.instance.admission_id, self.instance.sensor_id = placement.admission_id, sensor


def _column(sign: Sign) -> Callable[[Vital], str]:
    """A column as a nurse writes it: 97, 36.6."""

    @admin.display(description=sign_name(sign), empty_value="–")
    def value(vital: Vital) -> str:
        measured = getattr(vital, sign)
        return "" if measured is None else plain(measured)

    return value


@admin.register(Vital)
class VitalAdmin(Kept, OfVisibleWards, Endless):
    patient_path = "patient"
    to_add = Permission.RECORD
    form = VitalForm
    list_display = ("measured", "patient", "sensor_id", *map(_column, Sign), "late", "in_error")
    search_fields = ("patient__patient_id",)
    search_help_text = "The newest are listed; a whole patient id lists that patient's."
    autocomplete_fields = ("patient",)
    shown_beside = ("patient",)
    actions = None

    def within(self, rows: QuerySet[Vital], wards: QuerySet[Ward]) -> QuerySet[Vital]:
        return rows.filter(patient__in=Patient.objects.of_wards(wards).values("pk"))

    @admin.display(description="measured at")
    def measured(self, vital: Vital) -> str:
        return f"{localtime(vital.measured_at):%Y-%m-%d %H:%M:%S}"

    @admin.display(description="entered in error", boolean=True)
    def in_error(self, vital: Vital) -> bool:
        return vital.erroneous_at is not None

    @admin.display(description="corrections")
    def way_to_corrections(self, vital: Vital) -> SafeString:
        way = reverse("patient-vital", args=[vital.patient.patient_id, vital.pk])
        said = "entered in error" if vital.erroneous_at else f"version {vital.version}"
        return format_html('<a class="button" href="{}">History and correction</a> {}', way, said)

    def get_readonly_fields(self, request: HttpRequest, obj: Vital | None = None) -> tuple[str, ...]:
        return ("way_to_corrections",) if obj else ()

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """As an index has them: all by their arrival, a patient's by the time of measuring."""
        return ("-patient_id", "-measured_at", "-sensor_id") if request.GET.get("q") else ("-pk",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Vital], search_term: str
    ) -> tuple[QuerySet[Vital], bool]:
        if not search_term.strip():
            return queryset, False
        patients = self.admin_site.get_model_admin(Vital._meta.get_field("patient").related_model).get_queryset(request)
        found = patients.filter(patient_id=search_term.strip()).values_list("pk", flat=True).first()
        return (queryset.filter(patient=found) if found else queryset.none()), False

    def get_sortable_by(self, request: HttpRequest) -> tuple[str, ...]:
        return ()

    def get_fieldsets(self, request: HttpRequest, obj: Vital | None = None) -> Any:
        of = ("patient", "sensor_id" if obj else "sensor", "measured_at")
        known = ("device", "admission", "received_at", "late", "status", "way_to_corrections") if obj else ()
        return (
            (None, {"fields": (*of, *known)}),
            ("Values, each in its unit; leave out what was not measured", {"fields": MEASURED}),
        )

    def has_change_permission(self, request: HttpRequest, obj: Vital | None = None) -> bool:
        """A reading stays as it was measured; a doctor corrects it on its page, with a reason."""
        return False

    def get_form(self, request: HttpRequest, obj: Vital | None = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.by = request.user
        return form

    def save_model(self, request: HttpRequest, obj: Vital, form: Any, change: bool) -> None:
        """Saving it singly has it judged, in the same transaction."""
        obj.received_at = timezone.now()
        obj.late = obj.received_at - obj.measured_at > LIVE_WINDOW
        super().save_model(request, obj, form, change)
