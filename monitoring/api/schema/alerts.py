"""Alerts, as the document tells them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view

from accounts.api.bodies import PLAIN
from accounts.api.schema.words import (
    BODY,
    BUSY,
    COUNT,
    CURSOR,
    IF_MATCH,
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
    conflict_of,
    limit_of,
    listed,
    nullable,
    page_of,
    refusals,
    thing,
    words,
)
from monitoring.api.paging import MOST, USUAL
from monitoring.clinical.limits import Severity
from monitoring.clinical.signs import Side, Sign
from monitoring.models import Alert, AlertEvent

TAG = ["Alerts"]
LONGEST = 200  # letters of a note

SEVERITY = words(*Severity)
FIELDS: dict[str, Schema] = {
    "id": TEXT | {"format": "uuid"},
    "alert_id": TEXT | {"format": "uuid", "description": "The same as `id`."},
    "subject": TEXT | {"description": "Whom it is about: `patient:P00001`, `device:M7` or `ward:icu`."},
    "patient_id": nullable(TEXT),
    "ward": TEXT | {"description": "The slug of the ward that is called."},
    "bed": nullable(TEXT | {"description": "Where the patient lies, or lay when it ended."}),
    "kind": words(*Alert.Kind.values),
    "severity": SEVERITY,
    "condition": TEXT | {"description": "`spo2_low`, `multiple_signs`, `news2`, `no_data`, `clock_skew` …"},
    "sign": nullable(words(*Sign)),
    "side": nullable(words(*Side)),
    "message": TEXT,
    "vital_value": nullable(NUMBER | {"description": "The value that led to it."}),
    "threshold_breached": nullable(NUMBER),
    "worst_value": nullable(NUMBER),
    "last_value": nullable(NUMBER),
    "count": COUNT | {"description": "How many readings were beyond."},
    "state": words("raised", "acknowledged", "returned", "resolved"),
    "silenced_until": nullable(TIME),
    "created_at": TIME | {"description": "When it was raised."},
    "measured_at": TIME,
    "acknowledged_at": nullable(TIME),
    "acknowledged_by": nullable(TEXT),
    "resolved_at": nullable(TIME),
    "resolved_by": nullable(TEXT | {"description": "Nobody where it ended by itself."}),
    "escalation_step": COUNT,
    "version": {"type": "integer", "minimum": 1, "description": "Moves when the state does, not with each value."},
}
ALERT = component("Alert", thing(FIELDS))
EVENT = component(
    "AlertEvent",
    thing(
        {
            "what": words(*AlertEvent.What.values),
            "at": TIME,
            "by": nullable(TEXT),
            "severity": SEVERITY,
            "value": nullable(NUMBER),
            "note": nullable(TEXT),
        }
    ),
)
WITH_EVENTS = component(
    "AlertWithEvents", thing(FIELDS | {"events": listed(EVENT, description="What happened to it, from the first to the last.")})
)
RISEN = component("AlertRisen", thing({"detail": TEXT, "code": {"const": "severity_risen"}, "current": ALERT}))
CONFLICT = conflict_of("Alert", ALERT)
EXAMPLE = {
    "id": "7f9c24e8-3b12-4fef-91e0-3c6a2f1d5b7a",
    "alert_id": "7f9c24e8-3b12-4fef-91e0-3c6a2f1d5b7a",
    "subject": "patient:P00001",
    "patient_id": "P00001",
    "ward": "icu",
    "bed": "I3",
    "kind": "physiological",
    "severity": "critical",
    "condition": "spo2_low",
    "sign": "spo2",
    "side": "low",
    "message": "SpO₂ 84 < 85 %",
    "vital_value": 84,
    "threshold_breached": 85,
    "worst_value": 81,
    "last_value": 83,
    "count": 24,
    "state": "acknowledged",
    "silenced_until": None,
    "created_at": "2026-12-01T03:10:15Z",
    "measured_at": "2026-12-01T03:10:00Z",
    "acknowledged_at": "2026-12-01T03:10:40Z",
    "acknowledged_by": "Noor",
    "resolved_at": None,
    "resolved_by": None,
    "escalation_step": 0,
    "version": 2,
}
PAGE = answer(page_of("Alert", ALERT), "Newest first.", a_page={"results": [EXAMPLE], "next": None})
READING = refusals(TOKEN | {403: ("permission_denied",)} | BUSY)
UNSEEN = refusals({404: ("not_found",)})
LIMIT = limit_of(MOST, USUAL)
MINUTES: Schema = {"type": "integer", "minimum": 1, "description": "No more than the ward allows, 10 as shipped."}
NOTE: Schema = {"type": "string", "maxLength": LONGEST, "pattern": PLAIN}

find = extend_schema(
    operation_id="alerts",
    tags=TAG,
    summary="Alerts of one's wards, or of a patient",
    description="Without `state` those that are not resolved. With `patient_id` also those of wards in which the patient lay "
    "before. A ward or patient who is not yours to see is 404.",
    parameters=[
        WAIT,
        OpenApiParameter("severity", SEVERITY),
        OpenApiParameter("patient_id", WORD),
        OpenApiParameter("ward", WORD, description="The slug of a ward."),
        OpenApiParameter("state", words("open", "all") | {"default": "open"}),
        LIMIT,
        CURSOR,
    ],
    responses={200: PAGE} | READING | UNSEEN | UNREADABLE,
)
of_patient = extend_schema(
    operation_id="alerts_of_patient",
    tags=TAG,
    summary="All alerts of a patient",
    description="Also of stays and wards before this one; the patient himself may read them.",
    parameters=[WAIT, LIMIT, CURSOR],
    responses={200: PAGE} | READING | UNSEEN | UNREADABLE,
)
read = extend_schema(
    operation_id="alert",
    tags=TAG,
    summary="An alert and what happened to it",
    parameters=[WAIT],
    responses={200: answer(WITH_EVENTS, "As it is now.")} | READING | UNSEEN | UNREADABLE,
)


def _deed(name: str, summary: str, takes: Any, description: str, refused: OpenApiResponse) -> Any:
    return extend_schema_view(
        post=extend_schema(
            operation_id=f"{name}_alert",
            tags=TAG,
            summary=summary,
            description=f"{description} With `If-Match` only the version that was read.",
            parameters=[WAIT, IF_MATCH],
            request=takes,
            responses={200: answer(ALERT, "As it is now."), 409: refused} | READING | refusals(BODY) | UNSEEN | UNREADABLE,
        )
    )


acknowledge = _deed(
    "acknowledge",
    "Take an alert",
    body_if_any(
        component("AcknowledgeAlert", thing({}, optional={"severity_shown": SEVERITY})),
        as_it_was_shown={"severity_shown": "warning"},
    ),
    "Who takes it twice, or second, changes nothing: the first hand stays. Of several signs at once all are taken.",
    answer({"oneOf": [RISEN, CONFLICT.response]}, "It is worse by now than it was shown, or at another version."),
)
resolve = _deed(
    "resolve",
    "End an alert",
    body_if_any(component("ResolveAlert", thing({}, optional={"note": NOTE})), with_a_note={"note": "moved the probe"}),
    "What still stands beyond its limit brings the same alert back with the next value.",
    CONFLICT,
)
silence = _deed(
    "silence",
    "Switch the sound off for some minutes",
    body(component("SilenceAlert", thing({"minutes": MINUTES})), five_minutes={"minutes": 5}),
    "Never what is shown, nor the escalation. What gets worse ends it.",
    CONFLICT,
)
noise = _deed(
    "noise",
    "Mark an alert as not actionable",
    body(component("NoiseAlert", thing({"why": NOTE | {"minLength": 1}})), why={"why": "suction"}),
    "The first mark stays. It changes nothing but the statistics of the alarm load.",
    CONFLICT,
)
