"""POST /api/v1/vitals: the device door; and for a person or a program one typed value, written down by hand."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from django.conf import settings
from django.utils import timezone
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Permission
from accounts.api.authentication import BearerToken, StaffSession
from accounts.models import Device
from monitoring.api import typed
from monitoring.api.device_door import KEY, DeviceDoor, DeviceKeyAuthentication, MeasuresOrWritesDown
from monitoring.api.errors import Malformed, TooLarge
from monitoring.api.representations.vitals import typed_read, vital_read
from monitoring.api.schema import vitals as schema
from monitoring.services import ingestion


class VitalsView(DeviceDoor):
    """Takes a list of items (202) or a single one (201) from a device with its key, and one typed value (201) from anybody."""

    authentication_classes = [DeviceKeyAuthentication, BearerToken, StaffSession]
    permission_classes = [MeasuresOrWritesDown]
    needs: ClassVar[Permission] = Permission.RECORD
    needs_to: ClassVar[Mapping[str, Permission]] = {}

    def get_authenticate_header(self, request: Request) -> str:
        """Both ways in, to who showed nothing."""
        return KEY if KEY in request.headers else f"{KEY}, Bearer"

    @schema.send
    def post(self, request: Request) -> Response:
        if not isinstance(request.auth, Device):
            return typed.write_down(request)
        received_at = timezone.now()
        device = request.auth
        body = _body(request)
        single = body.lstrip()[:1] == b"{"
        try:
            items = ingestion.split(body)
        except ingestion.TooMany:
            raise TooLarge from None
        except ingestion.Undecodable:
            ingestion.keep_undecodable(body, device=device, received_at=received_at)
            raise Malformed from None
        outcome = ingestion.record(items, device=device, received_at=received_at)
        return _single(outcome) if single else _batch(outcome, represent="return=representation" in _prefer(request))


def _body(request: Request) -> bytes:
    """The body, by its announced size refused before it is read; Django's own limit covers the rest."""
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    announced = request.headers.get("Content-Length", "")
    if announced.isdigit() and int(announced) > most:
        raise TooLarge
    body: bytes = request._request.body
    if len(body) > most:
        raise TooLarge
    return body


def _prefer(request: Request) -> str:
    return str(request.headers.get("Prefer", "")).replace(" ", "")


def _batch(outcome: ingestion.Outcome, *, represent: bool) -> Response:
    answer: dict[str, Any] = {
        "stored": outcome.stored,
        "duplicates": outcome.duplicates,
        "rejected": [_rejection(rejection) for rejection in outcome.rejected],
    }
    if represent:
        answer["vitals"] = [vital and vital_read(vital) for vital in outcome.vitals()]
    nothing = outcome.rejected and not outcome.stored and not outcome.duplicates
    return Response(answer, status=status.HTTP_400_BAD_REQUEST if nothing else status.HTTP_202_ACCEPTED)


def _single(outcome: ingestion.Outcome) -> Response:
    (vital,), (sign,) = outcome.vitals(), outcome.signs
    if vital is None:
        first = outcome.rejected[0]
        code = typed.status_of(first.code)
        errors = [_rejection(rejection) for rejection in outcome.rejected]
        return Response({"detail": first.detail, "code": first.code, "errors": errors}, status=code)
    answer = typed_read(vital, sign) if sign else vital_read(vital)
    if outcome.rejected:
        answer["rejected"] = [_rejection(rejection) for rejection in outcome.rejected]
    return Response(answer, status=status.HTTP_201_CREATED)


def _rejection(rejection: ingestion.Rejection) -> dict[str, Any]:
    answer = asdict(rejection)
    if not rejection.field:
        del answer["field"]
    return answer
