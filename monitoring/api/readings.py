"""One vital: read with what was changed of it, corrected, marked as entered in error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import msgspec
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.access import Permission
from accounts.api import bodies, queries
from accounts.api.bodies import fault
from accounts.api.errors import Invalid
from accounts.models import ServiceToken, User
from monitoring.api import typed, versions
from monitoring.api.moments import Moment
from monitoring.api.representations.vitals import detailed_read
from monitoring.api.schema import readings as schema
from monitoring.api.staff import RecordView, must_of, person_of, reader_of
from monitoring.clinical.signs import TYPES, Sign
from monitoring.models import Patient, Vital
from monitoring.services import corrections
from monitoring.services.corrections import CORRECTABLE

LARGEST = 256 * 1024  # bytes: what GET answered, with all that was ever corrected
FIXED = "This cannot be corrected: mark the vital as entered in error, and write it down anew."
# What GET answered besides may be sent back; it is MedQL's own word, and nobody corrects it.
OWN = ("received_at", "late", "created_at", "updated_at", "entered_in_error", "corrections")
BOUND = ("id", "patient_id", "sensor_id", "timestamp", "measured_at", "recorded_at", "status")
TIMES = ("timestamp", "measured_at", "recorded_at")

Reason = Annotated[str, msgspec.Meta(max_length=corrections.LONGEST_REASON, pattern=bodies.PLAIN, description=bodies.ONE_LINE)]

Correcting = msgspec.defstruct(
    "Correcting",
    [("version", versions.Version | None, None), ("reason", Reason | None, None)]
    + [(name, Any, msgspec.UNSET) for name in ("vital_type", "value", *CORRECTABLE, *BOUND, *OWN)],
)


class Marking(msgspec.Struct):
    version: versions.Version | None = None
    reason: Reason | None = None


class Marked(msgspec.Struct):
    version: versions.Version | None = None


class EnteredInError(exceptions.APIException):
    status_code = status.HTTP_409_CONFLICT
    default_detail = "It was entered in error and counts for nothing: write the right value down anew."
    default_code = "entered_in_error"


class VitalView(RecordView):
    """GET with its history; PUT or PATCH to correct it; DELETE to say that it was entered in error."""

    needs_to: ClassVar[Mapping[str, Permission]] = dict.fromkeys(("PUT", "PATCH", "DELETE"), Permission.CORRECT)
    asks = ("DELETE",)

    @schema.read
    def get(self, request: Request, vital_id: str) -> Response:
        return _answer(_found(reader_of(request), vital_id))

    @schema.replace
    def put(self, request: Request, vital_id: str) -> Response:
        return _corrected(request, vital_id)

    @schema.correct
    def patch(self, request: Request, vital_id: str) -> Response:
        return _corrected(request, vital_id)

    @schema.mark
    def delete(self, request: Request, vital_id: str) -> Response:
        person, vital = _to_correct(request, vital_id)
        told = bodies.read(request, Marking, may_be_empty=True)
        in_query = queries.read(request, Marked).version
        if told.version is not None and in_query is not None and told.version != in_query:
            raise Invalid([fault("version", "The body says another one than the address.", "invalid")])
        version = versions.seen(request, in_query if told.version is None else told.version)
        reason, now = (told.reason or "").strip(), timezone.now()
        try:
            return _answer(corrections.mark_in_error(vital, reason=reason, by=person, at=now, version_seen=version))
        except corrections.Stale as stale:
            return _conflict(stale.current, version)


def _corrected(request: Request, vital_id: str) -> Response:
    person, vital = _to_correct(request, vital_id)
    told = bodies.read(request, Correcting, largest=LARGEST)
    sent = {name: value for name in told.__struct_fields__ if (value := getattr(told, name)) is not msgspec.UNSET}
    version = versions.seen(request, sent.pop("version"))
    reason = (sent.pop("reason") or "").strip()
    try:
        values = _wanted(vital, sent)
        after = corrections.correct(vital, values, reason=reason, by=person, at=timezone.now(), version_seen=version)
    except corrections.Stale as stale:
        return _conflict(stale.current, version)
    except corrections.InError:
        raise EnteredInError from None
    except corrections.Invalid as invalid:
        raise Invalid([fault(each.field, each.detail, each.code) for each in invalid.faults]) from None
    return _answer(after)


def _found(who: User | ServiceToken, vital_id: str) -> Vital:
    """A vital of a patient whom they may see, which is written down; else 404."""
    theirs = Vital.objects.filter(patient__in=Patient.objects.readable_by(who).values("pk"))
    vital = get_object_or_404(theirs.named(vital_id).select_related("patient"))
    audit.saw(by=who, at=timezone.now(), patient=vital.patient.patient_id, page="api/vital")
    return vital


def _to_correct(request: Request, vital_id: str) -> tuple[User, Vital]:
    person = person_of(request)
    vital = _found(person, vital_id)
    must_of(person, Permission.CORRECT, vital.patient)
    return person, vital


def _wanted(vital: Vital, sent: dict[str, Any]) -> dict[str, Any]:
    """The values that are meant, by column. Raises Invalid, corrections.Invalid."""
    _refuse_bound(vital, sent)
    fields = corrections.read({name: value for name, value in sent.items() if name in CORRECTABLE})
    fields = {name: value for name, value in fields.items() if value != getattr(vital, name)}
    present = next(iter(vital.values.items())) if len(vital.values) == 1 else None
    shown = {"vital_type": TYPES[present[0]], "value": present[1]} if present else {"vital_type": None, "value": None}
    single = {name: sent[name] for name in ("vital_type", "value") if name in sent and sent[name] != shown[name]}
    if single and fields:
        raise Invalid([fault(next(iter(single)), "Send either the fields or one value with its type.", "invalid")])
    if single.get("value", ...) is None:
        raise Invalid([fault("value", "Say what is right, or mark the vital as entered in error.", "required")])
    if single:
        return _typed(vital, sent)
    if not any(name in sent for name in ("vital_type", "value", *CORRECTABLE)):
        raise Invalid([fault("value", "Say what is right.", "required")])
    return fields


def _typed(vital: Vital, sent: dict[str, Any]) -> dict[str, Any]:
    """`{vital_type?, value}`: of a row with one value its type may change too."""
    measured = vital.values
    only = next(iter(measured)) if len(measured) == 1 else None
    named = typed.sign_named(sent["vital_type"]) if sent.get("vital_type") is not None else only
    if named is None or (only is None and named not in measured):
        raise Invalid([fault("vital_type", "The vital has several values: say which of them.", "required")])
    value = sent["value"] if sent.get("value") is not None else measured[only or named]
    try:
        values = corrections.read({named.value: value})
    except corrections.Invalid as invalid:
        raise Invalid([fault("value", each.detail, each.code) for each in invalid.faults]) from None
    return values if only in (None, named) else values | {Sign(only).value: None}


def _refuse_bound(vital: Vital, sent: dict[str, Any]) -> None:
    """What binds a vital to its place may come back as it was answered."""
    known = detailed_read(vital, ())
    errors = [fault(name, FIXED, "invalid") for name in BOUND if name in sent and not _same(name, sent[name], known[name])]
    if errors:
        raise Invalid(errors)


def _same(name: str, sent: Any, known: Any) -> bool:
    if name not in TIMES:
        return bool(sent == known)
    try:
        return bool(msgspec.convert(sent, Moment) == known)
    except msgspec.ValidationError:
        return False


def _answer(vital: Vital) -> Response:
    return versions.tagged(detailed_read(vital, corrections.changes_of(vital)), vital.version)


def _conflict(current: Vital, expected: int) -> Response:
    record = detailed_read(current, corrections.changes_of(current))
    return versions.conflict("the vital", expected=expected, version=current.version, current=record)
