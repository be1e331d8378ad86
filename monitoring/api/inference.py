"""The risk that a strategy sees in values that are sent along: nothing is stored, and that somebody asked is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Annotated, Any

import msgspec
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import bodies
from accounts.api.bodies import fault
from accounts.api.errors import Invalid
from monitoring.api.moments import Moment
from monitoring.api.schema import inference as schema
from monitoring.api.staff import StaffView, patient_of, reader_of
from monitoring.clinical.limits import Limits
from monitoring.clinical.scores import registry, risk, rule_based
from monitoring.clinical.scores.observations import CHOICES, RANGES, Observations, impossible
from monitoring.clinical.scores.score import NotApplicable
from monitoring.clinical.signs import TYPES, Sign
from monitoring.models import Patient
from monitoring.services import layers, thresholds
from monitoring.services.cases import observations_of
from monitoring.services.layers import Scope

LARGEST = 256 * 1024  # bytes
OF_THE_PATIENT = {"age_months", "pregnant", "spo2_scale"}  # who is known, and whom nobody has to describe
SCORED = {field.name for field in fields(Observations)} - OF_THE_PATIENT
INPUTS = {type_: sign.value for sign, type_ in TYPES.items()} | {name: name for name in SCORED | set(Sign)}
Values = dict[str, Any]  # by field


class Record(msgspec.Struct, forbid_unknown_fields=True):
    recorded_at: Moment
    vitals: dict[str, Any]


class Asking(msgspec.Struct):
    patient_id: str
    records: Annotated[list[Record], msgspec.Meta(min_length=1, max_length=schema.MOST_RECORDS)]
    strategy: str = rule_based.NAME


class RiskView(StaffView):
    """Whoever reads the record may ask, also a program."""

    @schema.ask
    def post(self, request: Request) -> Response:
        now, asked = timezone.now(), bodies.read(request, Asking, largest=LARGEST)
        errors, sets = _unknown_strategy(asked.strategy), []
        for place, record in enumerate(asked.records):
            bodies.in_utc(record, where=f"records[{place}].")
            values, wrong = _values(record.vitals, f"records[{place}].vitals")
            sets.append(values)
            errors += wrong
        if errors:
            raise Invalid(errors)
        patient = patient_of(reader_of(request), asked.patient_id, page="risk")
        known = observations_of(patient, now=now)
        try:
            found = risk.highest([_observations(values, known) for values in sets], asked.strategy)
        except NotApplicable as reason:
            raise Invalid([fault("strategy", str(reason), "not_applicable")]) from None
        return Response(
            {
                "patient_id": patient.patient_id,
                "risk_score": found.value,
                "risk_level": found.level,
                "checked_rules": found.rules,
                "evaluated_at": now,
                "strategy": asked.strategy,
                "recorded_at": asked.records[found.place].recorded_at,
                "at_least": found.score.at_least,
                "missing": [risk.type_of(name) for name in found.score.missing],
                "warnings": _warnings(sets, asked.strategy, known, _limits(patient, now)),
            }
        )


def _unknown_strategy(name: str) -> list[dict[str, Any]]:
    try:
        registry.strategy(name)
    except registry.UnknownStrategy as unknown:
        return [fault("strategy", f"It is one of {', '.join(unknown.known)}.", "unknown_strategy")]
    return []


def _values(sent: Mapping[str, Any], where: str) -> tuple[Values, list[dict[str, Any]]]:
    """What was measured, by field, and what is wrong with it: no name is passed over, and no value that cannot be."""
    values: Values = {}
    errors = []
    for name, value in sent.items():
        field, at = INPUTS.get(name), f"{where}.{name[:40]}"
        if field is None:
            errors.append(fault(at, f"There is no such value. There are {', '.join(sorted(INPUTS))}.", "unknown_field"))
        elif field in values:
            errors.append(fault(at, f"{field} is said twice.", "invalid"))
        elif value is not None:
            values[field] = value
            errors += [fault(at, sentence, "out_of_range") for sentence in _wrong(field, value)]
    if not errors and not values:
        errors.append(fault(where, "At least one value.", "required"))
    return values, errors


def _wrong(field: str, value: Any) -> list[str]:
    if field in RANGES:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or (isinstance(value, int) and abs(value) > 2**53):
            return ["This is no number that can be measured."]
    elif field in CHOICES:
        if not isinstance(value, str):
            return [f"One of {', '.join(map(str, CHOICES[field]))}."]
    elif not isinstance(value, bool):
        return ["true or false."]
    return list(impossible({field: value}).values())


def _observations(values: Values, known: Observations) -> Observations:
    described = {name: getattr(known, name) for name in OF_THE_PATIENT}
    return Observations(**described, **{name: value for name, value in values.items() if name in SCORED})


def _limits(patient: Patient, now: datetime) -> Mapping[Sign, Limits]:
    place = layers.place_of(Scope(patient=patient))
    return thresholds.in_force({place}, now=now)[place]


def _warnings(
    sets: Sequence[Values], strategy: str, known: Observations, limits: Mapping[Sign, Limits]
) -> list[dict[str, Any]]:
    """Of every record, not only of the one that counts."""
    score, found = registry.strategy(strategy).score, []
    for place, values in enumerate(sets):
        signs = {Sign(name): value for name, value in values.items() if name in TYPES}
        sentences = risk.unasked(signs, limits, score(_observations(values, known)))
        found += [{"index": place, "detail": sentence} for sentence in sentences]
    return found
