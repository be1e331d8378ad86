"""The device door: POST /api/v1/vitals."""

from dataclasses import asdict
from typing import Any, cast

from django.conf import settings
from django.utils import timezone
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Device
from monitoring.api.device_door import DeviceDoor
from monitoring.api.errors import Malformed, TooLarge
from monitoring.api.schema import vitals as schema
from monitoring.clinical.signs import Sign
from monitoring.models import Vital
from monitoring.services import ingestion

# An object that is refused whole answers by its reason; every reason not named here is 422.
OBJECT_STATUS = {
    "unknown_patient": status.HTTP_404_NOT_FOUND,
    "not_admitted": status.HTTP_400_BAD_REQUEST,
    "other_ward": status.HTTP_403_FORBIDDEN,
    "not_assigned": status.HTTP_403_FORBIDDEN,
    "conflict": status.HTTP_409_CONFLICT,
}


class VitalsView(DeviceDoor):
    """Takes a list of items (202) or a single one (201), from a device with its key."""

    @schema.send
    def post(self, request: Request) -> Response:
        received_at = timezone.now()
        device = cast(Device, request.auth)
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
    (vital,) = outcome.vitals()
    if vital is None:
        first = outcome.rejected[0]
        code = OBJECT_STATUS.get(first.code, status.HTTP_422_UNPROCESSABLE_ENTITY)
        errors = [_rejection(rejection) for rejection in outcome.rejected]
        return Response({"detail": first.detail, "code": first.code, "errors": errors}, status=code)
    answer = vital_read(vital)
    if outcome.rejected:
        answer["rejected"] = [_rejection(rejection) for rejection in outcome.rejected]
    return Response(answer, status=status.HTTP_201_CREATED)


def _rejection(rejection: ingestion.Rejection) -> dict[str, Any]:
    answer = asdict(rejection)
    if not rejection.field:
        del answer["field"]
    return answer


def vital_read(vital: Vital) -> dict[str, Any]:
    """A vital as the API answers it: the item's fields, null where absent, and what MedQL knows of it."""
    return {
        "id": str(vital.pk),
        "patient_id": vital.patient.patient_id,
        "sensor_id": vital.sensor_id,
        "timestamp": vital.measured_at,
        "measured_at": vital.measured_at,
        "received_at": vital.received_at,
        **{sign.value: getattr(vital, sign) for sign in Sign},
        "consciousness": vital.consciousness or None,
        "on_oxygen": vital.on_oxygen,
        "oxygen_flow": vital.oxygen_flow,
        "status": vital.status or None,
        "version": vital.version,
        "late": vital.late,
    }
