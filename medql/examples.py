"""An example of every body and answer of the API, put together from what its fields say by name.

One story throughout: at three in the morning Ada Byron's saturation is 84, in bed 3 of the intensive care unit. Where the
description of a resource has an example of its own, that one stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator
from rest_framework.exceptions import APIException

JSON = "application/json"
Schema = dict[str, Any]

AT, LATER = "2026-11-26T03:12:45Z", "2026-11-26T03:14:02Z"
ALERT = "7c1f0b52-3a0e-4b6e-9a43-0d5f1c2e8b11"
NURSE, DOCTOR = "Noor Haddad", "Dora Lind"

SAYS: dict[str, Any] = {
    "access_token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl",
    "acknowledged_at": None,
    "acknowledged_by": None,
    "admission": "41",
    "admitted_at": "2026-11-24T18:05:00Z",
    "admitted_by": NURSE,
    "age_band": "adult",
    "age_s": 12,
    "alert_id": ALERT,
    "archived_at": None,
    "assigned_by": NURSE,
    "at": AT,
    "at_least": 3,
    "band": "low-medium",
    "bed": "3",
    "birth_date": "1957-12-10",
    "body_temp": 37.1,
    "bound_high": None,
    "bound_low": None,
    "by": DOCTOR,
    "code": "invalid",
    "condition": "spo2_low",
    "consciousness": "A",
    "count": 4,
    "created_at": AT,
    "critical_high": None,
    "critical_low": 85,
    "date": "2026-11-26",
    "delay_s": 15,
    "detail": "A sentence for people.",
    "device": "M7",
    "diastolic_bp": 72,
    "discharged_at": None,
    "discharged_by": None,
    "email": "noor@example.org",
    "ended_at": None,
    "evaluated_at": LATER,
    "expires_at": "2026-11-26T04:12:45Z",
    "expires_in": 30,
    "field": "reason",
    "first_name": "Ada",
    "gender": "female",
    "heart_rate": 96,
    "hours": 24,
    "id": "41",
    "last_name": "Byron",
    "last_value": 84,
    "limit": 85,
    "margin": 2,
    "max": 97,
    "mean": 91.4,
    "mean_bp": 88,
    "measured_at": AT,
    "medical_history": "COPD; pacemaker since 2019",
    "message": "SpO₂ 84 < 85 %",
    "min": 84,
    "missing": "systolic_bp",
    "name": "Ada Byron",
    "next": None,
    "note": "moved the probe",
    "notes": "from theatre",
    "off": [],
    "on_oxygen": True,
    "otp": "492039",
    "oxygen_flow": 2,
    "password": "correct horse battery",
    "patient_id": "P00001",
    "phone": "+44 20 7946 0000",
    "points": 3,
    "reading_count": 4810,
    "reason": "COPD: 88 to 92 % is her target",
    "recorded_at": AT,
    "refresh_token": "rt_4f1c9a0de2b7",
    "refusal": None,
    "relationship": "daughter",
    "resolved_at": None,
    "resolved_by": None,
    "respiratory_rate": 22,
    "role": "nurse",
    "room": "ICU 3",
    "sensor_id": "M7/spo2",
    "set_on": "icu",
    "sign": "spo2",
    "silenced_until": None,
    "source": "patient",
    "spo2": 84,
    "stored": 1,
    "strategy": "news2",
    "subject": "patient:P00001",
    "systolic_bp": 118,
    "threshold_breached": 85,
    "ticket": "q3ZlX0t1S2s",
    "value": 84,
    "version": 3,
    "vital_type": "SpO2",
    "vital_value": 84,
    "ward": "icu",
    "wards": "icu",
    "warning_high": None,
    "warning_low": 90,
    "why": "movement",
    "worst_value": 83,
}
OF_FORMAT = {"date-time": AT, "uuid": ALERT}
FORMATS = Draft202012Validator.FORMAT_CHECKER
FIGURES = {"value", "min", "mean", "max"}  # of a sign: what the sign itself says
SIGNS = {"heart_rate", "spo2", "respiratory_rate", "systolic_bp", "diastolic_bp", "mean_bp", "body_temp"}


def add(document: Schema) -> None:
    """Into a document that is otherwise whole."""
    for path in document["paths"].values():
        for operation in path.values():
            if "requestBody" in operation:
                _add_to(operation["requestBody"], document)
            for answer in operation["responses"].values():
                _add_to(answer, document)


def _add_to(told: Schema, document: Schema) -> None:
    content = told.get("content", {}).get(JSON)
    if content and "examples" not in content:
        builder, schema = _Builder(document), content["schema"]
        built = builder.of(schema)
        named = {code: builder.refused(schema, built, code) for code in _codes(schema)} or {"example": built}
        content["examples"] = {name: {"value": value} for name, value in named.items()}


def _codes(schema: Schema) -> list[str]:
    """What a refusal may say: each has an example of its own."""
    return list(schema.get("allOf", [{}])[-1].get("properties", {}).get("code", {}).get("enum", []))


def _sentence(code: str) -> str:
    """What is told with a code, where it is the same each time; else the code in words."""
    told = {str(kind.default_code): str(kind.default_detail) for kind in _kinds(APIException)}
    return told.get(code, f"{code.replace('_', ' ').capitalize()}.")


def _kinds(of: type[Any]) -> Iterator[type[Any]]:
    for kind in of.__subclasses__():
        yield from _kinds(kind)
        yield kind


class _Builder:
    """Values that schemas of a document allow."""

    def __init__(self, document: Schema) -> None:
        self.document = document

    def refused(self, schema: Schema, built: Schema, code: str) -> Schema:
        """The same refusal by this code, in what it says of the fields too where they are refused by it."""
        told = {"code": code, "detail": _sentence(code)}
        errors = [each | told if "code" in each else each for each in built.get("errors", [])]
        whole = built | told | {"errors": errors}
        return whole if errors and self._allows(schema, whole) else built | told

    def of(self, schema: Schema, name: str = "") -> Any:
        """What a field of this name would say."""
        if "$ref" in schema:
            return self.of(self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], name)
        if "allOf" in schema:
            return {key: value for part in schema["allOf"] for key, value in self.of(part).items()}
        if either := schema.get("anyOf") or schema.get("oneOf"):
            return self.of(either[0], name)
        said = [
            *schema.get("examples", []),
            *([SAYS[name]] if name in SAYS else []),
            *schema.get("enum", [schema.get("const")]),
        ]
        fitting = [value for value in said if self._allows(schema, value)]
        return fitting[0] if fitting else self._of_type(schema, name)

    def _allows(self, schema: Schema, value: Any) -> bool:
        return bool(Draft202012Validator(self.document | schema, format_checker=FORMATS).is_valid(value))

    def _of_type(self, schema: Schema, name: str) -> Any:
        """By the kind of value alone."""
        kinds = schema.get("type", "object")
        match kinds if isinstance(kinds, str) else kinds[0]:
            case "object":
                return self._object(schema.get("properties", {}), name)
            case "array":
                return [self.of(schema["items"], name)]
            case "boolean":
                return False
            case "integer" | "number":
                return schema.get("minimum", 1)
        return OF_FORMAT.get(schema.get("format", ""), name)

    def _object(self, fields: dict[str, Schema], name: str) -> Schema:
        return {field: self.of(of, name if name in SIGNS and field in FIGURES else field) for field, of in fields.items()}
