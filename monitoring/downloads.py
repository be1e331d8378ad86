"""The pages from which a person takes an export or a chart: of which time, what and as which kind of file."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts import access, audit
from accounts.access import Permission
from accounts.models import User, Ward
from accounts.views.pages import SignedIn
from monitoring import files
from monitoring.admin.load import Moment
from monitoring.files import Format
from monitoring.models import Patient, Placement
from monitoring.services import care, charts, exports
from monitoring.services.exports import Export, What

MOST_HELD = 300_000  # rows that a browser holds in memory before it saves them, if it can write to the disk while they come
HOUR = timedelta(hours=1)
PERIODS = {"8h": 8 * HOUR, "24h": 24 * HOUR, "7d": 7 * 24 * HOUR}
CHOICES = [("8h", "the last 8 hours"), ("24h", "the last 24 hours"), ("7d", "the last 7 days"), ("own", "from … until …")]


class Time(forms.Form):
    """Up to now, or from a moment until another: by the clock on the wall, or with an offset."""

    longest: ClassVar[timedelta] = exports.LONGEST
    period = forms.ChoiceField(choices=CHOICES, label="Time")

    def __init__(self, told: QueryDict | None, *, now: datetime) -> None:
        if told is not None:
            told = told.copy()
            told.setdefault("period", "own" if "from" in told else "8h")
        super().__init__(told, auto_id=f"{type(self).__name__.lower()}-%s")
        self.now = now
        self.fields |= {
            "from": forms.DateTimeField(label="From", required=False, widget=Moment()),
            "to": forms.DateTimeField(label="Until", required=False, widget=Moment()),
        }

    def clean(self) -> dict[str, Any]:
        told = self.cleaned_data
        if told.get("period") == "own":
            self._check(told.get("from"), told.get("to"))
        return told

    def _check(self, since: datetime | None, until: datetime | None) -> None:
        for name, moment in (("from", since), ("to", until)):
            if moment is None and name not in self.errors:
                self.add_error(name, "Say when.")
        if since is None or until is None:
            return
        if found := files.fault_of(since, until, now=self.now):
            self.add_error(*found)
        elif until - since > self.longest:
            self.add_error("to", f"At most {self.longest.days} days at once.")

    @property
    def span(self) -> tuple[datetime, datetime]:
        told = self.cleaned_data
        if told["period"] == "own":
            return told["from"], told["to"]
        return self.now - PERIODS[told["period"]], self.now


class FileWanted(Time):
    what = forms.ChoiceField(choices=[(each.value, each.value) for each in What])
    format = forms.ChoiceField(choices=[(Format.CSV.value, "CSV"), (Format.XLSX.value, "XLSX, for a spreadsheet")])


class ChartWanted(Time):
    longest = charts.LONGEST
    name = forms.BooleanField(label="Print the patient's name", required=False)


@require_GET
@never_cache
@login_required
def of_patient(request: SignedIn, patient_id: str) -> HttpResponseBase:
    """Of one patient, and the way to his chart."""
    return _page(request, patient_of(request.user, patient_id))


@require_GET
@never_cache
@login_required
def of_ward(request: SignedIn, slug: str) -> HttpResponseBase:
    """Of a ward, and the way to each of its patients."""
    ward = get_object_or_404(Ward.objects.visible_to(request.user), slug=slug)
    if Permission.EXPORT not in access.permissions(request.user, ward):
        raise PermissionDenied
    return _page(request, ward)


def patient_of(person: User, patient_id: str) -> Patient:
    """A patient whom this person may see, else 404, and whose values he may take out of the house, else 403."""
    patient = get_object_or_404(Patient.objects.visible_to(person).named(patient_id))
    if not care.may(person, patient, Permission.EXPORT):
        raise PermissionDenied
    return patient


def _page(request: SignedIn, subject: Patient | Ward) -> HttpResponseBase:
    """The questions; once they are answered, the file."""
    now = timezone.now()
    if "format" not in request.GET:
        of = {"patient": subject.patient_id} if isinstance(subject, Patient) else {"ward": subject}
        audit.saw(by=request.user, at=now, page="export", **of)
        return _asked(request, subject, FileWanted(None, now=now))
    wanted = FileWanted(request.GET, now=now)
    if not wanted.is_valid():
        return _asked(request, subject, wanted, status=422)
    export = Export(subject, What(wanted.cleaned_data["what"]), *wanted.span)
    try:
        return files.answer(export, Format(wanted.cleaned_data["format"]), request=request, by=request.user, now=now)
    except files.TooMany as too_many:
        wanted.add_error("format", str(too_many))
        return _asked(request, subject, wanted, status=422)
    except files.Crowded:
        wanted.add_error(None, "Several exports are under way already. Try again in a moment.")
        answer = _asked(request, subject, wanted, status=503)
        answer.headers["Retry-After"] = str(files.WAIT)
        return answer


def _asked(request: HttpRequest, subject: Patient | Ward, wanted: FileWanted, *, status: int = 200) -> HttpResponse:
    told: dict[str, Any] = {"form": wanted, "subject": subject, "most_held": MOST_HELD}
    if isinstance(subject, Patient):
        told |= {"patient": subject, "chart": ChartWanted(None, now=wanted.now), "ward": care.ward_of(subject)}
    else:
        lying = Placement.objects.filter(bed__ward=subject, is_open=True).order_by("bed__position")
        told |= {"ward": subject, "lying": lying.values_list("bed__name", "admission__patient__patient_id")}
    return render(request, "export.html", told, status=status)
