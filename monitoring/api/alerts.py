"""Alerts: which there are, what happened to one, and the hands of people on it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import msgspec
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.access import Permission
from accounts.api import bodies, queries
from accounts.api.bodies import fault
from accounts.api.errors import Invalid
from accounts.api.queries import Word
from accounts.models import ServiceToken, User, Ward
from monitoring.api import versions
from monitoring.api.paging import Paged, page
from monitoring.api.representations import alerts as representation
from monitoring.api.schema import alerts as schema
from monitoring.api.staff import NoPatient, RecordView, StaffView, must, patient_of, person_of, reader_of, ward_of
from monitoring.clinical.limits import Severity
from monitoring.models import Alert, Patient
from monitoring.services import alerts
from monitoring.services.alerts import Shown

LONGEST_SENTENCE = 200  # letters
Sentence = Annotated[str, msgspec.Meta(max_length=LONGEST_SENTENCE, pattern=bodies.PLAIN, description=bodies.ONE_LINE)]
NEWEST_FIRST = ("-raised_at", "pk")


class Asked(Paged, kw_only=True):
    """Which alerts; what is not said narrows nothing, but for `state`."""

    severity: Severity | msgspec.UnsetType = msgspec.UNSET
    patient_id: Word = ""
    ward: Word = ""
    state: Literal["open", "all"] = "open"


class Taking(msgspec.Struct, kw_only=True):
    severity_shown: Severity = Severity.CRITICAL


class Ending(msgspec.Struct, kw_only=True):
    note: Sentence = ""


class Hushing(msgspec.Struct, kw_only=True):
    minutes: int


class Marking(msgspec.Struct, kw_only=True):
    why: Sentence


class AlertsView(StaffView):
    """The alerts of the wards that one may see, or all of one patient."""

    asks = ("GET",)

    @schema.find
    def get(self, request: Request) -> Response:
        who, asked = reader_of(request), queries.read(request, Asked)
        return page(request, _found(who, asked), asked, order=NEWEST_FIRST, read=representation.read)


class PatientAlertsView(RecordView):
    """All alerts of a patient, also of wards in which he lay before."""

    asks = ("GET",)

    @schema.of_patient
    def get(self, request: Request, patient_id: str) -> Response:
        asked = queries.read(request, Paged)
        patient = patient_of(reader_of(request), patient_id, page="alerts")
        found = Alert.objects.filter(patient=patient).select_related(*representation.RELATED)
        return page(request, found, asked, order=NEWEST_FIRST, read=representation.read)


class AlertView(StaffView):
    """One alert, and what happened to it."""

    @schema.read
    def get(self, request: Request, alert_id: UUID) -> Response:
        who = reader_of(request)
        alert = _alert(who, alert_id)
        patient_id = alert.patient.patient_id if alert.patient else ""
        audit.saw(by=who, at=timezone.now(), patient=patient_id, ward=alert.ward, page="api/alert")
        return versions.tagged(_one(alert) | {"events": _events(alert)}, alert.version)


class DeedView(StaffView):
    """Something that a person does to an alert as he was shown it; doing it again changes nothing."""

    body: ClassVar[type[msgspec.Struct]]
    may_be_empty: ClassVar[bool] = True

    def act(self, alert: Alert, wanted: Any, *, by: User, at: datetime, version: int | None) -> None:
        raise NotImplementedError

    def post(self, request: Request, alert_id: UUID) -> Response:
        person = person_of(request)
        alert = _alert(person, alert_id)
        must(person, self.needs, alert.ward)
        wanted = bodies.read(request, self.body, may_be_empty=self.may_be_empty)
        version = versions.seen(request) if "If-Match" in request.headers else None
        try:
            self.act(alert, wanted, by=person, at=timezone.now(), version=version)
        except alerts.Changed:
            return versions.conflict("the alert", expected=version or 0, version=alert.version, current=_one(alert))
        except alerts.SeverityRisen:
            return _risen(alert)
        except alerts.SilenceTooLong as too_long:
            raise Invalid([fault("minutes", str(too_long), "invalid")]) from None
        return versions.tagged(_one(alert), alert.version)


@schema.acknowledge
class AcknowledgeView(DeedView):
    needs = Permission.ACKNOWLEDGE
    body = Taking

    def act(self, alert: Alert, wanted: Taking, *, by: User, at: datetime, version: int | None) -> None:
        alerts.acknowledge(alert, by=by, at=at, shown=Shown(wanted.severity_shown, version=version))


@schema.resolve
class ResolveView(DeedView):
    needs = Permission.RESOLVE
    body = Ending

    def act(self, alert: Alert, wanted: Ending, *, by: User, at: datetime, version: int | None) -> None:
        alerts.resolve(alert, by=by, at=at, note=wanted.note.strip(), shown=Shown(version=version))


@schema.silence
class SilenceView(DeedView):
    needs = Permission.SILENCE
    body = Hushing
    may_be_empty = False

    def act(self, alert: Alert, wanted: Hushing, *, by: User, at: datetime, version: int | None) -> None:
        alerts.silence(alert, minutes=wanted.minutes, by=by, at=at, shown=Shown(version=version))


@schema.noise
class NoiseView(DeedView):
    needs = Permission.MARK_NOISE
    body = Marking
    may_be_empty = False

    def act(self, alert: Alert, wanted: Marking, *, by: User, at: datetime, version: int | None) -> None:
        why = wanted.why.strip()
        if not why:
            raise Invalid([fault("why", "Say why it was not actionable.", "required")])
        alerts.mark_as_noise(alert, by=by, at=at, why=why, shown=Shown(version=version))


def _found(who: User | ServiceToken, asked: Asked) -> QuerySet[Alert]:
    """What is asked for, of what they may see. A ward or patient who is not theirs is 404: "no alerts" would be a lie."""
    ward = ward_of(who, asked.ward) if asked.ward else None
    patient = Patient.objects.visible_to(who).named(asked.patient_id).first() if asked.patient_id else None
    if asked.patient_id and patient is None:
        raise NoPatient
    audit.saw(by=who, at=timezone.now(), patient=asked.patient_id, ward=ward, page="api/alerts")
    found = Alert.objects.filter(patient=patient) if patient else Alert.objects.filter(ward__in=Ward.objects.visible_to(who))
    found = found.select_related(*representation.RELATED)
    if asked.state == "open":
        found = found.open()
    if asked.severity:
        found = found.filter(severity=asked.severity)
    return found.filter(ward=ward) if ward else found


def _alert(who: User | ServiceToken, alert_id: UUID) -> Alert:
    return get_object_or_404(Alert.objects.visible_to(who).select_related(*representation.RELATED), pk=alert_id)


def _one(alert: Alert) -> dict[str, Any]:
    return representation.read([alert])[0]


def _events(alert: Alert) -> list[dict[str, Any]]:
    """From the first to the last."""
    return [
        {
            "what": event.what,
            "at": event.at,
            "by": str(event.by) if event.by else None,
            "severity": event.severity,
            "value": event.value,
            "note": event.note or None,
        }
        for event in alert.events.select_related("by").order_by("pk")
    ]


def _risen(alert: Alert) -> Response:
    body = {"detail": "The alert is worse by now than it was shown.", "code": "severity_risen", "current": _one(alert)}
    return Response(body, status=status.HTTP_409_CONFLICT, headers={"ETag": f'"{alert.version}"'})
