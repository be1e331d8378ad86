"""A call for help, by the patient himself or by somebody at his bed."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Permission
from accounts.api.authentication import IsAllowed
from monitoring.api.errors import Conflict
from monitoring.api.representations import alerts as representation
from monitoring.api.schema import emergency as schema
from monitoring.api.staff import StaffView, is_patient, must_of, patient_of, person_of
from monitoring.services import admissions, calls


class CallsForHelp(IsAllowed):
    """As IsAllowed, and besides the patient, for himself."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return super().has_permission(request, view) or is_patient(request.user)


class EmergencyView(StaffView):
    needs = Permission.CALL_FOR_HELP
    permission_classes = [CallsForHelp]
    asks = ("POST",)  # it reads none: who calls for help is heard, whatever else his address says

    @schema.call
    def post(self, request: Request, patient_id: str) -> Response:
        person, now = person_of(request), timezone.now()
        patient = patient_of(person, patient_id, page="emergency")
        if patient.user_id != person.pk:
            must_of(person, Permission.CALL_FOR_HELP, patient)
        try:
            call = calls.for_help(patient, by=person, at=now)
        except admissions.NotAdmitted:
            raise Conflict("The patient is not admitted: no ward could be called.", "not_admitted") from None
        (answer,) = representation.read([call.alert])
        return Response(answer, status=status.HTTP_201_CREATED if call.is_new else status.HTTP_200_OK)
