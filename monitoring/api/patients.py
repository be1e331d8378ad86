"""Patients: who there is, who he is, and how that is changed."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import msgspec
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from msgspec import Meta
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.access import Permission
from accounts.api import bodies, queries
from accounts.api.queries import Word
from accounts.models import ServiceToken, User, Ward
from monitoring.api import patient_body, record, versions
from monitoring.api.errors import Conflict
from monitoring.api.paging import Paged, page
from monitoring.api.representations import patients as representation
from monitoring.api.schema import patients as schema
from monitoring.api.staff import RecordView, StaffView, is_patient, must, patient_of, person_of, reader_of, ward_of
from monitoring.models import Patient, Placement, Shift
from monitoring.services import admissions, patients

ORDER = ("patient_id",)
MOST_WORDS = 8  # of a name that is searched for


class Asked(Paged, kw_only=True):
    """`q`: the beginning of an id or of a bed's name. `mine`: who lies in my beds. `archived`: the others."""

    ward: Word = ""
    q: Annotated[Word, Meta(max_length=64)] = ""
    mine: bool = False
    archived: bool = False


class Name(msgspec.Struct):
    name: Annotated[str, Meta(min_length=2, max_length=200, pattern=bodies.PLAIN, description=bodies.ONE_LINE)]


class PatientsView(RecordView):
    needs_to = {"POST": Permission.REGISTER}
    asks = ("GET",)

    @schema.listed_
    def get(self, request: Request) -> Response:
        who, asked = reader_of(request), queries.read(request, Asked)
        ward = ward_of(who, asked.ward) if asked.ward else None
        audit.saw(by=who, at=timezone.now(), ward=ward, page="api/patients")
        return page(request, _chosen(who, asked, ward), asked, order=ORDER, read=partial(representation.read, who=who))

    @schema.register
    def post(self, request: Request) -> Response:
        person = person_of(request)
        said, patient_id, facts = patient_body.new(request)
        bed = patient_body.bed_of(person, said.ward, said.bed) if said.ward and said.bed else None
        if bed:
            must(person, Permission.REGISTER, bed.ward)
        try:
            with patient_body.refusing():
                patient = patients.register(patient_id, facts, bed=bed, by=person, at=timezone.now())
        except patients.DuplicateId:
            raise Conflict("There is a patient with this id already.", "duplicate") from None
        except admissions.BedTaken:
            raise Conflict("Another patient lies in this bed.", "bed_taken") from None
        (answer,) = representation.read([patient], person)
        response = versions.tagged(answer, patient.version, status.HTTP_201_CREATED)
        response["Location"] = request.build_absolute_uri(reverse("patient", args=[patient.patient_id]))
        return response


class SearchView(StaffView):
    """By name, which stands in no address."""

    needs = Permission.SEE_NAMES
    asks = ("POST",)

    @schema.search
    def post(self, request: Request) -> Response:
        who, asked = reader_of(request), queries.read(request, Paged)
        words = bodies.read(request, Name).name.split()[:MOST_WORDS]
        audit.saw(by=who, at=timezone.now(), page="api/patients/search")
        named = Q(*(Q(name__icontains=word) for word in words)) if words else Q(pk=None)
        rows = Patient.objects.visible_to(who).filter(named, archived_at=None)
        return page(request, rows, asked, order=ORDER, read=partial(representation.read, who=who))


class PatientView(RecordView):
    needs_to = {"PUT": patients.CHANGES, "PATCH": patients.CHANGES, "DELETE": Permission.ARCHIVE}

    @schema.read
    def get(self, request: Request, patient_id: str) -> Response:
        who = reader_of(request)
        patient = patient_of(who, patient_id, page="patient")
        return versions.tagged(record.of(patient, who, now=timezone.now()), patient.version)

    @schema.change
    def put(self, request: Request, patient_id: str) -> Response:
        person = person_of(request)
        patient = patient_of(person, patient_id, page="patient")
        said, facts = patient_body.changed(request)
        expected = versions.seen(request, said.version)
        try:
            with patient_body.refusing():
                patients.change(patient, facts, by=person, at=timezone.now(), version_seen=expected)
        except patients.Stale:
            patient.refresh_from_db()
            (current,) = representation.read([patient], person)
            return versions.conflict("this patient", expected=expected, version=patient.version, current=current)
        patient.refresh_from_db()
        (answer,) = representation.read([patient], person)
        return versions.tagged(answer, patient.version)

    @schema.amend
    def patch(self, request: Request, patient_id: str) -> Response:
        return self.put(request, patient_id)

    @schema.archive
    def delete(self, request: Request, patient_id: str) -> Response:
        """The record is kept, out of the way."""
        person = person_of(request)
        patient = patient_of(person, patient_id, page="patient")
        try:
            patients.archive(patient, by=person, at=timezone.now())
        except patients.StillAdmitted:
            raise Conflict("The patient is admitted: discharge him first.", "still_admitted") from None
        return Response(status=status.HTTP_204_NO_CONTENT)


def _chosen(who: User | ServiceToken, asked: Asked, ward: Ward | None) -> QuerySet[Patient]:
    # Of who is no patient himself the wards are asked alone: with "or himself" a long list takes twice as long.
    seen = Patient.objects.readable_by(who) if is_patient(who) else Patient.objects.visible_to(who)
    rows = seen.filter(archived_at__isnull=not asked.archived)
    lying = Placement.objects.filter(is_open=True)
    if ward:
        rows = rows.filter(pk__in=_patients(lying.filter(bed__ward=ward)))
    if asked.mine:
        rows = rows.filter(Q(pk__in=_patients(lying.filter(_of(who)))) | _himself(who))
    if asked.q:
        in_bed = lying.filter(bed__name__istartswith=asked.q)
        rows = rows.filter(Q(patient_id__startswith=asked.q) | Q(pk__in=_patients(in_bed)))
    return rows


def _patients(lying: QuerySet[Placement]) -> QuerySet[Any]:
    return lying.values("admission__patient")


def _himself(who: User | ServiceToken) -> Q:
    return Q(user=who.pk) if isinstance(who, User) else Q(pk=None)


def _of(who: User | ServiceToken) -> Q:
    """The beds that are this person's in the shift that is on, all of its ward where it names none; else his wards."""
    if isinstance(who, User):
        on_duty = Shift.objects.on_duty(timezone.now()).filter(user=who)
        shifts = list(on_duty.values_list("ward", "beds"))
        if shifts:
            return Q(bed__ward__in=[ward for ward, bed in shifts if bed is None]) | Q(bed__in=[bed for _, bed in shifts if bed])
    return Q(bed__ward__in=Ward.objects.visible_to(who))
