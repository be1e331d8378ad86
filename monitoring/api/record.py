"""The whole of a patient in one answer: who and how he is, what is watched, what calls, and for who treats him his dossier."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from accounts.models import ServiceToken, User, Ward
from monitoring.api.representations import alerts as of_alerts
from monitoring.api.representations import limits as of_limits
from monitoring.api.representations import patients as of_patients
from monitoring.clinical import deterioration
from monitoring.clinical.episode import State
from monitoring.clinical.scores import news2
from monitoring.clinical.scores.score import NotApplicable
from monitoring.clinical.signs import Sign
from monitoring.models import Admission, Alert, Patient, Placement
from monitoring.services import dossiers, layers
from monitoring.services import latest as newest
from monitoring.services.cases import observations_of
from monitoring.services.dossiers import Opened
from monitoring.services.layers import Scope


def of(patient: Patient, who: User | ServiceToken, *, now: datetime) -> dict[str, Any]:
    """What this person or program may know of a patient. The patient himself reads his values, and no limits and alarms."""
    last = with_minutes(patient).first()
    state = state_of(last.admission if last else None)
    answer = of_patients.read_one(patient, last if last and last.is_open else None, who)
    answer |= {"archived_at": patient.archived_at, "latest": latest(last)}
    if isinstance(who, User) and patient.user_id == who.pk:
        return answer
    answer |= {"limits": _limits(patient, last, now=now), "alerts": _open_alerts(patient, last)}
    answer["score"] = _score(state, patient, now)
    ward = last.bed.ward if last and last.is_open else None
    return answer | (_dossier(patient, who, ward, now=now) if isinstance(who, User) else {})


def placements(patient: Patient) -> QuerySet[Placement]:
    """The bed in which he lies, or lay last, and those before, with what the sensors of each stay say."""
    beds = Placement.objects.filter(admission__patient=patient).select_related("bed__ward", "admission__alarm_state")
    return beds.order_by("-admission__admitted_at", "-admission", "-started_at", "-pk")


def stays(patient: Patient) -> QuerySet[Admission]:
    """The newest first, with what the sensors of each say."""
    return patient.admissions.select_related("alarm_state").order_by("-admitted_at", "-pk")


def state_of(stay: Admission | None) -> State:
    row = getattr(stay, "alarm_state", None)
    return row.state if row else State()


def with_minutes(patient: Patient) -> QuerySet[Placement]:
    """With what `latest` needs."""
    return placements(patient).annotate(**newest.minutes(patient))


def latest(placement: Placement | None) -> dict[str, Any]:
    """The newest value of each sign in that stay, of whichever sensor; `placement` is one of `with_minutes`."""
    found = newest.of(placement, state_of(placement.admission)) if placement else {}
    return {sign.value: one._asdict() if (one := found.get(sign)) else None for sign in Sign}


def _limits(patient: Patient, last: Placement | None, *, now: datetime) -> list[dict[str, Any]]:
    place = (patient.pk, last.bed.ward_id if last and last.is_open else 0)
    standings = layers.gather([place], now=now, patient=patient)[place].standings()
    return [of_limits.read(sign, standing, Scope(patient=patient)) for sign, standing in standings.items()]


def _open_alerts(patient: Patient, last: Placement | None) -> list[dict[str, Any]]:
    rows = Alert.objects.open().filter(patient=patient).select_related(*of_alerts.RELATED)
    return of_alerts.read(list(rows.order_by("raised_at", "pk")), lies=last if last and last.is_open else None)


def _score(state: State, patient: Patient, now: datetime) -> dict[str, Any]:
    """NEWS2 by what is known now; without a total where an input is missing, and none at all where it does not apply."""
    observations = observations_of(patient, now=now)
    answer: dict[str, Any] = {"strategy": deterioration.SCORE}
    try:
        score = news2.score(deterioration.chosen(state, observations, now).observations)
    except NotApplicable as reason:
        return answer | {"total": None, "at_least": None, "band": None, "parts": {}, "missing": [], "refusal": str(reason)}
    told = {"total": score.total, "at_least": score.at_least, "band": score.band}
    return answer | told | {"parts": dict(score.parts), "missing": list(score.missing), "refusal": None}


def _dossier(patient: Patient, who: User, ward: Ward | None, *, now: datetime) -> dict[str, Any]:
    """Opened, and written down as such, for who treats him; nothing for others."""
    try:
        opened = dossiers.read(patient, by=who, at=now, ward=ward)
    except dossiers.NotAllowed:
        return {}
    return {"contact_info": _contacts(opened), "medical_history": opened.history}


def _contacts(opened: Opened) -> dict[str, Any] | None:
    if opened.contacts is None:
        return None
    said, other = opened.contacts, opened.contacts.emergency_contact
    near = {"name": other.name or None, "phone": other.phone or None, "relationship": other.relationship or None}
    called = near if any(near.values()) else None
    return {"phone": said.phone or None, "email": said.email or None, "emergency_contact": called, "note": said.note or None}
