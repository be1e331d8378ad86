"""Stays, as the document tells them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema

from accounts.api.schema.words import (
    BODY,
    BUSY,
    CURSOR,
    FAULT,
    TEXT,
    TIME,
    TOKEN,
    UNREADABLE,
    WAIT,
    answer,
    body,
    body_if_any,
    component,
    limit_of,
    listed,
    nullable,
    page_of,
    refusals,
    thing,
    words,
)
from monitoring.api.paging import MOST, USUAL
from monitoring.api.schema.patients import line

TAG = ["Admissions"]

PLACE = component("Placement", thing({"ward": TEXT, "bed": TEXT, "started_at": TIME, "ended_at": nullable(TIME)}))
STAY = component(
    "Admission",
    thing(
        {
            "id": TEXT,
            "patient_id": TEXT,
            "status": words("admitted", "discharged"),
            "ward": nullable(TEXT | {"description": "The last one of the stay."}),
            "bed": nullable(TEXT),
            "admitted_at": TIME,
            "admitted_by": nullable(TEXT),
            "discharged_at": nullable(TIME),
            "discharged_by": nullable(TEXT),
            "notes": nullable(TEXT),
            "placements": listed(PLACE, description="The beds of the stay, from the first to the last."),
        }
    ),
)
TO_BED = component("ToBed", thing({"ward": line(50, 1), "bed": line(20, 1)}, optional={"at": nullable(TIME)}))
LEAVING = component("Leaving", thing({}, optional={"at": nullable(TIME), "notes": line(2000)}))
READING = refusals(TOKEN | {403: ("permission_denied",), 404: ("not_found",)} | BUSY)
REFUSING = READING | refusals(BODY) | refusals({422: ("invalid", "unknown_field", "required", "too_early")}, errors=FAULT)
AT = "`at` is now where it is not sent; it lies not ahead, and not before what it would end (422 `too_early`)."


def _deed(name: str, summary: str, told: str, takes: Any, *conflicts: str) -> Any:
    return extend_schema(
        operation_id=name,
        tags=TAG,
        summary=summary,
        description=f"{told} {AT}",
        parameters=[WAIT],
        request=takes,
        responses={200: answer(STAY, "The stay as it is now.")} | REFUSING | refusals({409: conflicts}),
    )


admit = _deed(
    "admit_patient",
    "Admit to a bed",
    "Who lies in that bed already is answered as he lies.",
    body(TO_BED, now={"ward": "north", "bed": "N1"}, earlier={"ward": "north", "bed": "N1", "at": "2026-03-01T08:30:00+01:00"}),
    "already_admitted",
    "bed_taken",
    "archived",
)
transfer = _deed(
    "transfer_patient",
    "Move to another bed",
    "Open alerts go along. Who lies in that bed already is answered as he lies.",
    body(TO_BED, now={"ward": "south", "bed": "S2"}),
    "not_admitted",
    "bed_taken",
)
discharge = _deed(
    "discharge_patient",
    "Discharge",
    "The bed is free, devices come off, open alerts and the patient's own limits end.",
    body_if_any(LEAVING, home={"notes": "home"}),
    "not_admitted",
)
admissions = extend_schema(
    operation_id="admissions",
    tags=TAG,
    summary="The stays of a patient",
    description="The last one first, each with its beds.",
    parameters=[WAIT, CURSOR, limit_of(MOST, USUAL)],
    responses={200: answer(page_of("Admission", STAY), "A page.")} | READING | UNREADABLE,
)
