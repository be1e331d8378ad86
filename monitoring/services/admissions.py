"""Admit, transfer, discharge; and which device is on whom."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from accounts import audit
from accounts.access import Permission
from accounts.models import Bed, Deed, Device, User
from accounts.transactions import retried
from monitoring import realtime
from monitoring.models import Admission, DeviceAssignment, Patient, Placement
from monitoring.services import alerts, care, layers, summaries, thresholds


class AlreadyAdmitted(Exception):
    """The patient has an open admission."""


class NotAdmitted(Exception):
    """The patient has no open admission."""


class BedTaken(Exception):
    """Another patient lies in the bed, or lay in it at that time."""


class Archived(Exception):
    """The patient's record is in the archive: it has to be brought back first."""


class TooEarly(Exception):
    """The time lies before what it would end."""


class WornElsewhere(Exception):
    """The device is on a patient of whom this person may not take it: his watch would end unseen."""


@retried
def admit(patient: Patient, *, bed: Bed, by: User | None, at: datetime, notes: str = "") -> Admission:
    """A stay begins, in a bed, not before the patient's last one ended.

    Raises Archived, AlreadyAdmitted, BedTaken, TooEarly.
    """
    alerts.lock({patient.pk})
    if Patient.objects.filter(pk=patient.pk, archived_at__isnull=False).exists():
        raise Archived
    if Admission.objects.filter(patient=patient, is_open=True).exists():
        raise AlreadyAdmitted
    if Admission.objects.filter(patient=patient, discharged_at__gt=at).exists():
        raise TooEarly
    _must_be_free(bed, at)
    admission = Admission.objects.create(patient=patient, admitted_at=at, admitted_by=by, notes=notes)
    Placement.objects.create(admission=admission, bed=bed, started_at=at)
    summaries.begin(patient, at=at)
    _record(Deed.ADMITTED, admission, by=by, bed=bed, said_at=at)
    realtime.beds_changed({bed.ward_id: [bed.pk]})
    return admission


@retried
def transfer(admission: Admission, *, bed: Bed, by: User | None, at: datetime) -> Placement:
    """The patient changes bed at that instant; open alerts go along when it is said, as nobody is called in the past.

    Raises NotAdmitted, BedTaken, TooEarly.
    """
    left = _open_placement(admission, at)
    if left.bed_id == bed.pk:
        return left
    _must_be_free(bed, at)
    Placement.objects.filter(pk=left.pk).update(ended_at=at, is_open=None)
    placement = Placement.objects.create(admission=admission, bed=bed, started_at=at)
    alerts.move(admission, to=bed.ward, by=by, at=timezone.now())
    _record(Deed.TRANSFERRED, admission, by=by, bed=bed, said_at=at, left=left.bed)
    realtime.beds_changed(_by_ward(left.bed, bed))
    return placement


@retried
def discharge(admission: Admission, *, by: User | None, at: datetime, notes: str = "") -> None:
    """The stay ends: the bed is free, devices come off, the patient's own limits end, and open alerts when it is said.

    Raises NotAdmitted, TooEarly.
    """
    left = _open_placement(admission, at)
    alerts.close(admission, by=by, at=timezone.now(), note="discharged")
    Placement.objects.filter(pk=left.pk).update(ended_at=at, is_open=None)
    for assignment in DeviceAssignment.objects.filter(patient=admission.patient_id, is_open=True):
        ended_at = max(at, assignment.started_at)  # a discharge may be dated back
        DeviceAssignment.objects.filter(pk=assignment.pk).update(ended_at=ended_at, is_open=None)
    thresholds.end_of(admission.patient, by=by, at=at)
    Admission.objects.filter(pk=admission.pk).update(
        discharged_at=at, discharged_by=by, is_open=None, notes="\n".join(filter(None, [admission.notes, notes]))
    )
    _record(Deed.DISCHARGED, admission, by=by, bed=left.bed, said_at=at)
    realtime.beds_changed(_by_ward(left.bed))


@retried
def note(admission: Admission, notes: str, *, by: User, at: datetime) -> None:
    """Other words about the stay."""
    Admission.objects.filter(pk=admission.pk).update(notes=notes)
    patient, about = admission.patient, f"admission:{admission.pk}"
    ward, told = layers.ward_of(patient), {"fields": ["notes"]}
    audit.record(Deed.CHANGED, by=by, at=at, patient=patient.patient_id, ward=ward, about=about, detail=told)


@retried
def assign(device: Device, *, patient: Patient, by: User | None, at: datetime, notes: str = "") -> DeviceAssignment:
    """The device is on this patient from now; where it was before closes at that instant.

    Raises NotAdmitted, TooEarly, WornElsewhere.
    """
    list(Device.objects.select_for_update().filter(pk=device.pk).values_list("pk"))  # its readings bind before or after
    worn = DeviceAssignment.objects.filter(device=device, is_open=True).values_list("patient_id", flat=True)
    alerts.lock({patient.pk, *worn})
    if not Admission.objects.filter(patient=patient, is_open=True).exists():
        raise NotAdmitted
    former = DeviceAssignment.objects.select_related("patient").filter(device=device, is_open=True).first()
    if former:
        if former.patient_id == patient.pk:
            return former
        _end(former, by=by, at=at)
    elif DeviceAssignment.objects.filter(device=device, ended_at__gt=at).exists():
        raise TooEarly
    taken_off = former.patient.patient_id if former else ""
    _record_device(Deed.ASSIGNED, device, patient, by=by, said_at=at, taken_off=taken_off)
    return DeviceAssignment.objects.create(device=device, patient=patient, started_at=at, assigned_by=by, notes=notes)


@retried
def take_off(device: Device, *, by: User, at: datetime) -> DeviceAssignment | None:
    """The device is on nobody from now; None: it was not. Raises TooEarly, WornElsewhere."""
    list(Device.objects.select_for_update().filter(pk=device.pk).values_list("pk"))
    alerts.lock(set(DeviceAssignment.objects.filter(device=device, is_open=True).values_list("patient_id", flat=True)))
    worn = DeviceAssignment.objects.select_related("patient").filter(device=device, is_open=True).first()
    if worn is None:
        return None
    _end(worn, by=by, at=at)
    _record_device(Deed.TAKEN_OFF, device, worn.patient, by=by, said_at=at)
    return worn


def _end(assignment: DeviceAssignment, *, by: User | None, at: datetime) -> None:
    if by and not care.may(by, assignment.patient, Permission.ASSIGN):
        raise WornElsewhere
    if at < assignment.started_at:
        raise TooEarly
    assignment.ended_at, assignment.is_open = at, None  # type: ignore[assignment]  # the stubs know no nullable marker
    assignment.save(update_fields=["ended_at", "is_open"])
    alerts.release(assignment.device, patient=assignment.patient, by=by, at=at)


def _record_device(deed: Deed, device: Device, patient: Patient, *, by: User | None, **told: Any) -> None:
    """By our own clock, as all of the trail."""
    ward, about = layers.ward_of(patient), f"device:{device.name}"
    audit.record(deed, by=by, at=timezone.now(), patient=patient.patient_id, ward=ward, about=about, detail=told)


def _record(deed: Deed, admission: Admission, *, by: User | None, bed: Bed, said_at: datetime, left: Bed | None = None) -> None:
    """Written by our own clock: a stay may be dated back, a trail may not."""
    told = {"bed": bed.name, "said_at": said_at} | ({"left": left.name, "left_ward": left.ward_id} if left else {})
    about, patient = f"admission:{admission.pk}", admission.patient.patient_id
    audit.record(deed, by=by, at=timezone.now(), patient=patient, ward=bed.ward_id, about=about, detail=told)


def _open_placement(admission: Admission, at: datetime) -> Placement:
    alerts.lock({admission.patient_id})
    placement = Placement.objects.select_related("bed__ward").filter(admission=admission, is_open=True).first()
    if placement is None:
        raise NotAdmitted
    if at < placement.started_at:
        raise TooEarly
    return placement


def _must_be_free(bed: Bed, at: datetime) -> None:
    """Nobody lies in the bed, nor lay in it after that time: a value belongs to one patient."""
    if Placement.objects.filter(Q(is_open=True) | Q(ended_at__gt=at), bed=bed).exists():
        raise BedTaken


def _by_ward(*beds: Bed) -> dict[int, list[int]]:
    changed: dict[int, list[int]] = {}
    for bed in beds:
        changed.setdefault(bed.ward_id, []).append(bed.pk)
    return changed
