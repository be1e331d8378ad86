"""One value with its type, `{"vital_type": "HR", "value": 72, …}`, as people and small programs send it."""

from __future__ import annotations

from typing import Annotated, Any, Never

import msgspec
from django.utils import timezone
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import bodies
from accounts.api.bodies import fault
from accounts.api.errors import Invalid
from accounts.fields import SENSOR_ID
from monitoring.api import versions
from monitoring.api.moments import Moment
from monitoring.api.representations.vitals import typed_read
from monitoring.api.staff import reader_of
from monitoring.clinical.signs import Sign
from monitoring.models import Patient
from monitoring.services import corrections, entries, items
from monitoring.services.entries import Entry
from monitoring.services.items import Refused

# An object that is refused whole answers by its reason; every reason not named here is 422.
OBJECT_STATUS = {
    "unknown_patient": status.HTTP_404_NOT_FOUND,
    "not_admitted": status.HTTP_400_BAD_REQUEST,
    "other_ward": status.HTTP_403_FORBIDDEN,
    "not_assigned": status.HTTP_403_FORBIDDEN,
    "conflict": status.HTTP_409_CONFLICT,
}
LARGEST_NUMBER = 1e9  # whatever is larger is out of every range

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Sensor = Annotated[str, msgspec.Meta(pattern=rf"^{SENSOR_ID.pattern}\Z", description="1 to 64 of A-Z a-z 0-9 . _ : / -")]
Value = Annotated[float, msgspec.Meta(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)]


class Body(msgspec.Struct):
    patient_id: Id
    vital_type: str
    value: Value
    recorded_at: Moment
    sensor_id: Sensor | None = None


class DeviceOnly(exceptions.PermissionDenied):
    default_detail = "Readings in lists are a device's: send them with its X-API-Key."
    default_code = "device_only"


class Unfit(exceptions.APIException):
    """What the door's verb refused, by its own code."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.detail, refused.code)
        self.status_code = status_of(refused.code)
        self.errors = [fault(refused.field, refused.detail, refused.code)]


def status_of(code: str) -> int:
    return OBJECT_STATUS.get(code, status.HTTP_422_UNPROCESSABLE_ENTITY)


def sign_named(vital_type: Any) -> Sign:
    """Raises Invalid."""
    sign = items.sign_of(vital_type)
    if sign is None:
        raise Invalid([fault("vital_type", items.ONE_OF, "invalid")])
    return sign


def write_down(request: Request) -> Response:
    """By a person or a program: into the record of a patient whom they may see."""
    if request._request.body.lstrip()[:1] == b"[":
        raise DeviceOnly
    told, who = bodies.read(request, Body), reader_of(request)
    sign = sign_named(told.vital_type)
    patient = Patient.objects.visible_to(who).named(told.patient_id).first()
    if patient is None:
        _refuse(Refused("unknown_patient", "There is no patient of this id.", "patient_id"))
    entry = Entry(told.vital_type, told.value, told.recorded_at, told.sensor_id)
    try:
        vital = entries.write_down(patient, entry, by=who, at=timezone.now())
    except entries.NotAllowed:
        raise exceptions.PermissionDenied("Your role may not write vitals down in this patient's ward.") from None
    except Refused as refused:
        _refuse(Refused(refused.code, refused.detail, "value" if refused.field == sign.value else refused.field))
    answer = typed_read(vital, sign, corrections.changes_of(vital) if vital.version > 1 else ())
    return versions.tagged(answer, vital.version, status.HTTP_201_CREATED)


def _refuse(refused: Refused) -> Never:
    raise Unfit(refused)
