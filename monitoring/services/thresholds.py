"""Limits in force: the shipped defaults, overridden sign by sign by hospital, ward and patient."""

from collections.abc import Collection, Mapping

from monitoring.clinical.limits import ADULT, Limits
from monitoring.clinical.signs import Sign
from monitoring.models import Threshold
from monitoring.models.threshold import HOSPITAL, scope_of

Place = tuple[int, int]  # patient id, ward id


def in_force(places: Collection[Place]) -> dict[Place, Mapping[Sign, Limits]]:
    """The limits of each patient in each ward, every sign given; one query however many."""
    scopes = {HOSPITAL}
    for patient_id, ward_id in places:
        scopes |= {scope_of(patient_id=patient_id), scope_of(ward_id=ward_id)}
    stored: dict[str, dict[Sign, Limits]] = {}
    for threshold in Threshold.objects.filter(scope_key__in=scopes):
        stored.setdefault(threshold.scope_key, {})[Sign(threshold.sign)] = threshold.limits
    return {place: _layered(stored, *place) for place in places}


def _layered(stored: Mapping[str, Mapping[Sign, Limits]], patient_id: int, ward_id: int) -> Mapping[Sign, Limits]:
    none: Mapping[Sign, Limits] = {}
    return {
        **ADULT,
        **stored.get(HOSPITAL, none),
        **stored.get(scope_of(ward_id=ward_id), none),
        **stored.get(scope_of(patient_id=patient_id), none),
    }
