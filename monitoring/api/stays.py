"""Stays: a patient is admitted, changes bed, leaves. The same fact sent again is answered as it stands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import msgspec
from django.utils import timezone
from msgspec import Meta
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Permission
from accounts.api import bodies, queries
from accounts.api.bodies import fault
from accounts.api.errors import Invalid
from monitoring.api import moments
from monitoring.api.errors import Conflict
from monitoring.api.moments import Moment
from monitoring.api.paging import Paged, page
from monitoring.api.patient_body import BedName, Slug, bed_of
from monitoring.api.representations import admissions as representation
from monitoring.api.schema import stays as schema
from monitoring.api.staff import StaffView, arriving, must_of, patient_of, person_of, reader_of
from monitoring.models import Admission, Patient, Placement
from monitoring.services import admissions

ORDER = ("-admitted_at", "-pk")


class ToBed(msgspec.Struct, kw_only=True):
    ward: Slug
    bed: BedName
    at: Moment | None = None


class Leaving(msgspec.Struct, kw_only=True):
    at: Moment | None = None
    notes: Annotated[str, Meta(max_length=2000)] = ""


class StayView(StaffView):
    needs = Permission.ADMIT


class AdmitView(StayView):
    @schema.admit
    def post(self, request: Request, patient_id: str) -> Response:
        person, now = person_of(request), timezone.now()
        patient = arriving(person, patient_id)
        said = bodies.read(request, ToBed)
        bed, at = bed_of(person, said.ward, said.bed), moments.at(said.at, patient, now=now)
        try:
            with _refusing():
                stay = admissions.admit(patient, bed=bed, by=person, at=at)
        except admissions.AlreadyAdmitted:
            here = Placement.objects.filter(admission__patient=patient, bed=bed, is_open=True).select_related("admission")
            same = here.first()
            if same is None or said.at not in (None, same.admission.admitted_at):
                raise Conflict("The patient is admitted already: transfer him.", "already_admitted") from None
            stay = same.admission
        return _answer(stay)


class TransferView(StayView):
    @schema.transfer
    def post(self, request: Request, patient_id: str) -> Response:
        person, now = person_of(request), timezone.now()
        patient = patient_of(person, patient_id, page="transfer")
        must_of(person, Permission.ADMIT, patient)
        said = bodies.read(request, ToBed)
        bed, at = bed_of(person, said.ward, said.bed), moments.at(said.at, patient, now=now)
        stay = _open_stay(patient)
        with _refusing():
            admissions.transfer(stay, bed=bed, by=person, at=at)
        return _answer(stay)


class DischargeView(StayView):
    @schema.discharge
    def post(self, request: Request, patient_id: str) -> Response:
        person, now = person_of(request), timezone.now()
        patient = patient_of(person, patient_id, page="discharge")
        must_of(person, Permission.ADMIT, patient)
        said = bodies.read(request, Leaving, may_be_empty=True)
        at, notes = moments.at(said.at, patient, now=now), _text(said.notes)
        if left := _left_at(patient, said.at):
            return _answer(left)
        stay = _open_stay(patient)
        with _refusing():
            admissions.discharge(stay, by=person, at=at, notes=notes)
        stay.refresh_from_db()
        return _answer(stay)


class AdmissionsView(StaffView):
    asks = ("GET",)

    @schema.admissions
    def get(self, request: Request, patient_id: str) -> Response:
        patient = patient_of(reader_of(request), patient_id, page="admissions")
        asked = queries.read(request, Paged)
        rows = Admission.objects.filter(patient=patient).select_related(*representation.RELATED)
        return page(request, rows, asked, order=ORDER, read=representation.read)


@contextmanager
def _refusing() -> Iterator[None]:
    """What the verbs refuse, as this door says it."""
    try:
        yield
    except admissions.Archived:
        raise Conflict("The record is archived: bring it back first.", "archived") from None
    except admissions.BedTaken:
        raise Conflict("Another patient lies in this bed, or lay in it at that time.", "bed_taken") from None
    except admissions.NotAdmitted:
        raise _not_admitted() from None
    except admissions.TooEarly:
        raise Invalid(
            [fault("at", "The patient's last stay, or his present bed, began or ended after that.", "too_early")]
        ) from None


def _open_stay(patient: Patient) -> Admission:
    stay = Admission.objects.filter(patient=patient, is_open=True).first()
    if stay is None:
        raise _not_admitted()
    return stay


def _left_at(patient: Patient, said: datetime | None) -> Admission | None:
    """The stay that ended at the very time that is said, if the patient lies nowhere now."""
    if said is None or Admission.objects.filter(patient=patient, is_open=True).exists():
        return None
    return Admission.objects.filter(patient=patient, discharged_at=said).first()


def _not_admitted() -> Conflict:
    return Conflict("The patient is not admitted.", "not_admitted")


def _text(notes: str) -> str:
    lines = notes.replace("\r\n", "\n").strip().split("\n")
    if not all(line.replace("\t", " ").isprintable() for line in lines):
        raise Invalid([fault("notes", "Text, without control characters.", "invalid")])
    return "\n".join(lines)


def _answer(stay: Admission) -> Response:
    return Response(representation.read([stay])[0])
