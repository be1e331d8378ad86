"""The dossier of a patient, his history and contacts: opened for those who treat him, and every look and change written down.

Sealed in the database, so nothing of it is searched, sorted or put in a list.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import F

from accounts import audit, sealing
from accounts.access import Permission
from accounts.fields import SealedField
from accounts.models import Deed, User, Ward
from accounts.transactions import retried
from monitoring.models import Dossier, DossierChange, Patient
from monitoring.services import care, layers

log = logging.getLogger(__name__)

Part = DossierChange.Part
COLUMNS = {part: SealedField.of(Dossier, part.value) for part in Part}
WAS = SealedField.of(DossierChange, "was")
DEEDS = {Part.HISTORY: Deed.HISTORY_CHANGED, Part.CONTACTS: Deed.CONTACTS_CHANGED}
LONGEST_HISTORY = 20_000  # letters
LONGEST = {"phone": 40, "email": 254, "name": 150, "relationship": 50, "note": 300}
MOST_CHANGES = 20  # shown
UNREADABLE = "This cannot be read: it was changed in the database, or its key is not in MEDQL_KEYS. It is left as it is."


class NotAllowed(Exception):
    """Only who treats the patient, in the ward where he lies, or lay last."""


class Stale(Exception):
    """Somebody else changed it since it was read."""


class Unreadable(Exception):
    """What is written in this part cannot be opened: it is left as it is."""

    def __init__(self, part: DossierChange.Part) -> None:
        super().__init__(UNREADABLE)
        self.part = part


class Invalid(Exception):
    """Values that cannot be: sentences by field, which repeat nothing of them."""

    def __init__(self, faults: dict[str, str]) -> None:
        super().__init__(", ".join(faults))
        self.faults = faults


class EmergencyContact(msgspec.Struct, frozen=True):
    name: str = ""
    phone: str = ""
    relationship: str = ""


class Contacts(msgspec.Struct, frozen=True, omit_defaults=True):
    phone: str = ""
    email: str = ""
    emergency_contact: EmergencyContact = EmergencyContact()
    note: str = ""  # how else he, or somebody for him, is reached


NO_CONTACTS = Contacts()


@dataclass(frozen=True, slots=True, repr=False)
class Opened:
    """A dossier as it is read. None: that part cannot be opened."""

    history: str | None = ""
    contacts: Contacts | None = NO_CONTACTS
    version: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class Former:
    """What a part of a dossier said until somebody changed it. None: that cannot be opened."""

    part: str
    was: str | None
    version: int
    by: User
    at: datetime


def may_read(user: User, patient: Patient) -> bool:
    return care.may(user, patient, Permission.READ_DOSSIER)


def may_change(user: User, patient: Patient, part: DossierChange.Part) -> bool:
    permission = Permission.CHANGE_HISTORY if part == Part.HISTORY else Permission.CHANGE_CONTACTS
    return care.may(user, patient, permission)


def read(patient: Patient, *, by: User, at: datetime, ward: Ward | None = None) -> Opened:
    """Open the dossier for somebody, who is written down. `ward`: where he lies, if that is known. Raises NotAllowed."""
    found = Patient.objects.where(by, Permission.READ_DOSSIER).select_related("dossier").filter(pk=patient.pk).first()
    if found is None:
        raise NotAllowed
    audit.saw(by=by, at=at, patient=patient.patient_id, ward=ward or layers.ward_of(patient), page="dossier")
    row = getattr(found, "dossier", None)
    if row is None:
        return Opened()
    contacts = _text(row, Part.CONTACTS)
    return Opened(_text(row, Part.HISTORY), None if contacts is None else _contacts(contacts), row.version)


def former(patient: Patient) -> list[Former]:
    """What was changed lately, the last first: for whom the dossier was opened."""
    rows = DossierChange.objects.filter(patient=patient).select_related("by").order_by("-version", "part")
    return [Former(row.part, _was(row), row.version, row.by, row.at) for row in rows[:MOST_CHANGES]]


@retried
def write(
    patient: Patient,
    *,
    history: str | None = None,
    contacts: Contacts | None = None,
    by: User,
    at: datetime,
    version_seen: int,
) -> int:
    """Write a part of the dossier anew, or both; None leaves it. Says the version; the same again changes nothing.

    What it said before is kept, sealed, and the patient's own version moves with it. Raises NotAllowed, Invalid, Stale,
    Unreadable.
    """
    list(Patient.objects.select_for_update().filter(pk=patient.pk).values_list("pk"))
    version = put(patient, history=history, contacts=contacts, by=by, at=at, version_seen=version_seen)
    if version != version_seen:
        Patient.objects.filter(pk=patient.pk).update(version=F("version") + 1, updated_at=at)
    return version


def put(
    patient: Patient,
    *,
    history: str | None = None,
    contacts: Contacts | None = None,
    by: User,
    at: datetime,
    version_seen: int | None = None,
) -> int:
    """As `write`, for a verb that holds the patient and moves his version itself; without `version_seen` over any version."""
    wanted = _wanted(history, contacts)
    if not may_read(by, patient) or not all(may_change(by, patient, part) for part in wanted):
        raise NotAllowed
    row = Dossier.objects.select_for_update().filter(patient=patient).first() or Dossier(patient=patient)
    if version_seen not in (None, row.version):
        raise Stale
    before = {part: _readable(row, part) for part in wanted}
    changed = {part: text for part, text in wanted.items() if text != before[part]}
    if not changed:
        return row.version
    row.version, row.updated_at = row.version + 1, at
    for part, text in changed.items():
        COLUMNS[part].put(row, text)
        _keep(row, part, before[part], by=by, at=at)
    row.save()
    return row.version


def _keep(row: Dossier, part: DossierChange.Part, was: str, *, by: User, at: datetime) -> None:
    change = DossierChange(patient=row.patient, part=part, version=row.version, at=at, by=by)
    WAS.put(change, was)
    change.save()
    ward = layers.ward_of(row.patient)
    audit.record(DEEDS[part], by=by, at=at, patient=row.patient.patient_id, ward=ward, detail={"version": row.version})


def _readable(row: Dossier, part: DossierChange.Part) -> str:
    text = _text(row, part)
    if text is None:
        raise Unreadable(part)
    return text


def _text(row: Dossier, part: DossierChange.Part) -> str | None:
    return _unsealed(COLUMNS[part], row, part)


def _was(row: DossierChange) -> str | None:
    text = _unsealed(WAS, row, row.part)
    if text is None or row.part == Part.HISTORY:
        return text
    return "\n".join(f"{name}: {said}" for name, (said, _) in _fields(_contacts(text)).items() if said)


def _unsealed(column: SealedField, row: Dossier | DossierChange, part: str) -> str | None:
    try:
        return column.text(row)
    except sealing.Unreadable as fault:
        log.error("the %s in the dossier of patient %s cannot be read: %s", part, row.patient_id, fault)
        return None


def _contacts(text: str) -> Contacts:
    return msgspec.json.decode(text, type=Contacts) if text else NO_CONTACTS


def _wanted(history: str | None, contacts: Contacts | None) -> dict[DossierChange.Part, str]:
    faults = _faults(history, contacts)
    if faults:
        raise Invalid(faults)
    wanted = {}
    if history is not None:
        wanted[Part.HISTORY] = history
    if contacts is not None:
        wanted[Part.CONTACTS] = "" if contacts == NO_CONTACTS else msgspec.json.encode(contacts).decode()
    return wanted


def _faults(history: str | None, contacts: Contacts | None) -> dict[str, str]:
    faults = {}
    if history is not None and (len(history) > LONGEST_HISTORY or "\0" in history):
        faults["history"] = f"A text of at most {LONGEST_HISTORY} letters."
    for field, (text, longest) in _fields(contacts or NO_CONTACTS).items():
        if len(text) > longest or not text.isprintable():
            faults[field] = f"One line of at most {longest} letters."
    if contacts and contacts.email and "email" not in faults:
        try:
            validate_email(contacts.email)
        except ValidationError:
            faults["email"] = "This is no e-mail address."
    return faults


def _fields(contacts: Contacts) -> dict[str, tuple[str, int]]:
    other = contacts.emergency_contact
    return {
        "phone": (contacts.phone, LONGEST["phone"]),
        "email": (contacts.email, LONGEST["email"]),
        "emergency_contact.name": (other.name, LONGEST["name"]),
        "emergency_contact.phone": (other.phone, LONGEST["phone"]),
        "emergency_contact.relationship": (other.relationship, LONGEST["relationship"]),
        "note": (contacts.note, LONGEST["note"]),
    }
