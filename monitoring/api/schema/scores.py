"""Scores, as the document tells them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema

from accounts.api.schema.words import (
    BUSY,
    COUNT,
    FLAG,
    NUMBER,
    TEXT,
    TIME,
    TOKEN,
    UNREADABLE,
    WAIT,
    Schema,
    answer,
    component,
    listed,
    nullable,
    refusals,
    thing,
    words,
)
from monitoring.clinical.scores import news2
from monitoring.clinical.scores.observations import ACVPU

EVERY, LONGEST_EVERY = 5, 1440  # minutes
MOST_POINTS = 288
LONGEST_SPAN = timedelta(days=7)

INPUT = words(*news2.PARTS)


def _part(value: Schema) -> Schema:
    return thing({"value": value, "points": COUNT, "age_s": COUNT})


VALUES: dict[str, Schema] = {"consciousness": words(*ACVPU), "on_oxygen": FLAG}
SCORE = component(
    "Score",
    thing(
        {
            "at": TIME,
            "total": nullable(COUNT | {"description": "None where an input is missing."}),
            "at_least": COUNT,
            "band": nullable(TEXT),
            "response": nullable(TEXT),
            "single_3": FLAG | {"description": "One input alone has 3 points."},
            "parts": thing({}, optional={name: _part(VALUES.get(name, NUMBER)) for name in news2.PARTS}),
            "missing": listed(INPUT),
            "too_old": {
                "type": "object",
                "additionalProperties": COUNT,
                "description": "Inputs that were measured once, and so many seconds ago that they say nothing any more.",
            },
        }
    ),
)
EXAMPLE: dict[str, Any] = {
    "at": "2026-12-01T03:10:00Z",
    "total": None,
    "at_least": 5,
    "band": None,
    "response": None,
    "single_3": True,
    "parts": {
        "respiratory_rate": {"value": 25, "points": 3, "age_s": 12},
        "spo2": {"value": 93, "points": 2, "age_s": 12},
        "heart_rate": {"value": 84, "points": 0, "age_s": 12},
    },
    "missing": ["on_oxygen", "systolic_bp", "consciousness", "body_temp"],
    "too_old": {"systolic_bp": 4210},
}
TOLD: dict[str, Any] = {
    "patient_id": "P00001",
    "strategy": "news2",
    "scale": 1,
    "from": "2026-12-01T03:00:00Z",
    "to": "2026-12-01T03:10:00Z",
    "every": 5,
    "refusal": None,
    "now": EXAMPLE,
    "points": [EXAMPLE],
}
SCORES = component(
    "Scores",
    thing(
        {
            "patient_id": TEXT,
            "strategy": words(news2.NAME),
            "scale": {"enum": [1, 2], "type": "integer"},
            "from": TIME,
            "to": TIME,
            "every": COUNT,
            "refusal": nullable(TEXT | {"description": "Why this patient has no NEWS2: too young, or pregnant."}),
            "now": nullable(SCORE),
            "points": listed(SCORE, description="Of the ends of all stretches at which anything was known."),
        }
    ),
)
read = extend_schema(
    operation_id="scores",
    tags=["Risk"],
    summary="NEWS2 now and over time",
    description="`now` is the number of the board. `points` are made from the vitals that are kept: "
    f"at most {MOST_POINTS}, of at most {LONGEST_SPAN.days} days; without `from` the last day.",
    parameters=[
        WAIT,
        OpenApiParameter("from", TIME),
        OpenApiParameter("to", TIME, description="Not later than now."),
        OpenApiParameter(
            "every",
            {"type": "integer", "minimum": 1, "maximum": LONGEST_EVERY, "default": EVERY},
            description="Minutes from one point to the next.",
        ),
    ],
    responses={200: answer(SCORES, "As far as it is known.", incomplete=TOLD)}
    | refusals(TOKEN | {403: ("permission_denied",), 404: ("not_found",)} | BUSY)
    | UNREADABLE,
)
