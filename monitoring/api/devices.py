"""Devices: which there are in one's wards, whether they live, on whom they are, and the devices' own word that they live.

`{id}` is the number that the list gives: a device's name may have a slash.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from django.db.models import Max, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.access import Permission
from accounts.api import bodies, queries
from accounts.api.queries import Nothing, Word
from accounts.models import Device, DeviceKey, ServiceToken, User, Ward
from monitoring.api.device_door import DeviceDoor, IsDevice
from monitoring.api.errors import Conflict
from monitoring.api.paging import Paged, page
from monitoring.api.representations import devices as representation
from monitoring.api.schema import devices as schema
from monitoring.api.staff import StaffView, must_of, patient_of, person_of, reader_of, ward_of
from monitoring.models import AlarmState, Alert, DeviceAssignment, Patient
from monitoring.services import admissions

LONGEST_NOTES = 512  # letters
WORN = (Device.Kind.MONITOR, Device.Kind.PILLBOX)


class Asked(Paged, kw_only=True):
    """Which devices."""

    ward: Word = ""
    name: Word = ""


class Assigning(msgspec.Struct, kw_only=True):
    patient_id: str
    notes: Annotated[str, msgspec.Meta(max_length=LONGEST_NOTES, pattern=bodies.PLAIN, description=bodies.ONE_LINE)] = ""


class NotAdmitted(exceptions.APIException):
    status_code = status.HTTP_400_BAD_REQUEST
    default_detail = "This patient is not admitted."
    default_code = "not_admitted"


class DevicesView(StaffView):
    """The devices of the wards that one may see, and those that their patients wear."""

    needs = Permission.SEE_STAFF
    asks = ("GET",)

    @schema.find
    def get(self, request: Request) -> Response:
        who, asked = reader_of(request), queries.read(request, Asked)
        found = _described(who)
        if asked.ward:
            found = found.filter(wards=ward_of(who, asked.ward))
        if asked.name:
            found = found.filter(name=asked.name)
        audit.saw(by=who, at=timezone.now(), page="api/devices")
        return page(request, found, asked, order=("name",), read=representation.read)


class DeviceView(StaffView):
    """One device, with what its sensors do wrong."""

    needs = Permission.SEE_STAFF

    @schema.read
    def get(self, request: Request, device_id: int) -> Response:
        who = reader_of(request)
        device = get_object_or_404(_described(who).select_related("state"), pk=device_id)
        audit.saw(by=who, at=timezone.now(), page="api/device")
        return Response(representation.read([device])[0] | {"sensors": representation.sensors(device)})


class AssignView(StaffView):
    """Put a device on a patient: on whom it was before, it is no more from that instant."""

    needs = Permission.ASSIGN

    @schema.assign
    def post(self, request: Request, device_id: int) -> Response:
        person, now = person_of(request), timezone.now()
        device = get_object_or_404(_visible_to(person), pk=device_id)
        wanted = bodies.read(request, Assigning)
        patient = patient_of(person, wanted.patient_id, page="assign")
        must_of(person, self.needs, patient)
        if device.kind not in WORN:
            raise Conflict(f"A {device.kind} is on no patient.", "wrong_kind")
        try:
            assignment = admissions.assign(device, patient=patient, by=person, at=now, notes=wanted.notes.strip())
        except admissions.NotAdmitted:
            raise NotAdmitted from None
        except (admissions.TooEarly, admissions.WornElsewhere) as reason:
            raise _impossible(reason) from None
        code = status.HTTP_201_CREATED if assignment.started_at == now else status.HTTP_200_OK
        return Response(representation.assignments([assignment], person)[0], status=code)


class ReleaseView(StaffView):
    """Take a device off its patient. Off already is no error."""

    needs = Permission.ASSIGN

    @schema.release
    def post(self, request: Request, device_id: int) -> Response:
        person = person_of(request)
        device = get_object_or_404(_visible_to(person), pk=device_id)
        bodies.read(request, Nothing, may_be_empty=True)
        worn_by = Patient.objects.visible_to(person).filter(device_assignments__device=device, device_assignments__is_open=True)
        if patient := worn_by.first():
            must_of(person, self.needs, patient)
        try:
            admissions.take_off(device, by=person, at=timezone.now())
        except (admissions.TooEarly, admissions.WornElsewhere) as reason:
            raise _impossible(reason) from None
        return Response(representation.read([_described(person).get(pk=device.pk)])[0])


class AssignmentsView(StaffView):
    """On whom a device has been, the last one first."""

    needs = Permission.SEE_STAFF
    asks = ("GET",)

    @schema.assignments
    def get(self, request: Request, device_id: int) -> Response:
        who, asked = reader_of(request), queries.read(request, Paged)
        device = get_object_or_404(_visible_to(who), pk=device_id)
        audit.saw(by=who, at=timezone.now(), page="api/assignments")
        found = DeviceAssignment.objects.filter(device=device).select_related("device", "patient", "assigned_by")
        order = ("-started_at", "-pk")
        return page(request, found, asked, order=order, read=lambda rows: representation.assignments(rows, who))


class HeartbeatView(DeviceDoor):
    """A device says that it lives. It is seen, and nothing else: that no data comes is missed all the same."""

    permission_classes = [IsDevice]

    @schema.heartbeat
    def post(self, request: Request) -> Response:
        bodies.read(request, Nothing, may_be_empty=True)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _visible_to(who: User | ServiceToken) -> QuerySet[Device]:
    """Those of the wards that they may see, and those that a patient of theirs wears: moved with him, it is theirs too."""
    if who.is_superuser:
        return Device.objects.all()
    in_wards = Device.wards.through.objects.filter(ward__in=Ward.objects.visible_to(who))
    worn = DeviceAssignment.objects.filter(is_open=True, patient__in=Patient.objects.visible_to(who))
    return Device.objects.filter(Q(pk__in=in_wards.values("device")) | Q(pk__in=worn.values("device")))


def _described(who: User | ServiceToken) -> QuerySet[Device]:
    """With all that is told of them. Of patients and wards whom they may not see nothing is told."""
    wards = Ward.objects.visible_to(who)
    keys = DeviceKey.objects.filter(device=OuterRef("pk")).values("device")
    heard = AlarmState.objects.filter(device=OuterRef("pk")).values("device")
    worn = DeviceAssignment.objects.filter(device=OuterRef("pk"), is_open=True)
    theirs = worn.filter(patient__in=Patient.objects.visible_to(who))
    wrong = Alert.objects.open().filter(ward__in=wards, patient=None).order_by("raised_at")
    return (
        _visible_to(who)
        .annotate(
            last_seen_at=Subquery(keys.annotate(last=Max("used_at")).values("last")),
            last_data_at=Subquery(heard.annotate(last=Max("heard_at")).values("last")),
            worn_since=Subquery(worn.values("started_at")[:1]),
            worn_by=Subquery(theirs.values("patient__patient_id")[:1]),
        )
        .prefetch_related(
            Prefetch("wards", wards.order_by("slug"), to_attr="wards_shown"), Prefetch("alerts", wrong, to_attr="wrong")
        )
    )


def _impossible(reason: Exception) -> Conflict:
    if isinstance(reason, admissions.TooEarly):
        return Conflict("The device was put on somebody later than now: look at the clocks.", "too_early")
    return Conflict("The device is on somebody else's patient: who cares for him takes it off first.", "on_another_patient")
