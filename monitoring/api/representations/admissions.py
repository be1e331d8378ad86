"""A patient's stay as the API answers it, with the beds of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import prefetch_related_objects

from monitoring.models import Admission, Placement

RELATED = ("patient", "admitted_by", "discharged_by")  # to be selected with the stays, to save queries


def read(stays: Sequence[Admission]) -> list[dict[str, Any]]:
    """All of them at once: one query for the beds, and one for each of RELATED that has not come with the stays."""
    prefetch_related_objects(stays, *RELATED)
    found: dict[int, list[Placement]] = {}
    beds = Placement.objects.filter(admission__in=[stay.pk for stay in stays]).select_related("bed__ward")
    for placement in beds.order_by("started_at", "pk"):
        found.setdefault(placement.admission_id, []).append(placement)
    return [_read(stay, found.get(stay.pk, [])) for stay in stays]


def _read(stay: Admission, beds: Sequence[Placement]) -> dict[str, Any]:
    last = beds[-1].bed if beds else None
    return {
        "id": str(stay.pk),
        "patient_id": stay.patient.patient_id,
        "status": "admitted" if stay.is_open else "discharged",
        "ward": last and last.ward.slug,
        "bed": last and last.name,
        "admitted_at": stay.admitted_at,
        "admitted_by": stay.admitted_by and str(stay.admitted_by),
        "discharged_at": stay.discharged_at,
        "discharged_by": stay.discharged_by and str(stay.discharged_by),
        "notes": stay.notes or None,
        "placements": [
            {"ward": each.bed.ward.slug, "bed": each.bed.name, "started_at": each.started_at, "ended_at": each.ended_at}
            for each in beds
        ],
    }
