"""Whose is a reading: patient, admission and device bind at the time it was measured, never at receipt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from accounts.models import Device
from monitoring.models import DeviceAssignment, Patient, Placement
from monitoring.services.items import Item, Refused


@dataclass
class Addresses:
    """Where the items of one batch may go, read in a fixed number of queries; the patients are locked until commit."""

    kind: str
    wards: frozenset[int]
    patients: dict[str, int]
    placements: dict[int, list[Placement]]
    assignments: list[DeviceAssignment]

    @classmethod
    def of(cls, device: Device, items: Sequence[Item], *, received_at: datetime) -> Addresses:
        times = [item.measured_at or received_at for item in items if not item.address_refused]
        first, last = min(times, default=received_at), max(times, default=received_at)
        then = Q(started_at__lte=last) & (Q(ended_at=None) | Q(ended_at__gt=first))
        assignments = [] if device.kind == Device.Kind.GATEWAY else _assignments(device, then)
        named = {item.patient_id for item in items if item.patient_id and not item.address_refused}
        named |= {assignment.patient.patient_id for assignment in assignments}
        rows = Patient.objects.select_for_update().filter(patient_id__in=named).order_by("pk")
        patients = {row.patient_id: row.pk for row in rows.only("patient_id")}
        placements: dict[int, list[Placement]] = {}
        for placement in Placement.objects.filter(then, admission__patient__in=patients.values()).select_related(
            "admission", "bed"
        ):
            placements.setdefault(placement.admission.patient_id, []).append(placement)
        wards = frozenset(device.wards.values_list("pk", flat=True))
        return cls(device.kind, wards, patients, placements, assignments)

    def find(self, patient_id: str | None, at: datetime) -> tuple[int, int]:
        """The (patient, admission) keys of a reading of this patient at this time. Raises Refused."""
        patient_id = patient_id or self._assigned_at(at)
        patient = self.patients.get(patient_id)
        if patient is None:
            raise Refused("unknown_patient", "There is no patient of this id.", "patient_id")
        placement = next((row for row in self.placements.get(patient, []) if _covers(row, at)), None)
        if placement is None:
            raise Refused("not_admitted", "The patient had no bed at that time.", "patient_id")
        if self.kind == Device.Kind.GATEWAY:
            if placement.bed.ward_id not in self.wards:
                raise Refused("other_ward", "The patient was not in a ward of this gateway then.", "patient_id")
        elif patient_id != self._assigned_at(at):
            raise Refused("not_assigned", "The device was not assigned to this patient then.", "patient_id")
        return patient, placement.admission_id

    def _assigned_at(self, at: datetime) -> str:
        if self.kind == Device.Kind.GATEWAY:
            raise Refused("not_assigned", "A gateway says for which patient it sends.", "patient_id")
        for assignment in self.assignments:
            if _covers(assignment, at):
                return assignment.patient.patient_id
        raise Refused("not_assigned", "The device was not assigned to a patient then.", "patient_id")


def _assignments(device: Device, then: Q) -> list[DeviceAssignment]:
    """Whom the device was on then; it cannot be put on another patient before this batch is bound."""
    list(Device.objects.select_for_update().filter(pk=device.pk).values_list("pk"))
    return list(DeviceAssignment.objects.filter(then, device=device).select_related("patient"))


def _covers(row: Placement | DeviceAssignment, at: datetime) -> bool:
    return row.started_at <= at and (row.ended_at is None or at < row.ended_at)


def placement_at(patient: Patient, at: datetime) -> Placement | None:
    """His bed at that time."""
    covering = Q(started_at__lte=at) & (Q(ended_at=None) | Q(ended_at__gt=at))
    return Placement.objects.filter(covering, admission__patient=patient).select_related("bed__ward").first()
