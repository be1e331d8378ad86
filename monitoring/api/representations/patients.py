"""A patient as the API answers him: who he is, and where he lies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from accounts import access
from accounts.access import Permission, Role
from accounts.models import ServiceToken, User
from monitoring.models import Patient, Placement


def read(patients: Sequence[Patient], who: User | ServiceToken) -> list[dict[str, Any]]:
    """All of them at once: one query for the beds."""
    lying = Placement.objects.filter(admission__patient__in=[patient.pk for patient in patients], is_open=True)
    beds = {each.admission.patient_id: each for each in lying.select_related("bed__ward", "admission")}
    return [read_one(patient, beds.get(patient.pk), who) for patient in patients]


def read_one(patient: Patient, lies: Placement | None, who: User | ServiceToken) -> dict[str, Any]:
    """A patient whose bed is known, or that he lies in none; by name only to whom the name is told."""
    is_named = isinstance(who, User) or Permission.SEE_NAMES in access.ROLES[Role.SERVICE]
    return {
        "patient_id": patient.patient_id,
        "name": patient.name if is_named else None,
        "gender": patient.gender,
        "birth_date": patient.birth_date,
        "ward": lies.bed.ward.slug if lies else None,
        "bed": lies.bed.name if lies else None,
        "admission": str(lies.admission_id) if lies else None,
        "version": patient.version,
        "created_at": patient.created_at,
        "updated_at": patient.updated_at,
    }
