"""Vitals and alerts as a file: of a patient, or of a ward."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request

from accounts.access import Permission
from accounts.api import queries
from accounts.api.bodies import fault
from accounts.api.errors import Invalid
from accounts.models import User, Ward
from monitoring import files
from monitoring.api.errors import Busy
from monitoring.api.moments import Moment
from monitoring.api.schema import exports as schema
from monitoring.api.staff import StaffView, must, must_of, patient_of, person_of, ward_of
from monitoring.files import Format
from monitoring.models import Patient
from monitoring.services.exports import Export, What


class Asked(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What leaves, and of which time: since `from`, before `to`."""

    what: What
    format: Format
    since: Moment = msgspec.field(name="from")
    until: Moment = msgspec.field(name="to")


class Crowded(Busy):
    default_detail = "Several exports are under way already. Ask again in a moment."
    wait = files.WAIT


class ExportView(StaffView):
    needs: ClassVar[Permission] = Permission.EXPORT
    asks = ("GET",)
    http_method_names = ["get", "options"]  # HEAD would read it all, and send nothing

    def get(self, request: Request, **address: str) -> HttpResponseBase:
        person, now = person_of(request), timezone.now()
        subject = self.subject(person, **address)
        asked = _asked(request, now)
        export = Export(subject, asked.what, asked.since, asked.until)
        try:
            return files.answer(export, asked.format, request=request._request, by=person, now=now)
        except files.Crowded:
            raise Crowded from None
        except files.TooMany as too_many:
            raise Invalid([fault("to", str(too_many), "invalid")]) from None

    def subject(self, person: User, **address: str) -> Patient | Ward:
        """What the address names, of what this person may see, else 404; and may take out of the house, else 403."""
        raise NotImplementedError


@schema.of("patient")
class PatientExportView(ExportView):
    def subject(self, person: User, **address: str) -> Patient:
        patient = patient_of(person, address["patient_id"], page="export")
        must_of(person, Permission.EXPORT, patient)
        return patient


@schema.of("ward")
class WardExportView(ExportView):
    def subject(self, person: User, **address: str) -> Ward:
        ward = ward_of(person, address["slug"])
        must(person, Permission.EXPORT, ward)
        return ward


def _asked(request: Request, now: datetime) -> Asked:
    asked = queries.read(request, Asked)
    if found := files.fault_of(asked.since, asked.until, now=now):
        raise Invalid([fault(*found, "invalid")])
    return asked
