"""A patient's vitals over time, as the document tells them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema

from accounts.api.schema.words import (
    BUSY,
    COUNT,
    CURSOR,
    NUMBER,
    TEXT,
    TIME,
    TOKEN,
    UNREADABLE,
    WAIT,
    Schema,
    answer,
    component,
    limit_of,
    listed,
    nullable,
    refusals,
    thing,
    words,
)
from monitoring.api.schema.vitals import PATIENT, VITAL
from monitoring.clinical.signs import FACTS, TYPES, Sign
from monitoring.services.trends import Resolution

TAG = ["Vitals"]
REFUSED = refusals(TOKEN | {403: ("permission_denied",), 404: ("not_found",)} | BUSY) | UNREADABLE

PART = component("SignSummary", thing({"min": NUMBER, "mean": NUMBER, "max": NUMBER, "count": COUNT}))
STRETCH = component(
    "Stretch",
    thing(
        {"patient_id": PATIENT, "timestamp": TIME}
        | {sign.value: nullable(PART) | {"description": FACTS[sign].unit} for sign in Sign},
        description="What a minute's or an hour's readings come to. A sign that was not measured in it is null.",
    ),
)
TYPE = words(*TYPES.values())
VALUE = component("Value", thing({"id": TEXT, "recorded_at": TIME, "vital_type": TYPE, "value": NUMBER, "version": COUNT}))
VALUES = component(
    "Values",
    thing(
        {"patient_id": PATIENT, "vital_type": nullable(TYPE), "items": listed(VALUE)},
        optional={"next": TEXT | {"format": "uri", "description": "Where there are more."}},
    ),
)
LINK = OpenApiParameter(
    "Link",
    str,
    OpenApiParameter.HEADER,
    response=[200],
    description='`<…>; rel="next"`: the page that follows, if there is one.',
)


def _time(name: str, told: str) -> OpenApiParameter:
    return OpenApiParameter(name, {"type": "string", "format": "date-time"}, description=told)


AT = "2026-12-01T08:00:00Z"
PULSE: dict[str, Any] = {"min": 68, "mean": 70.52, "max": 75, "count": 60}
MINUTE: Schema = {"patient_id": "P00001", "timestamp": AT} | {sign.value: None for sign in Sign} | {"heart_rate": PULSE}
MEASURED = {"id": "7", "recorded_at": AT, "vital_type": "HR", "value": 72, "version": 1}

read_history = extend_schema(
    operation_id="history",
    tags=TAG,
    summary="A patient's history",
    description=(
        "Without a range the newest readings come first, with one they run from its beginning; `order` says it otherwise. "
        "`resolution` thins them by the minute or the hour (UTC) to what exactly the readings of the range would give. "
        "What was entered in error is not in it."
    ),
    parameters=[
        WAIT,
        LINK,
        _time("start_time", "The first moment of the range."),
        _time("end_time", "The last one; it belongs to the range."),
        OpenApiParameter("resolution", {"type": "string", "enum": ["raw", *Resolution], "default": "raw"}),
        OpenApiParameter("order", words("asc", "desc")),
        OpenApiParameter(
            "limit",
            {"type": "integer", "minimum": 1, "maximum": 5000},
            description="At most 1,000 raw or 5,000 thinned ones, which is also what a range gives; without one 100.",
        ),
        CURSOR,
    ],
    responses={
        200: answer(
            {"anyOf": [listed(VITAL), listed(STRETCH)]},
            "The readings, or the minutes or hours that have any.",
            by_minute=[MINUTE],
        )
    }
    | REFUSED,
)


def read_values(operation: str) -> Any:
    return extend_schema(
        operation_id=operation,
        tags=TAG,
        summary="A patient's values, one at a time",
        description="Of readings from the oldest, each with its `id`: one that has several values is several items.",
        parameters=[
            WAIT,
            _time("from", "The first moment."),
            _time("to", "The last one, inclusive."),
            OpenApiParameter("vital_type", TYPE, description="Only values of this type."),
            limit_of(1_000, 1_000),
            CURSOR,
        ],
        responses={
            200: answer(
                VALUES,
                "The values in the order of their times.",
                of_a_type={"patient_id": "P00001", "vital_type": "HR", "items": [MEASURED]},
            )
        }
        | REFUSED,
    )
