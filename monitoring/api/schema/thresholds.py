"""Limits of a patient, a ward and the hospital, as the document tells them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view

from accounts.api.bodies import PLAIN
from accounts.api.schema.words import (
    BODY,
    BUSY,
    COUNT,
    ETAG,
    FLAG,
    IF_MATCH,
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
    listed,
    nullable,
    refusals,
    thing,
    words,
)
from monitoring.api.limits_body import LARGEST, LONGEST_REASON
from monitoring.clinical.bands import BANDS
from monitoring.clinical.overrides import SIDES
from monitoring.clinical.signs import Sign
from monitoring.services.layers import Source

TAG = ["Limits"]

SIGN = words(*Sign)
SHOWN: dict[str, Schema] = {side: nullable(NUMBER) for side in SIDES} | {"delay_s": COUNT, "margin": NUMBER}
BOUNDS: dict[str, Schema] = {"bound_low": nullable(NUMBER), "bound_high": nullable(NUMBER)}
LIMIT = component(
    "Limit",
    thing(
        {"sign": SIGN, **SHOWN, "source": words(*Source)},
        optional={
            "reason": nullable(TEXT),
            "expires_at": nullable(TIME),
            "by": nullable(TEXT),
            "at": TIME,
            **BOUNDS,
            "part": {"const": "night"},
            "night": {"const": True, "description": "The night's limit is in force now."},
            "off": listed(words(*SIDES), description="Sides that the shipped limits have and these have not."),
            "set_on": TEXT | {"description": "The ward in which it was set for the patient, who lies in another one by now."},
        },
        description="The limits of one sign as they are in force, and who says so. An empty side is off.",
    ),
)
HOURS: Schema = {
    "type": "string",
    "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$",
    "description": "By the clock of the ward.",
    "examples": ["22:00"],
}
NIGHT = nullable(component("Night", thing({"from": HOURS, "until": HOURS})))
LIMITS = component(
    "Limits",
    thing(
        {"limits": listed(LIMIT), "version": COUNT},
        optional={"age_band": words(*(band.name for band in BANDS)), "birth_date_known": FLAG, "night": NIGHT},
    ),
)

WANTED: Schema = {"type": "number", "minimum": -LARGEST, "maximum": LARGEST}
REASON: Schema = {"type": "string", "maxLength": LONGEST_REASON, "pattern": PLAIN}
ECHOED: dict[str, Schema] = {
    "source": TEXT,
    "by": nullable(TEXT),
    "at": TEXT,
    "night": FLAG,
    "off": listed(TEXT),
    "set_on": TEXT,
}
OVERRIDE = component(
    "Override",
    thing(
        {"sign": SIGN},
        optional={name: nullable(WANTED) for name in (*SIDES, "margin", *BOUNDS)}
        | {"delay_s": nullable({"type": "integer"}), "part": nullable({"const": "night", "type": "string"})}
        | {"reason": nullable(REASON), "expires_at": nullable(TIME), **ECHOED},
        description="What GET answered may be sent back: an unchanged limit of a wider scope makes no override.",
    ),
)
PROBLEM = component(
    "LimitError",
    thing(
        {"field": TEXT, "code": words("invalid", "unknown_field", "required"), "detail": TEXT},
        optional={"index": COUNT, "sign": TEXT},
    ),
)
CONFLICT = conflict_of("Limits", LIMITS)

EXAMPLE = {"sign": "spo2", "critical_low": 80, "warning_low": 88, "warning_high": None, "critical_high": None, "reason": "COPD"}
REPLACE = body(
    component(
        "LimitsWanted",
        thing(
            {"limits": listed(OVERRIDE)},
            optional={
                "version": {"type": "integer", "description": "As it was read; or If-Match."},
                "reason": REASON | {"description": "Of every limit that gives none."},
                "night": NIGHT,
                "age_band": TEXT,
                "birth_date_known": FLAG,
            },
        ),
    ),
    override={"limits": [EXAMPLE], "version": 17},
)
READING = refusals(TOKEN | {403: ("permission_denied",)} | BUSY)
UNSEEN = refusals({404: ("not_found",)})
CHANGING = (
    READING | refusals(BODY) | refusals({422: ("invalid", "unknown_field", "required")}, errors=PROBLEM) | {409: CONFLICT}
)


def of(whose: str, *, unseen: dict[int, OpenApiResponse] = UNSEEN) -> Any:
    """Both operations on the limits of one scope."""
    return extend_schema_view(
        get=extend_schema(
            tags=TAG,
            operation_id=f"{whose}_limits",
            summary=f"The {whose}'s limits",
            parameters=[WAIT, ETAG],
            responses={200: answer(LIMITS, "As they are in force.")} | READING | unseen | UNREADABLE,
        ),
        put=extend_schema(
            tags=TAG,
            operation_id=f"set_{whose}_limits",
            summary=f"Replace the {whose}'s overrides",
            description="All of them: what is not in the list is taken out.",
            parameters=[WAIT, ETAG, IF_MATCH],
            request=REPLACE,
            responses={200: answer(LIMITS, "As they are in force now.")} | CHANGING | unseen,
        ),
    )


suggest = extend_schema(
    operation_id="suggest_limits",
    tags=TAG,
    summary="Limits from a patient's last values",
    description="Nothing is set by asking. For children there is no suggestion.",
    parameters=[WAIT],
    responses={
        200: answer(
            component(
                "Suggestion",
                thing(
                    {
                        "limits": listed(thing({"sign": SIGN, **SHOWN, "value": NUMBER, "count": COUNT, "measured_at": TIME})),
                        "version": COUNT,
                    },
                    optional={"detail": TEXT},
                ),
            ),
            "What the values suggest.",
        )
    }
    | READING
    | UNSEEN
    | UNREADABLE,
)
