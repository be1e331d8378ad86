"""Risk inference, as the document tells it."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema

from accounts.api.schema.words import (
    BODY,
    BUSY,
    COUNT,
    FAULT,
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
from monitoring.clinical.scores import registry, rule_based

MOST_RECORDS = 1_000

RECORD = component(
    "RiskRecord",
    thing(
        {
            "recorded_at": TIME,
            "vitals": {
                "type": "object",
                "minProperties": 1,
                "description": "By type (HR, RR, SBP, DBP, MBP, SpO2, BT) or by name (heart_rate …); besides consciousness, "
                "on_oxygen, oxygen_flow, gcs and what else the strategies of docs/scores.md read.",
            },
        }
    ),
)
ASKED = component(
    "RiskAsked",
    thing(
        {"patient_id": TEXT, "records": listed(RECORD, minItems=1, maxItems=MOST_RECORDS)},
        optional={"strategy": words(*registry.names()) | {"default": rule_based.NAME}},
    ),
)
SCORE = nullable(NUMBER | {"description": "Of rule_based 0.2, 0.5, 0.7 or 0.9; of others the total, if nothing is missing."})
RISK: Schema = component(
    "Risk",
    thing(
        {
            "patient_id": TEXT,
            "risk_score": SCORE,
            "risk_level": nullable(TEXT | {"description": "LOW, MEDIUM, HIGH; of others the name of their band."}),
            "checked_rules": listed(TEXT, description="The rules that are met, or the inputs with points."),
            "evaluated_at": TIME,
            "strategy": words(*registry.names()),
            "recorded_at": TIME | {"description": "Of the record that counts."},
            "at_least": NUMBER,
            "missing": listed(TEXT, description="What the strategy asks for, and that record has not."),
            "warnings": listed(
                thing({"index": COUNT, "detail": TEXT}),
                description="Values beyond the patient's limits that the strategy gives no points.",
            ),
        }
    ),
)
ask = extend_schema(
    operation_id="vital_risk",
    tags=["Risk"],
    summary="The risk in some vitals",
    description="Each record is scored alone; the highest counts, the first of equals. Nothing is stored.",
    parameters=[WAIT],
    request=body(
        ASKED,
        fixed_rules={
            "patient_id": "P00001",
            "records": [{"recorded_at": "2026-12-01T12:00:00Z", "vitals": {"HR": 130, "SBP": 85, "SpO2": 89}}],
        },
    ),
    responses={
        200: answer(
            RISK,
            "As the strategy sees it.",
            fixed_rules={
                "patient_id": "P00001",
                "risk_score": 0.9,
                "risk_level": "HIGH",
                "checked_rules": ["HR > 120", "SBP < 90", "SpO2 < 90"],
                "evaluated_at": "2026-12-01T12:00:05Z",
                "strategy": "rule_based",
                "recorded_at": "2026-12-01T12:00:00Z",
                "at_least": 0.9,
                "missing": [],
                "warnings": [],
            },
        )
    }
    | refusals(TOKEN | {403: ("permission_denied",), 404: ("not_found",)} | BUSY)
    | refusals(BODY)
    | refusals(
        {422: ("required", "invalid", "unknown_field", "unknown_strategy", "out_of_range", "not_applicable")}, errors=FAULT
    ),
)
