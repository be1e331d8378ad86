"""Limits of a patient, a ward and the hospital: who reads them, who sets them, and where they come from."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

import msgspec
from django.utils import timezone
from rest_framework import status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import bodies
from accounts.api.errors import Invalid
from accounts.models import ServiceToken, User
from monitoring.api import limits_body, versions
from monitoring.api.limits_body import Problem, Wanted
from monitoring.api.representations import limits as representation
from monitoring.api.schema import thresholds as schema
from monitoring.api.staff import StaffView, patient_of, person_of, reader_of, ward_of
from monitoring.clinical.limits import Limits
from monitoring.clinical.overrides import Override
from monitoring.models import Threshold, WardNight
from monitoring.models.threshold import Part
from monitoring.services import layers, refusals, suggestions, thresholds
from monitoring.services.layers import Level, Scope, Source, Standing
from monitoring.services.refusals import Fault, Key

TOP = frozenset({"limits", "version", "reason", "night", "age_band", "birth_date_known"})
NIGHT_FIELDS = {"begins": "night.from", "ends": "night.until"}


class LimitsView(StaffView):
    """The limits of one scope: GET as they are in force, PUT all overrides of the scope with the version that was read."""

    own: ClassVar[Source]

    def scope(self, who: User | ServiceToken, **address: str) -> Scope:
        """What the address names, of what this person or program may see; else 404."""
        raise NotImplementedError

    def get(self, request: Request, **address: str) -> Response:
        return _tagged(self.scope(reader_of(request), **address), now=timezone.now())

    def put(self, request: Request, **address: str) -> Response:
        person, now = person_of(request), timezone.now()
        scope = self.scope(person, **address)
        if not refusals.may_set(person, scope):
            raise PermissionDenied("You may not set these limits.")
        body = bodies.decoded(request._request.body)
        reason = body.get("reason") or ""
        wanted = limits_body.read(body.get("limits"), reason=reason if isinstance(reason, str) else "")
        version = _version(request, body, wanted.problems)
        hours = limits_body.hours(body.get("night"), wanted.problems)
        wanted.problems += _of_body(body, scope, reason)
        if wanted.problems or version is None:
            return refused(wanted.problems)
        overrides = _meant(wanted, scope, self.own, now=now)
        try:
            if scope.ward and "night" in body:
                thresholds.replace_ward(scope.ward, overrides, hours, by=person, at=now, version_seen=version)
            else:
                thresholds.replace_all(scope, overrides, by=person, at=now, version_seen=version)
        except thresholds.Stale:
            return _stale(scope, version, now=now)
        except refusals.Refused as refusal:
            return refused([problem_of(fault, wanted) for fault in refusal.faults])
        return _tagged(scope, now=now)


@schema.of("patient")
class PatientLimitsView(LimitsView):
    own = Source.PATIENT

    def scope(self, who: User | ServiceToken, **address: str) -> Scope:
        return Scope(patient=patient_of(who, address["patient_id"], page="limits"))


@schema.of("ward")
class WardLimitsView(LimitsView):
    own = Source.WARD

    def scope(self, who: User | ServiceToken, **address: str) -> Scope:
        return Scope(ward=ward_of(who, address["slug"]))


@schema.of("hospital", unseen={})
class HospitalLimitsView(LimitsView):
    own = Source.HOSPITAL

    def scope(self, who: User | ServiceToken, **address: str) -> Scope:
        return Scope()


class SuggestionView(StaffView):
    """Limits that a patient's last values suggest; nothing is set by asking."""

    @schema.suggest
    def get(self, request: Request, patient_id: str) -> Response:
        patient = patient_of(reader_of(request), patient_id, page="suggestion")
        version = thresholds.version(Scope(patient=patient))
        try:
            suggested = suggestions.for_patient(patient, now=timezone.now())
        except suggestions.NotAnAdult:
            return Response({"limits": [], "detail": "The formulas are for adults.", "version": version})
        limits = [
            {"sign": one.sign.value, **representation.numbers(Standing(one.limits, Source.PATIENT)), "value": one.value}
            | {"count": one.count, "measured_at": one.measured_at}
            for one in suggested
        ]
        return Response({"limits": limits, "version": version})


def _version(request: Request, body: dict[str, Any], problems: list[Problem]) -> int | None:
    """The version that was read, from the body or `If-Match`; all overrides are replaced, so nobody may guess it."""
    try:
        return versions.seen(request, msgspec.convert(body.get("version"), versions.Version | None))
    except msgspec.ValidationError:
        problems.append(Problem("version", "Send the version of the limits that you read, a whole number."))
    except Invalid as invalid:
        problems += [Problem(fault["field"], fault["detail"], code=fault["code"]) for fault in invalid.errors]
    return None


def _of_body(body: dict[str, Any], scope: Scope, reason: Any) -> list[Problem]:
    found = [Problem(name, "There is no such field.", code="unknown_field") for name in sorted(body.keys() - TOP)]
    if not limits_body.is_reason(reason):
        found.append(Problem("reason", limits_body.REASON))
    if body.get("night") is not None and scope.ward is None:
        found.append(Problem("night", "Only a ward has a night."))
    return found


def _meant(wanted: Wanted, scope: Scope, own: Source, *, now: datetime) -> dict[Key, Override]:
    """The overrides among the items: one that came from a wider scope and is sent back unchanged is none."""
    place = layers.place_of(scope)
    found = layers.gather([place], now=now)[place]
    stored = {(row.sign, row.part): row.override for row in Threshold.objects.filter(scope_key=scope.key)}
    meant = {}
    for (sign, part), override in wanted.overrides.items():
        shipped, before = found.shipped.limits[sign], stored.get((sign, part))
        if wanted.sources.get((sign, part), own) == own:
            meant[sign, part] = _as_stored(override, before, shipped) if before else override
        elif override.over(shipped) != found.beneath(scope.level(part)).limits()[sign]:
            meant[sign, part] = override
    return meant


def _as_stored(override: Override, before: Override, shipped: Limits) -> Override:
    """A margin or delay that was answered as the shipped one, and comes back as it was, is still left to what is shipped."""
    margin = None if before.margin is None and override.margin == shipped.margin else override.margin
    delay = None if before.delay is None and override.delay == shipped.delay else override.delay
    return replace(override, margin=margin, delay=delay)


def _answer(scope: Scope, *, now: datetime) -> dict[str, Any]:
    place = layers.place_of(scope)
    found = layers.gather([place], now=now)[place]
    level = Level.PATIENT if scope.patient else scope.level()
    shown = found if scope.patient else replace(found, rows=tuple(row for row in found.rows if layers.level_of(row) <= level))
    limits = [representation.read(sign, standing, scope) for sign, standing in shown.standings().items()]
    answer: dict[str, Any] = {"limits": limits, "version": thresholds.version(scope)}
    if scope.patient:
        answer |= {"age_band": found.shipped.band.name, "birth_date_known": found.shipped.age_known}
    if scope.ward:
        hours = WardNight.objects.filter(ward=scope.ward).first()
        answer["night"] = {"from": f"{hours.begins:%H:%M}", "until": f"{hours.ends:%H:%M}"} if hours else None
        night = layers.of_night(scope.ward, found, now=now)
        limits += [representation.read(sign, standing, scope) | {"part": Part.NIGHT} for sign, standing in night]
    return answer


def _tagged(scope: Scope, *, now: datetime) -> Response:
    answer = _answer(scope, now=now)
    return versions.tagged(answer, answer["version"])


def problem_of(fault: Fault, wanted: Wanted) -> Problem:
    if fault.sign is None:
        return Problem(NIGHT_FIELDS.get(fault.field, fault.field), fault.sentence)
    field = "delay_s" if fault.field == "delay" else fault.field
    return Problem(field, fault.sentence, wanted.places.get((fault.sign, fault.part)), fault.sign.value)


def refused(problems: list[Problem]) -> Response:
    errors = [
        {name: value for name in ("index", "sign", "field", "code", "detail") if (value := getattr(problem, name)) is not None}
        for problem in problems
    ]
    first = problems[0]
    body = {"detail": f"{first.field}: {first.detail}", "code": first.code, "errors": errors}
    return Response(body, status=status.HTTP_422_UNPROCESSABLE_ENTITY)


def _stale(scope: Scope, sent: int, *, now: datetime) -> Response:
    current = _answer(scope, now=now)
    return versions.conflict("the limits", expected=sent, version=current["version"], current=current)
