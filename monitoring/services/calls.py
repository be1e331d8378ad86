"""Calls for help: by the patient himself, or by somebody at his bed."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from accounts import audit
from accounts.models import Deed, User
from accounts.transactions import retried
from monitoring import sql
from monitoring.clinical.limits import Severity
from monitoring.models import Alert, AlertEvent, Patient, Placement
from monitoring.services import alerts, escalation, history
from monitoring.services.admissions import NotAdmitted
from monitoring.services.cases import subject_of

HELP = "emergency_help"
SENTENCE = "Emergency Help Request"
AGAIN = ("count", "last_measured_at", "silenced_until", "silenced_by", *escalation.LET_GO)


class Call(NamedTuple):
    alert: Alert
    is_new: bool


@retried
def for_help(patient: Patient, *, by: User, at: datetime) -> Call:
    """Call the ward where the patient lies: a critical alert, followed up as any other, until somebody resolves it.

    There is one at a time. A further press is counted while the alert waits for a hand; taken or silenced, it calls again.
    Raises NotAdmitted.
    """
    alerts.lock({patient.pk})
    lies = Placement.objects.filter(admission__patient=patient, is_open=True).select_related("bed__ward").first()
    if lies is None:
        raise NotAdmitted
    known = Alert.objects.open().select_for_update().filter(subject=subject_of(patient.pk), condition=HELP).first()
    alert = known or _new(patient, lies, at=at)
    about, ward = f"alert:{alert.pk}", lies.bed.ward
    audit.record(Deed.CALLED_FOR_HELP, by=by, at=at, patient=patient.patient_id, ward=ward, about=about)
    if known is None:
        escalation.restart([alert], now=at)
        alert.save(force_insert=True)
        history.tell([alert], AlertEvent.What.RAISED, by=by, at=at)
    else:
        _press_again(alert, by=by, at=at)
    return Call(alert, known is None)


def _new(patient: Patient, lies: Placement, *, at: datetime) -> Alert:
    return Alert(
        subject=subject_of(patient.pk),
        condition=HELP,
        kind=Alert.Kind.HELP,
        severity=Severity.CRITICAL.value,
        ward=lies.bed.ward,
        patient=patient,
        admission_id=lies.admission_id,
        detail=SENTENCE,
        raised_at=at,
        measured_at=at,
        last_measured_at=at,
    )


def _press_again(alert: Alert, *, by: User, at: datetime) -> None:
    alert.count, alert.last_measured_at = alert.count + 1, at
    is_silent = alert.silenced_until is not None and alert.silenced_until > at
    if alert.acknowledged_at:
        escalation.let_go([alert], now=at)
    elif is_silent:
        alert.version += 1
    else:  # it calls already
        sql.update([alert], AGAIN)
        return
    alert.silenced_until = alert.silenced_by = None
    sql.update([alert], AGAIN)
    history.tell([alert], AlertEvent.What.RERAISED, by=by, at=at)
