"""Devices, as the document tells them."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, extend_schema

from accounts.api.bodies import PLAIN
from accounts.api.schema.words import (
    BODY,
    BUSY,
    COUNT,
    CURSOR,
    FLAG,
    NOTHING,
    NUMBER,
    TEXT,
    TIME,
    TOKEN,
    UNREADABLE,
    WAIT,
    WORD,
    Schema,
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
from accounts.models import Device
from monitoring.api.paging import MOST, USUAL
from monitoring.clinical.limits import Severity

TAG = ["Devices"]
LONGEST_NOTES = 512  # letters

CONDITION = component(
    "DeviceCondition",
    thing({"alert_id": TEXT | {"format": "uuid"}, "condition": TEXT, "severity": words(*Severity), "message": TEXT}),
)
FIELDS: dict[str, Schema] = {
    "id": {"type": "integer", "minimum": 1},
    "name": TEXT | {"examples": ["M7"]},
    "kind": words(*Device.Kind.values),
    "wards": listed(TEXT, description="Slugs, of those that you may see."),
    "active": FLAG,
    "continuous": FLAG | {"description": "Declared so: missed when it falls silent, however rarely it sends."},
    "zero_is_absent": FLAG,
    "last_seen_at": nullable(TIME | {"description": "When its key was last used, to the minute: by readings or a heartbeat."}),
    "last_data_at": nullable(TIME | {"description": "When what it sends steadily last came; null where nothing is awaited."}),
    "patient_id": nullable(TEXT | {"description": "On whom it is, if you may see him."}),
    "assigned_at": nullable(TIME | {"description": "Since when it is on somebody."}),
    "conditions": listed(CONDITION, description="What is wrong with it now: its open technical alerts."),
}
DEVICE = component("Device", thing(FIELDS))
SENSOR = component(
    "SensorConduct",
    thing(
        {
            "sensor_id": TEXT,
            "clock_correction_s": nullable(NUMBER | {"description": "Seconds that are added to its times."}),
            "refused_in_a_row": COUNT,
        }
    ),
)
WITH_SENSORS = component("DeviceWithSensors", thing(FIELDS | {"sensors": listed(SENSOR, description="Those that do wrong.")}))
ASSIGNMENT = component(
    "Assignment",
    thing(
        {
            "device_id": {"type": "integer", "minimum": 1},
            "device": TEXT,
            "patient_id": nullable(TEXT | {"description": "Null: one whom you may not see."}),
            "started_at": TIME,
            "ended_at": nullable(TIME),
            "assigned_by": nullable(TEXT),
            "notes": nullable(TEXT),
        }
    ),
)
EXAMPLE = {
    "id": 7,
    "name": "M7",
    "kind": "monitor",
    "wards": ["icu"],
    "active": True,
    "continuous": False,
    "zero_is_absent": True,
    "last_seen_at": "2026-12-01T03:10:00Z",
    "last_data_at": "2026-12-01T03:10:41Z",
    "patient_id": "P00001",
    "assigned_at": "2026-11-30T18:00:00Z",
    "conditions": [],
}
ASSIGNED = {
    "device_id": 7,
    "device": "M7",
    "patient_id": "P00001",
    "started_at": "2026-12-01T03:12:00Z",
    "ended_at": None,
    "assigned_by": "Noor",
    "notes": "portable, from the store",
}
ASSIGN = component(
    "AssignDevice",
    thing(
        {"patient_id": TEXT},
        optional={"notes": {"type": "string", "maxLength": LONGEST_NOTES, "pattern": PLAIN}},
    ),
)
NO_FIELDS = component("Nothing", thing({}))
READING = refusals(TOKEN | {403: ("permission_denied",)} | BUSY)
UNSEEN = refusals({404: ("not_found",)})
LIMIT = limit_of(MOST, USUAL)

find = extend_schema(
    operation_id="devices",
    tags=TAG,
    summary="Devices of one's wards",
    description="And those of other wards that a patient of one's own wears. By name.",
    parameters=[
        WAIT,
        OpenApiParameter("ward", WORD, description="The slug of a ward."),
        OpenApiParameter("name", WORD, description="Exactly this one."),
        LIMIT,
        CURSOR,
    ],
    responses={200: answer(page_of("Device", DEVICE), "A page.", a_page={"results": [EXAMPLE], "next": None})}
    | READING
    | UNSEEN
    | UNREADABLE,
)
read = extend_schema(
    operation_id="device",
    tags=TAG,
    summary="A device, and what its sensors do wrong",
    parameters=[WAIT],
    responses={200: answer(WITH_SENSORS, "As it is now.")} | READING | UNSEEN | UNREADABLE,
)
assign = extend_schema(
    operation_id="assign_device",
    tags=TAG,
    summary="Put a device on a patient",
    description="On whom it was before, it is no more from that instant.",
    parameters=[WAIT],
    request=body(ASSIGN, a_monitor={"patient_id": "P00001", "notes": "portable, from the store"}),
    responses={
        200: answer(ASSIGNMENT, "It was on this patient already."),
        201: answer(ASSIGNMENT, "It is on this patient now.", assigned=ASSIGNED),
    }
    | READING
    | refusals(BODY | {400: ("malformed", "not_admitted"), 409: ("on_another_patient", "too_early", "wrong_kind")})
    | UNSEEN
    | UNREADABLE,
)
release = extend_schema(
    operation_id="release_device",
    tags=TAG,
    summary="Take a device off its patient",
    description="What its sensors said of him ends; what was critical and nobody has taken waits for a hand all the same.",
    parameters=[WAIT],
    request=body_if_any(NO_FIELDS),
    responses={200: answer(DEVICE, "It is on nobody.")}
    | READING
    | refusals(BODY | {409: ("on_another_patient", "too_early")})
    | UNSEEN
    | UNREADABLE,
)
assignments = extend_schema(
    operation_id="device_assignments",
    tags=TAG,
    summary="On whom a device has been",
    description="The last one first.",
    parameters=[WAIT, LIMIT, CURSOR],
    responses={200: answer(page_of("Assignment", ASSIGNMENT), "A page.", a_page={"results": [ASSIGNED], "next": None})}
    | READING
    | UNSEEN
    | UNREADABLE,
)
heartbeat = extend_schema(
    operation_id="device_heartbeat",
    tags=TAG,
    summary="A device says that it lives",
    description="It moves `last_seen_at` and nothing else: that no data comes is missed, and told, all the same.",
    parameters=[WAIT],
    request=body_if_any(NO_FIELDS),
    responses={204: NOTHING}
    | refusals({401: ("not_authenticated", "wrong_key"), 403: ("revoked_key",), 429: ("rate_limited", "too_many_wrong_keys")})
    | refusals(BODY | BUSY)
    | UNREADABLE,
)
