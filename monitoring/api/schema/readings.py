"""One vital, as the document tells it: read, corrected, entered in error."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema

from accounts.api.bodies import PLAIN
from accounts.api.schema.words import (
    BODY,
    BUSY,
    FAULT,
    FLAG,
    IF_MATCH,
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
    listed,
    nullable,
    refusals,
    thing,
    words,
)
from monitoring.api.schema.vitals import PATIENT, TYPE, VALUES
from monitoring.models import VitalChange
from monitoring.services.corrections import CORRECTABLE, LONGEST_REASON

TAG = ["Vitals"]
VERSION: Schema = {"type": "integer", "minimum": 1}
ANY: Schema = {}
NUMBER = nullable({"type": "number"})
REASON: Schema = nullable({"type": "string", "maxLength": LONGEST_REASON, "pattern": PLAIN})
CORRECTED = thing({}, optional={name: VALUES[name] for name in CORRECTABLE}, description="By the name of the value.")
CHANGE = component(
    "VitalChange",
    thing(
        {
            "version": VERSION,
            "what": words(*VitalChange.What.values),
            "at": TIME,
            "by": TEXT,
            "was": CORRECTED,
            "became": CORRECTED,
            "reason": nullable(TEXT),
        }
    ),
)
DETAIL = component(
    "VitalDetail",
    thing(
        {"id": TEXT, "patient_id": PATIENT, "sensor_id": TEXT, "timestamp": TIME, "measured_at": TIME, "received_at": TIME}
        | VALUES
        | {"version": VERSION, "late": FLAG, "recorded_at": TIME}
        | {"vital_type": nullable(TYPE), "value": NUMBER}
        | {"created_at": TIME, "updated_at": TIME, "entered_in_error": FLAG, "corrections": listed(CHANGE)},
        description="`vital_type` and `value` are those of a vital that has one value alone.",
    ),
)
WANTED = component(
    "VitalCorrection",
    {
        "type": "object",
        "properties": {"version": VERSION, "reason": REASON, "vital_type": nullable(TYPE), "value": NUMBER}
        | {name: VALUES[name] for name in CORRECTABLE},
        "description": "Fields by name, or one value with its type; null takes a field out. What GET answered may come back.",
    },
)
ID = OpenApiParameter("vital_id", str, OpenApiParameter.PATH)
SEEN = refusals(TOKEN | {403: ("permission_denied",), 404: ("not_found",)} | BUSY)
CONFLICT = conflict_of("Vital", DETAIL)
TOO_LATE = answer(
    {"anyOf": [{"$ref": "#/components/schemas/VitalConflict"}, {"$ref": "#/components/schemas/Error"}]},
    "`version_conflict`, with the vital as it is; or `entered_in_error`.",
)
UNFIT = refusals({422: ("invalid", "required", "unknown_field", "out_of_range", "pressure_order", "no_values")}, errors=FAULT)

read = extend_schema(
    operation_id="read_vital",
    tags=TAG,
    summary="A vital, and what was corrected of it",
    parameters=[WAIT, ID],
    responses={200: answer(DETAIL, "With its version as `ETag`.")} | SEEN | UNREADABLE,
)


def _correct(name: str, summary: str) -> Any:
    return extend_schema(
        operation_id=name,
        tags=TAG,
        summary=summary,
        description="The old values are kept, and the patient is judged again: alerts are marked, raised or recorded.",
        parameters=[WAIT, ID, IF_MATCH],
        request=body(
            WANTED,
            one_value={"value": 84, "version": 1, "reason": "read off the wrong bed"},
            another_type={"vital_type": "SpO2", "value": 84, "version": 1},
            fields={"spo2": 84, "heart_rate": 92, "version": 3},
        ),
        responses={200: answer(DETAIL, "As it is now."), 409: TOO_LATE} | SEEN | refusals(BODY) | UNFIT,
    )


replace = _correct("replace_vital", "Correct a vital")
correct = _correct("correct_vital", "Correct a vital, as PUT")
mark = extend_schema(
    operation_id="mark_vital_in_error",
    tags=TAG,
    summary="Mark a vital as entered in error",
    description="It is kept and counts for nothing any more; the patient is judged again. Once marked, it stays so. "
    "The version comes in the address, as If-Match, or in a body `{version, reason}`.",
    parameters=[WAIT, ID, IF_MATCH, OpenApiParameter("version", {"type": "integer", "minimum": 0})],
    responses={200: answer(DETAIL, "Marked."), 409: CONFLICT} | SEEN | refusals({400: ("malformed",)}) | UNFIT,
)
