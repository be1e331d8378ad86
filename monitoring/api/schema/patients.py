"""Patients, as the document tells them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema

from accounts.api.bodies import PLAIN
from accounts.api.schema.words import (
    BODY,
    BUSY,
    COUNT,
    CURSOR,
    ETAG,
    IF_MATCH,
    NOTHING,
    NUMBER,
    TEXT,
    TIME,
    TOKEN,
    UNREADABLE,
    WAIT,
    Schema,
    answer,
    body,
    component,
    conflict_of,
    limit_of,
    listed,
    nullable,
    page_of,
    refusal,
    refusals,
    thing,
    words,
)
from monitoring.api.paging import MOST, USUAL
from monitoring.api.schema.alerts import ALERT
from monitoring.api.schema.thresholds import LIMIT
from monitoring.clinical.signs import Sign
from monitoring.models import Patient
from monitoring.services.dossiers import LONGEST, LONGEST_HISTORY

TAG = ["Patients"]
DAY: Schema = {"type": "string", "format": "date"}

FIELDS: dict[str, Schema] = {
    "patient_id": TEXT,
    "name": nullable(TEXT | {"description": "Null to a program: it is told nobody's name."}),
    "gender": words(*Patient.Gender.values),
    "birth_date": nullable(DAY),
    "ward": nullable(TEXT | {"description": "The slug of the ward where he lies now."}),
    "bed": nullable(TEXT),
    "admission": nullable(TEXT | {"description": "The id of the stay that goes on."}),
    "version": {"type": "integer", "minimum": 1, "description": "Moves with every change of the record; also the ETag."},
    "created_at": TIME,
    "updated_at": TIME,
}
PATIENT = component("Patient", thing(FIELDS))
MEASURED = thing({"value": NUMBER, "measured_at": TIME})
LATEST = component(
    "LatestVitals",
    thing(
        {sign.value: nullable(component("Measured", MEASURED)) for sign in Sign},
        description="Of the present or last stay, however old.",
    ),
)
SCORE = component(
    "PresentScore",
    thing(
        {
            "strategy": TEXT,
            "total": nullable(NUMBER | {"description": "Null while an input is missing."}),
            "at_least": nullable(NUMBER),
            "band": nullable(TEXT),
            "parts": {"type": "object", "additionalProperties": NUMBER},
            "missing": listed(TEXT),
            "refusal": nullable(TEXT | {"description": "Why this patient has no such score."}),
        }
    ),
)
OTHER = {"name": nullable(TEXT), "phone": nullable(TEXT), "relationship": nullable(TEXT)}
CONTACTS = {
    "phone": nullable(TEXT),
    "email": nullable(TEXT),
    "emergency_contact": nullable(component("OtherPerson", thing(OTHER))),
}
RECORD = component(
    "PatientRecord",
    thing(
        FIELDS | {"archived_at": nullable(TIME), "latest": LATEST},
        optional={
            "limits": listed(LIMIT, description="As they are in force."),
            "alerts": listed(ALERT, description="The open ones."),
            "score": SCORE,
            "contact_info": nullable(component("Contacts", thing(CONTACTS | {"note": nullable(TEXT)}))),
            "medical_history": nullable(TEXT),
        },
        description="Limits, alerts and score are for staff and programs; contacts and history for who treats the patient, "
        "null where they cannot be opened.",
    ),
)


def line(longest: int, shortest: int = 0) -> Schema:
    return {"type": "string", "minLength": shortest, "maxLength": longest}


def maybe(longest: int) -> Schema:
    return nullable(line(longest))


NEAR = {"name": maybe(LONGEST["name"]), "phone": maybe(LONGEST["phone"]), "relationship": maybe(LONGEST["relationship"])}
REACHED = {
    "phone": maybe(LONGEST["phone"]),
    "email": maybe(LONGEST["email"]),
    "emergency_contact": nullable(thing({}, optional=NEAR)),
    "note": maybe(LONGEST["note"]),
}
SAID: dict[str, Schema] = {
    "name": line(200, 1),
    "first_name": line(199, 1) | {"description": "With `last_name`, instead of `name`."},
    "last_name": line(199, 1),
    "gender": words(*Patient.Gender.values, "M", "F"),
    "birth_date": nullable(DAY),
    "contact_info": {"anyOf": [thing({}, optional=REACHED), line(LONGEST["note"]), {"type": "null"}]},
    "medical_history": maybe(LONGEST_HISTORY),
}
ID: Schema = {"anyOf": [{"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,64}$"}, {"type": "integer"}]}
NEW = component(
    "NewPatient",
    thing({"patient_id": ID}, optional=SAID | {"ward": nullable(line(50, 1)), "bed": nullable(line(20, 1))}),
)
CHANGED = component(
    "ChangedPatient",
    thing({}, optional=SAID | {"version": nullable(COUNT | {"description": "As it was read; or If-Match."})}),
)

LOCATION = OpenApiParameter("Location", str, OpenApiParameter.HEADER, response=[201], description="The patient's address.")
READING = refusals(TOKEN | {403: ("permission_denied",), 404: ("not_found",)} | BUSY)
CHANGING = READING | refusals(BODY) | UNREADABLE
NOT_CHANGED = answer(
    {"oneOf": [conflict_of("Patient", PATIENT).response, refusal("unreadable").response]},
    "Somebody else was first; or what history or contacts say cannot be opened, and is not written over.",
)
REACHED_ANEW = {"contact_info": {"phone": "+44 20 2", "note": "after six"}, "version": 2}
ADA = {"patient_id": "P00001234", "name": "Ada Byron", "gender": "F", "birth_date": "1985-12-10"}

listed_ = extend_schema(
    operation_id="list_patients",
    tags=TAG,
    summary="Patients of one's wards",
    description="By id. Who lies in these wards, who lay there last, and who was never admitted. A patient finds himself.",
    parameters=[
        WAIT,
        CURSOR,
        limit_of(MOST, USUAL),
        OpenApiParameter("ward", line(50, 1), description="The slug of a ward: who lies there now."),
        OpenApiParameter("q", line(64, 1), description="How the id, or the name of the bed, begins. Names: POST …/search."),
        OpenApiParameter("mine", bool, description="Who lies in the beds of one's shift, else in one's wards."),
        OpenApiParameter("archived", bool, description="Those in the archive, instead of the others."),
    ],
    responses={200: answer(page_of("Patient", PATIENT), "A page.")} | READING | UNREADABLE,
)
register = extend_schema(
    operation_id="register_patient",
    tags=TAG,
    summary="Register a patient",
    description="With ward and bed he is admitted at once: both are done, or neither. What of contacts and history one may not "
    "write (a nurse no history) refuses the whole.",
    parameters=[WAIT, ETAG, LOCATION],
    request=body(
        NEW,
        at_home=ADA,
        into_a_bed={"patient_id": 17, "first_name": "Ben", "last_name": "Okri", "gender": "male", "ward": "north", "bed": "N3"},
        with_contacts=ADA | {"contact_info": {"phone": "+44 20 1", "emergency_contact": {"name": "William"}}},
    ),
    responses={201: answer(PATIENT, "Registered.")} | CHANGING | refusals({409: ("duplicate", "bed_taken")}),
)
search = extend_schema(
    operation_id="search_patients",
    tags=TAG,
    summary="Find patients by name",
    description="Every word of `name` is part of theirs. Names stand in no address: `next` is asked with the same body.",
    parameters=[WAIT, CURSOR, limit_of(MOST, USUAL)],
    request=body(
        component("NameWanted", thing({"name": line(200, 2) | {"pattern": PLAIN}})),
        both_names={"name": "ada byron"},
    ),
    responses={200: answer(page_of("Patient", PATIENT), "A page.")}
    | refusals(TOKEN | {403: ("permission_denied",)} | BUSY | BODY)
    | UNREADABLE,
)
read = extend_schema(
    operation_id="patient",
    tags=TAG,
    summary="A patient",
    description="With limits in force, open alerts, the latest vitals and NEWS2. Whoever treats him also reads contacts and "
    "history, which is written down. The patient himself reads who he is and his values.",
    parameters=[WAIT, ETAG],
    responses={200: answer(RECORD, "As he is now.")} | READING | UNREADABLE,
)


def _change(name: str, summary: str) -> Any:
    return extend_schema(
        operation_id=name,
        tags=TAG,
        summary=summary,
        description="What is not sent stays as it is; contacts and history are replaced as a whole. A doctor of the patient's "
        "ward changes all of it, a nurse `contact_info` alone, an administrator all but `contact_info` and `medical_history`. "
        "What of the body one may not write refuses the whole.",
        parameters=[WAIT, ETAG, IF_MATCH],
        request=body(CHANGED, married={"name": "Ada Lovelace", "version": 1}, reached=REACHED_ANEW),
        responses={200: answer(PATIENT, "Changed; the version has moved by one.")} | CHANGING | {409: NOT_CHANGED},
    )


change = _change("change_patient", "Change a patient")
amend = _change("amend_patient", "Change some of a patient")
archive = extend_schema(
    operation_id="archive_patient",
    tags=TAG,
    summary="Archive a patient",
    description="For administrators. The record is kept, out of the way.",
    parameters=[WAIT],
    responses={204: NOTHING} | READING | refusals({409: ("still_admitted",)}) | UNREADABLE,
)
