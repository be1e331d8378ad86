"""Personal limits suggested from what was measured lately; nothing is set here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from monitoring.clinical.limits import Limits
from monitoring.clinical.signs import Sign
from monitoring.clinical.suggestion import suggest
from monitoring.models import Patient, Vital
from monitoring.services import layers
from monitoring.services.layers import Scope

WINDOW = timedelta(minutes=15)  # the median of what was measured in it
OLDEST = timedelta(hours=24)  # with nothing in the window, the newest value no older than this


class NotAnAdult(Exception):
    """The formulas are for adults."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Limits for one sign, and the measurements behind them."""

    sign: Sign
    limits: Limits
    value: float
    count: int
    measured_at: datetime


def for_patient(patient: Patient, *, now: datetime) -> list[Suggestion]:
    """What the patient's last values suggest in place of the limits in force, for signs where that is something else.

    Raises NotAnAdult for a child; no birth date counts as adult, as everywhere.
    """
    place = layers.place_of(Scope(patient=patient))
    found = layers.gather([place], now=now)[place]
    if not found.shipped.is_adult:
        raise NotAnAdult
    measured = _measured(patient, now=now)
    suggested = []
    for sign, limits in found.limits().items():
        if values := measured.get(sign):
            value = median(value for _, value in values)
            better = suggest(sign, value, limits)
            if better:
                suggested.append(Suggestion(sign, better, value, len(values), max(at for at, _ in values)))
    return suggested


def _measured(patient: Patient, *, now: datetime) -> dict[Sign, Sequence[tuple[datetime, float]]]:
    """The values of the window by sign, or the newest one; of the present stay only."""
    stay = Vital.objects.standing().filter(patient=patient, admission__is_open=True, measured_at__lte=now)
    found: dict[Sign, list[tuple[datetime, float]]] = {}
    for vital in stay.filter(measured_at__gt=now - WINDOW):
        for sign, value in vital.values.items():
            if _sound(vital, sign):
                found.setdefault(sign, []).append((vital.measured_at, value))
    for sign in set(Sign) - set(found):
        lately = stay.filter(measured_at__gt=now - OLDEST, **{f"{sign}__isnull": False}).order_by("-measured_at")
        newest = next((vital for vital in lately[:20] if _sound(vital, sign)), None)
        if newest:
            found[sign] = [(newest.measured_at, newest.values[sign])]
    return dict(found)


def _sound(vital: Vital, sign: Sign) -> bool:
    """Not struck by the device itself: a value with a probe off is no value to set limits by."""
    return vital.status.get(sign, "ok") == "ok"
