"""The dry run of limits, as the document tells it."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema

from accounts.api.schema.words import (
    BODY,
    BUSY,
    COUNT,
    NUMBER,
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
from monitoring.api.schema.thresholds import OVERRIDE, PROBLEM, SIGN, TAG
from monitoring.clinical.episode import Kind
from monitoring.clinical.limits import Severity
from monitoring.clinical.preview import TOLD
from monitoring.services.preview import LONGEST

SEVERITY = words(Severity.CRITICAL, Severity.WARNING)
KIND = words(*Kind)
BY_SEVERITY: dict[str, Schema] = {Severity.CRITICAL.value: COUNT, Severity.WARNING.value: COUNT}
CALLS = component(
    "Calls",
    thing(
        BY_SEVERITY
        | {
            "calls": COUNT,
            "kinds": listed(thing({"kind": KIND, "severity": words(*Severity)}, optional={what.value: COUNT for what in TOLD})),
        }
    ),
)
DELAY = component(
    "Delay", thing({"later": COUNT, "sooner": COUNT, "unchanged": COUNT, "median_s": NUMBER, "longest_s": NUMBER})
)
LOST = component(
    "LostCall",
    thing(
        {
            "patient_id": TEXT,
            "bed": TEXT,
            "condition": TEXT,
            "kind": KIND,
            "at": TIME,
            "ended_at": nullable(TIME),
            "sign": nullable(SIGN),
            "worst_value": nullable(NUMBER),
            "limit": nullable(NUMBER),
            "becomes": nullable(SEVERITY),
        }
    ),
)
FIGURES = component(
    "Preview",
    thing(
        {
            "since": TIME,
            "until": TIME,
            "hours": NUMBER,
            "hours_asked": COUNT,
            "patients": COUNT,
            "patients_asked": COUNT,
            "readings": COUNT,
            "notes": listed(TEXT),
            "present": CALLS,
            "proposed": CALLS,
            "saved": COUNT,
            "added": COUNT,
            "lost": thing(BY_SEVERITY),
            "gained": thing(BY_SEVERITY),
            "delay": DELAY,
            "critical_delay": DELAY,
            "lost_critical_count": COUNT,
            "lost_critical": listed(LOST),
        }
    ),
)
ASKED = component(
    "PreviewWanted",
    thing(
        {},
        optional={
            "patient_id": TEXT,
            "ward": TEXT | {"description": "Its slug; a patient or a ward, and not both."},
            "level": words("patient", "ward", "hospital"),
            "limits": listed(OVERRIDE),
            "without": listed(OVERRIDE, description="Whose overrides are taken out."),
            "hours": {"type": "integer", "minimum": 1, "maximum": LONGEST, "default": 24},
        },
    ),
)

ask = extend_schema(
    operation_id="preview_limits",
    tags=TAG,
    summary="What limits would have called for",
    description="On the vitals that are stored. Nothing is set by asking.",
    parameters=[WAIT],
    request=body(
        ASKED,
        of_a_patient={"patient_id": "P00001", "hours": 24, "limits": [{"sign": "spo2", "critical_low": 80, "warning_low": 86}]},
        of_a_ward={"ward": "icu", "hours": 1, "without": [{"sign": "spo2"}]},
    ),
    responses={200: answer(FIGURES, "The figures of both limits.")}
    | refusals(BODY | TOKEN | {403: ("permission_denied",), 404: ("not_found",)} | BUSY)
    | refusals({422: ("invalid", "unknown_field")}, errors=PROBLEM),
)
