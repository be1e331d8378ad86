"""What became of a patient's alerts by each change of a vital: their events bear its very time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from monitoring.charting.fields import said
from monitoring.models import AlertEvent, Vital, VitalChange
from monitoring.services.corrections import LABELS, UNITS

What = AlertEvent.What
PHRASES = {
    What.CORRECTED: "marked: this reading had a part in it",
    What.RETURNED: "no longer stands, waits for somebody to take it",
    What.RESOLVED: "ended",
    What.RAISED: "raised",
    What.RECORDED: "recorded, without sound",
    What.REOPENED: "opened again",
    What.RERAISED: "raised again",
    What.RISEN: "is worse now",
    What.EASED: "is less bad now",
}

Phrase = tuple[str, str, str]  # severity, alert, what became of it


@dataclass(frozen=True, slots=True)
class Told:
    """One change as it is shown."""

    change: VitalChange
    values: Sequence[str]
    judged: Sequence[Phrase]


def of(vital: Vital, changes: Sequence[VitalChange]) -> list[Told]:
    """The changes with what came of them, the last first; one query however many."""
    times = [change.at for change in changes]
    events = AlertEvent.objects.filter(alert__patient=vital.patient_id, at__in=times).select_related("alert").order_by("pk")
    found: dict[datetime, list[Phrase]] = {}
    for event in events if times else ():
        found.setdefault(event.at, []).append(_phrase(event))
    return [Told(change, _values(change), found.get(change.at, ())) for change in reversed(changes)]


def _values(change: VitalChange) -> list[str]:
    names = [name for name in LABELS if name in change.became]
    return [
        f"{LABELS[name]} {said(name, change.was.get(name))} → {said(name, change.became[name])} {UNITS.get(name, '')}".rstrip()
        for name in names
    ]


def _phrase(event: AlertEvent) -> Phrase:
    phrase = PHRASES.get(What(event.what), event.get_what_display())
    return event.severity, event.alert.message, phrase
