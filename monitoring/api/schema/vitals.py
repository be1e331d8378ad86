"""POST /api/v1/vitals, the device door, as the document tells it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter, extend_schema

from accounts.api.schema.words import (
    BODY,
    BUSY,
    COUNT,
    ERROR,
    FAULT,
    FLAG,
    TEXT,
    TIME,
    TOKEN,
    WAIT,
    Schema,
    answer,
    body,
    component,
    listed,
    nullable,
    refusals,
    thing,
    words,
)
from accounts.fields import PATIENT_ID, SENSOR_ID
from monitoring.clinical.signs import FACTS
from monitoring.services.ingestion import MOST_ITEMS
from monitoring.services.items import ALIASES, CONSCIOUSNESS, HIGHEST_OXYGEN_FLOW, ITEM_CODES, SIGNS, STATUS


class DeviceKeyScheme(OpenApiAuthenticationExtension):
    target_class = "monitoring.api.device_door.DeviceKeyAuthentication"
    name = "device_key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "`<prefix>.<secret>` of a device."}


PATIENT: Schema = {"type": "string", "pattern": f"^{PATIENT_ID.pattern}$"}
SENSOR: Schema = {"type": "string", "pattern": f"^{SENSOR_ID.pattern}$"}
MEASURES: dict[str, Schema] = {
    sign.value: {"type": "number", "minimum": facts.lowest, "maximum": facts.highest, "description": facts.unit}
    for sign, facts in FACTS.items()
}
VALUES: dict[str, Schema] = {name: nullable(schema) for name, schema in MEASURES.items()} | {
    "consciousness": nullable(words(*sorted(CONSCIOUSNESS))),
    "on_oxygen": nullable(FLAG),
    "oxygen_flow": nullable({"type": "number", "minimum": 0, "maximum": HIGHEST_OXYGEN_FLOW, "description": "L/min"}),
    "status": nullable(
        component("Status", thing({}, optional={of: words(*sorted(said)) for of, said in STATUS.items()}, minProperties=1))
    ),
}
ADDRESS: dict[str, Schema] = {"patient_id": nullable(PATIENT), "sensor_id": nullable(SENSOR), "timestamp": nullable(TIME)}

ITEM = component(
    "Item",
    thing(
        {},
        optional=ADDRESS | VALUES | {alias: (ADDRESS | VALUES)[name] for alias, name in ALIASES.items()},
        description="At least one value or a status. What is refused of it costs the rest nothing.",
    ),
)
TYPE = words(*SIGNS)
TYPED_VALUE: Schema = {"type": "number", "description": "In the unit of its type: /min, %, mmHg, °C; inside of its range."}
TYPED = component(
    "TypedVital",
    thing(
        {"patient_id": PATIENT, "vital_type": TYPE, "value": TYPED_VALUE, "recorded_at": TIME},
        optional={"sensor_id": nullable(SENSOR)},
        description="One value, written down by hand: by staff, a program or a device. Of people and programs a row "
        "of their own, whatever `sensor_id` it was read from.",
    ),
)
STORED = component(
    "TypedVitalStored",
    thing(
        {
            "id": TEXT,
            "patient_id": PATIENT,
            "recorded_at": TIME,
            "vital_type": TYPE,
            "value": nullable({"type": "number"}),
            "version": {"type": "integer", "minimum": 1},
            "created_at": TIME,
            "updated_at": TIME,
        },
        optional={
            "entered_in_error": FLAG | {"description": "Sent again after it was marked: it counts for nothing."},
            "rejected": listed({"$ref": "#/components/schemas/Rejection"}),
        },
    ),
)
UNFIT = ("invalid", "out_of_range", "pressure_order", "unknown_field")
VALUE_CODES = (*UNFIT, "conflict")
REJECTION = component(
    "Rejection",
    thing(
        {
            "index": COUNT,
            "code": words(*VALUE_CODES, *sorted(ITEM_CODES)),
            "detail": TEXT,
            "stored": FLAG | {"description": "Whether the rest of the item was kept."},
        },
        optional={"field": TEXT},
    ),
)
VITAL = component(
    "Vital",
    thing(
        {"id": TEXT, "patient_id": PATIENT, "sensor_id": TEXT, "timestamp": TIME, "measured_at": TIME, "received_at": TIME}
        | VALUES
        | {"version": {"type": "integer", "minimum": 1}, "late": FLAG},
        optional={"rejected": listed(REJECTION, description="Of a single item: what of it was refused.")},
    ),
)
BATCH = component(
    "BatchOutcome",
    thing(
        {"stored": COUNT, "duplicates": COUNT, "rejected": listed(REJECTION)},
        optional={
            "vitals": listed(nullable(VITAL), description="With `Prefer: return=representation`, in the order of the items.")
        },
    ),
)

send = extend_schema(
    operation_id="send_vitals",
    tags=["Vitals"],
    summary="Send readings",
    description="A list answers 202, a single object 201; both leave after the commit. A device sends any of them; staff and "
    "programs that may write vitals down send an object with `vital_type`.",
    parameters=[
        WAIT,
        OpenApiParameter("Prefer", str, OpenApiParameter.HEADER, description="`return=representation`: with the stored rows."),
    ],
    request=body(
        {"anyOf": [ITEM, TYPED, listed({"anyOf": [ITEM, TYPED]}, minItems=1, maxItems=MOST_ITEMS)]},
        a_list=[{"patient_id": "P00001", "timestamp": "2026-12-01T08:00:00Z", "heart_rate": 72, "spo2": 97}],
        one=[{"patient_id": "P00001", "status": {"spo2": "probe_off"}}][0],
        by_hand=[{"patient_id": "P00001", "vital_type": "HR", "value": 72, "recorded_at": "2026-12-01T08:00:00Z"}][0],
    ),
    responses={
        201: answer({"anyOf": [VITAL, STORED]}, "It is stored; with a typed value in the form that it was sent in."),
        202: answer(BATCH, "The list is stored, but for what is in `rejected`."),
        400: answer({"anyOf": [BATCH, ERROR]}, "`malformed`; `not_admitted`; or a list of which nothing could be stored."),
        413: refusals(BODY)[413],
    }
    | refusals({401: (*TOKEN[401], "wrong_key"), 429: ("rate_limited", "too_many_wrong_keys")} | BUSY)
    | refusals(
        {
            403: ("revoked_key", "wrong_kind", "other_ward", "not_assigned", "permission_denied", "device_only"),
            404: ("unknown_patient",),
            409: ("conflict",),
            422: (
                *(code for code in VALUE_CODES if code != "conflict"),
                "required",
                "no_values",
                "future_timestamp",
                "too_old",
            ),
        },
        errors={"anyOf": [REJECTION, FAULT]},
    ),
)
