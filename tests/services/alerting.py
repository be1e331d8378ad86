"""Alerts as tests speak of them: one was raised, somebody took it, the watcher looked."""

from __future__ import annotations

from datetime import timedelta

from monitoring.models import Admission, Alert
from monitoring.services import escalation

MINUTE = timedelta(minutes=1)


def raised(patient, at, severity="critical", **fields):
    """An alert that waits for a hand since then, its clock set as the alert engine sets it."""
    admission = Admission.objects.get(patient=patient, is_open=True)
    bed = admission.placements.get(is_open=True).bed
    alert = Alert(
        subject=f"patient:{patient.pk}",
        condition=fields.pop("condition", "spo2_low"),
        severity=severity,
        ward=bed.ward,
        patient=patient,
        admission=admission,
        sign="spo2",
        side="low",
        vital_value=84,
        last_value=83,
        threshold_breached=85,
        measured_at=at,
        last_measured_at=at,
        raised_at=at,
        **fields,
    )
    escalation.restart([alert], now=at)
    alert.save(force_insert=True)
    return alert


def take(alert, by, at):
    """As the alert service takes it."""
    alert.refresh_from_db()
    alert.acknowledged_at, alert.acknowledged_by = at, by
    escalation.taken([alert], at=at)
    alert.save()


def watch(now, most=50):
    """Everything that is due, as the watcher does it."""
    return sum(1 for _ in range(most) if escalation.advance(now=now))
