"""The doors for people and programs: who asks, what his role allows where, and which patient he means."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts import access, audit
from accounts.access import Permission
from accounts.api import queries
from accounts.api.authentication import BearerToken, IsAllowed, StaffSession
from accounts.api.queries import Nothing
from accounts.models import ServiceToken, User, Ward
from monitoring.models import Patient
from monitoring.models.patient import PatientQuerySet
from monitoring.services import care


class StaffView(APIView):
    """For people, by token or browser, and programs, whose role allows in some ward at least what the method needs.

    `needs` is for every method that `needs_to` does not name; one of a set lets in, and what is sent says which it takes.
    In which ward it must be is asked where the row is found: `must`.
    The methods of `asks` read the parameters of their address themselves; to the others there are none to say.
    """

    authentication_classes = [BearerToken, StaffSession]
    permission_classes = [IsAllowed]
    needs: ClassVar[Permission] = Permission.READ_RECORD
    needs_to: ClassVar[Mapping[str, Permission | frozenset[Permission]]] = {}
    asks: ClassVar[Collection[str]] = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method not in {*self.asks, "OPTIONS"} and hasattr(self, method.lower()):  # else 405, whatever the address says
            queries.read(request, Nothing)


class ReadsRecord(IsAllowed):
    """As IsAllowed, and besides the patient himself, who reads what is his."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return super().has_permission(request, view) or (request.method in SAFE_METHODS and is_patient(request.user))


class RecordView(StaffView):
    """Part of a patient's record: for staff and programs, and to read for the patient himself."""

    permission_classes = [ReadsRecord]


def reader_of(request: Request) -> User | ServiceToken:
    who: Any = request.user
    assert isinstance(who, User | ServiceToken)  # the door lets nobody else in
    return who


def is_patient(who: Any) -> bool:
    """Whether this is the own login of a patient."""
    return isinstance(who, User) and who.is_active and Patient.objects.filter(user=who, archived_at=None).exists()


def person_of(request: Request) -> User:
    """Who may do what only people do."""
    who = reader_of(request)
    if isinstance(who, ServiceToken):
        raise PermissionDenied("A program only reads.")
    return who


def must(who: User | ServiceToken, permission: Permission, ward: Ward) -> None:
    """Raises PermissionDenied where this person or program may not do this in this ward."""
    if permission not in access.permissions(who, ward):
        raise PermissionDenied(IsAllowed.message)


def must_of(who: User, permission: Permission, patient: Patient) -> None:
    """Raises PermissionDenied where this person may not do this to the patient."""
    if not care.may(who, patient, permission):
        raise PermissionDenied(IsAllowed.message)


class NoPatient(NotFound):
    default_detail = "There is no such patient, or he is not yours to see."


class NoWard(NotFound):
    default_detail = "There is no such ward, or it is not yours to see."


def patient_of(who: User | ServiceToken, patient_id: str, *, page: str) -> Patient:
    """A patient whom they may see, and now do; for a patient that is himself. Else 404."""
    # One after the other: together they are one question that takes longer than both.
    return _seen(who, patient_id, (Patient.objects.visible_to(who), Patient.objects.own(who)), page)


def arriving(who: User, patient_id: str) -> Patient:
    """Somebody to be admitted, whosever patient he was before: who knows his whole id has him there. Else 404."""
    return _seen(who, patient_id, (Patient.objects.admissible_by(who),), "admit")


def ward_of(who: User | ServiceToken, slug: str) -> Ward:
    """A ward that they may see; else 404, which says that it is the ward, since the address may name more than that."""
    ward = Ward.objects.visible_to(who).filter(slug=slug).first()
    if ward is None:
        raise NoWard
    return ward


def _seen(who: User | ServiceToken, patient_id: str, among: Iterable[PatientQuerySet], page: str) -> Patient:
    patient = next((found for rows in among if (found := rows.named(patient_id).first())), None)
    if patient is None:
        raise NoPatient
    audit.saw(by=who, at=timezone.now(), patient=patient.patient_id, page=f"api/{page}")
    return patient
