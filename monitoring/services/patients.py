"""What is settled of a patient by a person, and changes how he is judged."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import F

from accounts import audit
from accounts.access import Permission
from accounts.models import Deed, User
from accounts.transactions import retried
from monitoring import realtime
from monitoring.models import Admission, Patient, Placement, PregnancyChange, ScaleChange
from monitoring.services import alerts, care, layers

SCALES = (1, 2)


class NotAllowed(Exception):
    """This person's role does not allow it in the ward whose patient this is."""


class StillAdmitted(Exception):
    """The patient lies in a bed: he has to be discharged first."""


class ReasonMissing(Exception):
    """What scores less, or nothing at all, is for a known condition: somebody has to say which."""


@retried
def set_scale(patient: Patient, *, scale: int, by: User, at: datetime, why: str = "") -> None:
    """Score the saturation on NEWS2's scale 1, or 2 with a reason, from the next reading on. The same again changes nothing.

    Scale 2: hypercapnic respiratory failure, target 88–92 % (Royal College of Physicians 2017). Raises NotAllowed,
    ReasonMissing.
    """
    if scale not in SCALES:
        raise ValueError(f"NEWS2 has the scales 1 and 2, not {scale}.")
    alerts.lock({patient.pk})
    if not care.may(by, patient, Permission.SET_SCALE):
        raise NotAllowed
    was = Patient.objects.values_list("spo2_scale", flat=True).get(pk=patient.pk)
    if was == scale:
        return
    if scale == 2 and not why.strip():
        raise ReasonMissing
    ScaleChange.objects.create(patient=patient, at=at, by=by, was=was, becomes=scale, why=why.strip()[:200])
    _record(Deed.SCALE_CHANGED, patient, by=by, at=at, was=was, becomes=scale)
    _write(patient, at=at, spo2_scale=scale)


@retried
def set_pregnant(patient: Patient, *, pregnant: bool, by: User, at: datetime, why: str = "") -> None:
    """Have no NEWS2 of a pregnant patient, with a reason, or have it again, from the next reading on.

    NEWS2 is not for use in pregnancy (Royal College of Physicians 2017). The same again changes nothing. Raises NotAllowed,
    ReasonMissing.
    """
    alerts.lock({patient.pk})
    if not care.may(by, patient, Permission.SET_PREGNANCY):
        raise NotAllowed
    if Patient.objects.values_list("pregnant", flat=True).get(pk=patient.pk) == pregnant:
        return
    if pregnant and not why.strip():
        raise ReasonMissing
    PregnancyChange.objects.create(patient=patient, at=at, by=by, becomes=pregnant, why=why.strip()[:200])
    _record(Deed.PREGNANCY_CHANGED, patient, by=by, at=at)
    _write(patient, at=at, pregnant=pregnant)


@retried
def archive(patient: Patient, *, by: User, at: datetime) -> bool:
    """Put the record out of the way and keep it; says whether it was in the way. Raises StillAdmitted."""
    alerts.lock({patient.pk})
    if Admission.objects.filter(patient=patient, is_open=True).exists():
        raise StillAdmitted
    return _set_archived(patient, at, Deed.ARCHIVED, by=by, at=at)


@retried
def bring_back(patient: Patient, *, by: User, at: datetime) -> bool:
    """Take the record out of the archive; says whether it was there."""
    return _set_archived(patient, None, Deed.BROUGHT_BACK, by=by, at=at)


def _set_archived(patient: Patient, archived_at: datetime | None, deed: Deed, *, by: User, at: datetime) -> bool:
    other = Patient.objects.filter(pk=patient.pk, archived_at__isnull=archived_at is not None)
    if not other.update(archived_at=archived_at, updated_at=at, version=F("version") + 1):
        return False
    _record(deed, patient, by=by, at=at)
    return True


def _record(deed: Deed, patient: Patient, *, by: User, at: datetime, **detail: Any) -> None:
    ward, about = layers.ward_of(patient), f"patient:{patient.patient_id}"
    audit.record(deed, by=by, at=at, patient=patient.patient_id, ward=ward, about=about, detail=detail)


def _write(patient: Patient, *, at: datetime, **fields: Any) -> None:
    """Change the patient, and have the board draw him anew."""
    Patient.objects.filter(pk=patient.pk).update(version=F("version") + 1, updated_at=at, **fields)
    lies = Placement.objects.filter(admission__patient=patient, is_open=True)
    realtime.beds_changed({ward: [bed] for ward, bed in lies.values_list("bed__ward", "bed")})
