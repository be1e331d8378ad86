"""A ward of simulated patients in the local database, for load and for written scenarios."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts import keys
from accounts.models import Bed, Device, Ward
from monitoring.demo import sources
from monitoring.demo.sources import Source
from monitoring.models import Patient, Placement, Vital
from monitoring.services import admissions

SLUG = "simulation"
HIGHEST = 32_767  # a patient's number is the bed's position too, which is a small integer


class NotSimulated(Exception):
    """A patient of this number exists and does not lie in the simulation ward: it may be a real one."""


@transaction.atomic
def prepare(*, patients: int, start_id: int, zero_is_absent: bool, at: datetime) -> list[Source]:
    """Patients in beds of the simulation ward and a gateway with a new key that sends for them. Raises NotSimulated."""
    ward = _ward(patients=patients, start_id=start_id, at=at)
    gateway = _device(f"SIM-GATEWAY-{start_id}", Device.Kind.GATEWAY, ward, zero_is_absent=zero_is_absent)
    return sources.of_gateway(keys.rotate(gateway, at=at, by=None, overlap=keys.AT_ONCE), patients=patients, start_id=start_id)


@transaction.atomic
def prepare_monitor(*, patients: int, start_id: int, at: datetime) -> list[Source]:
    """The same patients, and one monitor with a new key, on the first of them. Raises NotSimulated."""
    ward = _ward(patients=patients, start_id=start_id, at=at)
    monitor = _device(f"SIM-MONITOR-{start_id}", Device.Kind.MONITOR, ward, zero_is_absent=False)
    move(monitor.name, sources.patient_id(start_id), at=at)
    return [Source("", monitor.name, keys.rotate(monitor, at=at, by=None, overlap=keys.AT_ONCE))]


def move(device: str, patient_id: str, *, at: datetime) -> None:
    """The monitor is on this patient from now."""
    patient = Patient.objects.get(patient_id=patient_id)
    admissions.assign(Device.objects.get(name=device), patient=patient, by=None, at=at)


def received(device: str, patient_ids: Sequence[str], *, since: datetime) -> dict[str, int]:
    """How many readings of the device each patient has."""
    vitals = Vital.objects.filter(device__name=device, measured_at__gte=since)
    return {patient_id: vitals.filter(patient__patient_id=patient_id).count() for patient_id in patient_ids}


def _ward(*, patients: int, start_id: int, at: datetime) -> Ward:
    ward, _ = Ward.objects.get_or_create(slug=SLUG, defaults={"name": "Simulation"})
    for number in range(start_id, start_id + patients):
        _lay_down(number, ward, at=at)
    return ward


def _lay_down(number: int, ward: Ward, *, at: datetime) -> None:
    patient, is_new = Patient.objects.get_or_create(
        patient_id=sources.patient_id(number), defaults={"name": f"Simulated {number}"}
    )
    if is_new:
        bed, _ = Bed.objects.get_or_create(ward=ward, position=number, defaults={"name": f"S{number}"})
        admissions.admit(patient, bed=bed, by=None, at=at)
    elif not Placement.objects.filter(admission__patient=patient, bed__ward=ward, is_open=True).exists():
        raise NotSimulated(patient.patient_id)


def _device(name: str, kind: str, ward: Ward, *, zero_is_absent: bool) -> Device:
    device, _ = Device.objects.update_or_create(name=name, defaults={"kind": kind, "zero_is_absent": zero_is_absent})
    device.wards.set([ward])
    return device
