"""A reading is corrected or marked as entered in error, at a bedside."""

from __future__ import annotations

from dataclasses import replace

from monitoring.clinical import corrections
from monitoring.clinical.corrections import Change
from monitoring.clinical.episode import Reading
from monitoring.clinical.sensor import Sample
from monitoring.clinical.signs import Sign
from tests.clinical.bedside import when

MINUTE, HOUR = 60, 3600
NURSE = "manual:noor:SpO2"


def corrected(bed, measured, at, *, sensor="M7", was, became=None, closed=False):
    """Correct a reading of that time, seen from `at`; without a new value it was entered in error."""

    def reading(values):
        return Reading(sensor, when(measured), {Sign(name): value for name, value in values.items()}, closed=closed)

    told = told_by_then(bed, when(measured))
    change = Change(reading(was), reading(became) if became is not None else None, told=told)
    history = {
        thread: [sample for time, sample in sorted(bed.stored.get(thread, {}).items()) if time > since]
        for thread, since in corrections.threads(bed.state, change, bed.limits).items()
    }
    bed.state, events = corrections.correct(bed.state, change, bed.limits, now=when(at), patient=bed.patient, history=history)
    bed.events += events
    for sign in Sign:
        stored = bed.stored.setdefault((sign, sensor), {})
        stored.pop(when(measured), None)
        if became and sign in became:
            stored[when(measured)] = Sample(when(measured), became[sign])
    return bed


def told_by_then(bed, at):
    """By condition, the newest alert that had begun by then, as bad as anybody was told."""
    alerts = [event.episode for event in bed.events if event.episode.measured_at <= at and not event.episode.recorded]
    newest = {alert.condition: alert for alert in alerts}
    said = {name: [each.severity for each in alerts if each.id == alert.id] for name, alert in newest.items()}
    return {name: replace(alert, severity=max(said[name], key=lambda each: each.rank)) for name, alert in newest.items()}
