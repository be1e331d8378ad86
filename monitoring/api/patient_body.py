"""What is said of a patient in a body: read field by field into the facts that the verbs take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType
from rest_framework import exceptions
from rest_framework.request import Request

from accounts.access import Permission
from accounts.api import bodies
from accounts.api.bodies import fault
from accounts.api.errors import Invalid
from accounts.fields import PATIENT_ID
from accounts.models import Bed, User
from monitoring.api.errors import Conflict
from monitoring.api.staff import must, ward_of
from monitoring.api.versions import Version
from monitoring.models import Patient
from monitoring.services import dossiers, patients
from monitoring.services.dossiers import Contacts, EmergencyContact
from monitoring.services.patients import Facts

ADDRESSES = {".", "..", "search"}  # these would lead elsewhere
LARGEST = 128 * 1024  # bytes: the longest history, in whichever script
GENDERS = {gender: gender for gender in Patient.Gender.values} | {"M": "male", "F": "female"}
NAMES = {"history": "medical_history", "contacts": "contact_info"}  # of a dossier's parts at this door

Slug = Annotated[str, Meta(min_length=1, max_length=50)]
BedName = Annotated[str, Meta(min_length=1, max_length=20)]


class OtherPerson(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: str | None = None
    phone: str | None = None
    relationship: str | None = None


class ContactInfo(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    phone: str | None = None
    email: str | None = None
    emergency_contact: OtherPerson | None = None
    note: str | None = None


class Said(msgspec.Struct, kw_only=True):
    """What may be said of anybody; what is not said stays as it is."""

    name: str | UnsetType = UNSET
    first_name: str | UnsetType = UNSET
    last_name: str | UnsetType = UNSET
    gender: str | UnsetType = UNSET
    birth_date: date | UnsetType | None = UNSET
    contact_info: ContactInfo | str | UnsetType | None = UNSET
    medical_history: str | UnsetType | None = UNSET


class NewPatient(Said, kw_only=True):
    patient_id: str | int
    ward: Slug | None = None
    bed: BedName | None = None


class ChangedPatient(Said, kw_only=True):
    version: Version | None = None


def new(request: Request) -> tuple[NewPatient, str, Facts]:
    """A new patient with his id. Raises Invalid."""
    said = bodies.read(request, NewPatient, largest=LARGEST)
    patient_id = str(said.patient_id)
    is_one = PATIENT_ID.fullmatch(patient_id) and patient_id not in ADDRESSES
    faults = [] if is_one else [fault("patient_id", "1 to 64 of A-Z a-z 0-9 . _ : -", "invalid")]
    if said.name is UNSET and said.first_name is UNSET and said.last_name is UNSET:
        faults.append(fault("name", "This is needed: or first_name and last_name.", "required"))
    for given, missing in (("ward", "bed"), ("bed", "ward")):
        if getattr(said, given) is not None and getattr(said, missing) is None:
            faults.append(fault(missing, "Ward and bed go together.", "required"))
    return said, patient_id, _facts(said, faults)


def changed(request: Request) -> tuple[ChangedPatient, Facts]:
    """Other facts of a patient. Raises Invalid."""
    said = bodies.read(request, ChangedPatient, largest=LARGEST)
    facts = _facts(said, [])
    if not facts.himself and not facts.of_dossier:
        raise Invalid([fault("", "Nothing is said that could be changed.", "required")])
    return said, facts


def bed_of(person: User, ward: str, bed: str) -> Bed:
    """A bed in which this person may put somebody. Raises NoWard, PermissionDenied, Invalid."""
    place = ward_of(person, ward)
    must(person, Permission.ADMIT, place)
    found = Bed.objects.select_related("ward").filter(ward=place, name=bed).first()
    if found is None:
        raise Invalid([fault("bed", "There is no such bed in this ward.", "invalid")])
    return found


@contextmanager
def refusing() -> Iterator[None]:
    """What the verbs refuse of a person's facts, as this door says it."""
    try:
        yield
    except patients.Invalid as refusal:
        raise Invalid([fault(name, sentence, "invalid") for name, sentence in refusal.faults.items()]) from None
    except dossiers.Invalid as refusal:
        raise Invalid([fault(_own(name), sentence, "invalid") for name, sentence in refusal.faults.items()]) from None
    except patients.NotAllowed:
        raise exceptions.PermissionDenied("Your role may not change what you sent of this patient.") from None
    except dossiers.NotAllowed:
        raise exceptions.PermissionDenied("Of history and contacts you may not write what you sent.") from None
    except dossiers.Unreadable as refusal:
        raise Conflict(f"{_own(refusal.part)}: {refusal}", "unreadable") from None


def _own(name: str) -> str:
    return NAMES.get(name, f"contact_info.{name}")


def _facts(said: Said, faults: list[dict[str, Any]]) -> Facts:
    himself: dict[str, Any] = {}
    if (name := _name(said, faults)) is not None:
        himself["name"] = name
    if said.gender is not UNSET:
        himself["gender"] = GENDERS.get(said.gender)
        if himself["gender"] is None:
            faults.append(fault("gender", "One of male, female, other, unknown, M, F.", "invalid"))
    if said.birth_date is not UNSET:
        himself["birth_date"] = said.birth_date
    if faults:
        raise Invalid(faults)
    contacts = None if said.contact_info is UNSET else _contacts(said.contact_info)
    history = None if said.medical_history is UNSET else (said.medical_history or "").replace("\r\n", "\n")
    return Facts(himself=himself, history=history, contacts=contacts)


def _name(said: Said, faults: list[dict[str, Any]]) -> str | None:
    """In one piece or in two, and not both."""
    parts = {"first_name": said.first_name, "last_name": said.last_name}
    given = {part: text for part, text in parts.items() if text is not UNSET}
    if not given:
        return None if said.name is UNSET else said.name.strip()
    if said.name is not UNSET:
        faults.append(fault("name", "Either this, or first_name and last_name.", "invalid"))
    faults += [fault(part, "First and last name go together.", "required") for part in parts if not parts[part]]
    return " ".join(str(text).strip() for text in given.values())


def _contacts(info: ContactInfo | str | None) -> Contacts:
    if info is None:
        return dossiers.NO_CONTACTS
    if isinstance(info, str):
        return Contacts(note="; ".join(info.split("\n")).strip())
    other = info.emergency_contact or OtherPerson()
    near = EmergencyContact(other.name or "", other.phone or "", other.relationship or "")
    return Contacts(info.phone or "", info.email or "", near, info.note or "")
