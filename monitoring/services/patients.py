"""Who a patient is, and what is settled of him by a person and changes how he is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F

from accounts import audit
from accounts.access import Permission
from accounts.models import Bed, Deed, User
from accounts.transactions import retried
from monitoring import realtime
from monitoring.models import Admission, Patient, Placement, PregnancyChange, ScaleChange
from monitoring.services import admissions, alerts, care, dossiers, layers
from monitoring.services.dossiers import Contacts

SCALES = (1, 2)
HIMSELF = ("name", "gender", "birth_date")
CHANGES = frozenset({Permission.CHANGE_PATIENT, Permission.CHANGE_HISTORY, Permission.CHANGE_CONTACTS})
WITHIN_WORDS = str.maketrans("", "", "\u200c\u200d")  # the unseen letters by which some scripts join others


class NotAllowed(Exception):
    """This person's role does not allow it in the ward whose patient this is."""


class StillAdmitted(Exception):
    """The patient lies in a bed: he has to be discharged first."""


class DuplicateId(Exception):
    """There is a patient with this id."""


class Stale(Exception):
    """Somebody else changed the patient since he was read."""


class Invalid(Exception):
    """Values that cannot be: sentences by field."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__(", ".join(faults))
        self.faults = dict(faults)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Facts:
    """What somebody says of a person: of `himself` some of HIMSELF, of his dossier a part or none."""

    himself: Mapping[str, Any] = field(default_factory=dict)
    history: str | None = None
    contacts: Contacts | None = None

    @property
    def of_dossier(self) -> bool:
        return self.history is not None or self.contacts is not None

    @property
    def needed(self) -> frozenset[Permission]:
        """What one must be allowed to write this down of somebody who is known already."""
        said = {
            Permission.CHANGE_PATIENT: bool(self.himself),
            Permission.CHANGE_HISTORY: self.history is not None,
            Permission.CHANGE_CONTACTS: self.contacts is not None,
        }
        return frozenset(each for each, is_said in said.items() if is_said)


class ReasonMissing(Exception):
    """What scores less, or nothing at all, is for a known condition: somebody has to say which."""


@retried
def register(patient_id: str, facts: Facts, *, bed: Bed | None = None, by: User, at: datetime) -> Patient:
    """A person is known from now, and lies in this bed at once if one is named: all of it, or nothing.

    Raises Invalid, DuplicateId; admissions.BedTaken; dossiers.NotAllowed, dossiers.Invalid.
    """
    _must_be_possible(Patient(patient_id=patient_id, **facts.himself), {"patient_id", "name", *facts.himself})
    if Patient.objects.filter(patient_id=patient_id).exists():
        raise DuplicateId
    patient = Patient.objects.create(patient_id=patient_id, created_at=at, **facts.himself)
    _record(Deed.ADDED, patient, by=by, at=at)
    if bed:
        admissions.admit(patient, bed=bed, by=by, at=at)
    if facts.of_dossier:
        dossiers.put(patient, history=facts.history, contacts=facts.contacts, by=by, at=at)
    return patient


@retried
def change(patient: Patient, facts: Facts, *, by: User, at: datetime, version_seen: int) -> None:
    """Write down what is known better now; the version moves by one. Of two who read the same version the first one wins.

    Each part takes its own permission. Raises NotAllowed, Invalid, Stale; dossiers.Invalid, dossiers.Unreadable.
    """
    if not all(care.may(by, patient, each) for each in facts.needed):
        raise NotAllowed
    _must_be_possible(Patient(pk=patient.pk, **facts.himself), set(facts.himself))
    unchanged = Patient.objects.filter(pk=patient.pk, version=version_seen)
    if not unchanged.update(version=F("version") + 1, updated_at=at, **facts.himself):
        raise Stale
    if facts.of_dossier:
        dossiers.put(patient, history=facts.history, contacts=facts.contacts, by=by, at=at)
    if facts.himself:
        _record(Deed.CHANGED, patient, by=by, at=at, fields=sorted(facts.himself))
    _draw_anew(patient)


def _must_be_possible(patient: Patient, said: set[str]) -> None:
    """Raises Invalid where a field that was said cannot be so."""
    faults = {}
    try:
        patient.clean_fields(exclude={each.name for each in Patient._meta.fields} - said)
        if "birth_date" in said:
            patient.clean()
    except ValidationError as refusal:
        faults = {name: sentences[0] for name, sentences in refusal.message_dict.items()}
    if "name" in said and not patient.name.translate(WITHIN_WORDS).isprintable():
        faults["name"] = "A name is written on one line."
    if faults:
        raise Invalid(faults)


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
    _draw_anew(patient)


def _draw_anew(patient: Patient) -> None:
    lies = Placement.objects.filter(admission__patient=patient, is_open=True)
    realtime.beds_changed({ward: [bed] for ward, bed in lies.values_list("bed__ward", "bed")})
