"""The dry run: what limits would have called for on the vitals that are stored. Nothing is set by asking."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import median
from typing import Any

from django.http.request import RawPostDataException
from django.utils import timezone
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.access import Permission
from accounts.api import bodies
from accounts.models import User, Ward
from monitoring.api import limits_body
from monitoring.api.errors import Busy, Malformed
from monitoring.api.limits_body import Problem
from monitoring.api.schema import preview as schema
from monitoring.api.staff import StaffView, patient_of, person_of, ward_of
from monitoring.api.thresholds import problem_of, refused
from monitoring.clinical.limits import Severity
from monitoring.clinical.preview import CALLING, Count
from monitoring.models import Patient
from monitoring.services import layers, preview
from monitoring.services.layers import Scope
from monitoring.services.preview import LONGEST, LostCall, Preview

USUAL = 24  # hours
TOP = frozenset({"patient_id", "ward", "level", "limits", "without", "hours"})
LEVELS = ("patient", "ward", "hospital")
MOST_NAMED = 100  # critical calls that would be lost, one by one


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose vitals are looked at, and in which ward."""

    noun: Patient | Ward
    ward: Ward | None

    def scope(self, level: str) -> Scope:
        if level == "patient" and isinstance(self.noun, Patient):
            return Scope(patient=self.noun)
        return Scope(ward=self.ward) if level == "ward" else Scope()


class PreviewView(StaffView):
    """POST the limits of a patient, a ward or the hospital as they might be."""

    needs = Permission.ACKNOWLEDGE

    @schema.ask
    def post(self, request: Request) -> Response:
        person, now = person_of(request), timezone.now()
        body = _body(request)
        problems = [Problem(name, "There is no such field.", code="unknown_field") for name in sorted(body.keys() - TOP)]
        wanted = limits_body.read(body.get("limits", []))
        without = limits_body.read(body.get("without", []))
        problems += wanted.problems + [replace(each, field=f"without.{each.field}") for each in without.problems]
        hours, level = _hours(body, problems), _level(body, problems)
        subject = _subject(person, body, problems)
        if subject and not preview.may_ask(person, subject.noun):
            raise PermissionDenied("Only who answers the alerts of this ward may ask.")
        if problems or subject is None:
            return refused(problems)
        meant = {**dict.fromkeys(without.overrides), **wanted.overrides}
        scope = subject.scope(level)
        if found := preview.faults(scope, meant, now=now):
            return refused([problem_of(fault, wanted) for fault in found])
        try:
            return Response(_answer(preview.ask(subject.noun, scope, meant, hours=hours, now=now)))
        except preview.Busy:
            raise Busy("A dry run is under way already. Ask again in a moment.") from None


def _body(request: Request) -> dict[str, Any]:
    try:
        return bodies.decoded(request._request.body)
    except RawPostDataException:  # a form with files is read by the CSRF check already
        raise Malformed from None


def _hours(body: dict[str, Any], problems: list[Problem]) -> int:
    hours = body.get("hours", USUAL)
    if isinstance(hours, bool) or not isinstance(hours, int) or not 1 <= hours <= LONGEST:
        problems.append(Problem("hours", f"Whole hours, from 1 to {LONGEST}."))
        return USUAL
    return hours


def _level(body: dict[str, Any], problems: list[Problem]) -> str:
    """Whose limits they would be; of a patient or a ward, its own unless told."""
    usual = "patient" if "patient_id" in body else "ward"
    level = body.get("level", usual)
    if level not in LEVELS or (level == "patient" and usual != "patient"):
        problems.append(Problem("level", "“ward” or “hospital”, or for one patient “patient”."))
        return usual
    return str(level)


def _subject(user: User, body: dict[str, Any], problems: list[Problem]) -> Subject | None:
    """Who may not see the patient or ward gets 404, whatever else is wrong with the body."""
    names = [name for name in ("patient_id", "ward") if name in body]
    if len(names) != 1:
        problems.append(Problem("patient_id", "Name a patient_id, or a ward by its slug, and not both."))
        return None
    name = names[0]
    if not isinstance(body[name], str):
        problems.append(Problem(name, "A text."))
        return None
    if name == "ward":
        ward = ward_of(user, body[name])
        audit.saw(by=user, at=timezone.now(), ward=ward, page="api/dry-run")
        return Subject(ward, ward)
    patient = patient_of(user, body[name], page="dry-run")
    lies = layers.ward_of(patient)
    if lies is None:
        problems.append(Problem(name, "This patient lies in no bed: no limits hold for him."))
    return Subject(patient, lies)


def _answer(found: Preview) -> dict[str, Any]:
    changes = found.comparison
    return {
        "since": found.since,
        "until": found.until,
        "hours": found.hours,
        "hours_asked": found.hours_asked,
        "patients": found.patients,
        "patients_asked": found.patients_asked,
        "readings": found.readings,
        "notes": _notes(found),
        "present": _counts(found.present),
        "proposed": _counts(found.proposed),
        "saved": changes.saved,
        "added": changes.added,
        "lost": _by_severity(changes.lost),
        "gained": _by_severity(changes.gained),
        "delay": _delay(changes.delays),
        "critical_delay": _delay(changes.critical_delays),
        "lost_critical_count": len(found.lost_critical),
        "lost_critical": [_lost(each) for each in found.lost_critical[:MOST_NAMED]],
    }


def _notes(found: Preview) -> list[str]:
    """What the figures do not cover, in sentences."""
    notes = ["Set against the limits in force now, as if they had held all the time; nobody takes an alert."]
    if found.hours < found.hours_asked or found.patients < found.patients_asked:
        of = f"{found.patients} of {found.patients_asked} patients"
        notes.append(f"Too many readings: only the last {found.hours} h of {of} were looked at.")
    if not found.readings:
        notes.append("There are no readings in this time.")
    return notes


def _counts(counts: Counter[Count]) -> dict[str, Any]:
    kinds: dict[tuple[str, str], dict[str, int]] = {}
    for one, number in sorted(counts.items()):
        kinds.setdefault((one.kind, one.severity), {})[one.what] = number
    called: Counter[Severity] = Counter()
    for one, number in counts.items():
        if one.what in CALLING:
            called[one.severity] += number
    return _by_severity(called) | {
        "calls": called[Severity.CRITICAL] + called[Severity.WARNING],
        "kinds": [{"kind": kind, "severity": severity, **numbers} for (kind, severity), numbers in kinds.items()],
    }


def _by_severity(counts: Counter[Severity]) -> dict[str, int]:
    return {severity.value: counts[severity] for severity in (Severity.CRITICAL, Severity.WARNING)}


def _delay(seconds: list[float]) -> dict[str, float | int]:
    """How much later the same excursions would have been told: only those that would."""
    later = [each for each in seconds if each > 0]
    return {
        "later": len(later),
        "sooner": sum(each < 0 for each in seconds),
        "unchanged": seconds.count(0),
        "median_s": round(median(later), 1) if later else 0,
        "longest_s": round(max(later), 1) if later else 0,
    }


def _lost(call: LostCall) -> dict[str, Any]:
    spell = call.lost.spell
    told: datetime = spell.critical_at or spell.begun
    return {
        "patient_id": call.patient_id,
        "bed": call.bed,
        "condition": spell.condition,
        "kind": spell.kind.value,
        "at": told,
        "ended_at": spell.ended,
        "sign": spell.episode.sign,
        "worst_value": spell.worst,
        "limit": spell.limit,
        "becomes": call.lost.becomes,
    }
