"""The newest value of each sign of a stay, however old it is, also of a sensor that was taken off since.

In which minute it lies is known from the minutes of the trends; what is not summed up yet is read from its end.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db.models import Exists, Func, JSONField, Q, Subquery, Value
from django.db.models.functions import Coalesce

from monitoring import sql
from monitoring.clinical.alarm import NO_PULSE
from monitoring.clinical.episode import State
from monitoring.clinical.signs import Sign
from monitoring.clinical.trend import BEGINNING, MINUTE
from monitoring.models import Admission, Minute, Patient, Placement, UnreadSpan, Vital

# Django's JSONObject would ask SQLite first whether it knows JSON.
TOLD = Func(
    *(Value("value"), "value", Value("at"), "measured_at", Value("sensor_id"), "sensor_id"),
    function="JSON_OBJECT",
    output_field=JSONField(),
)


class Newest(NamedTuple):
    value: float
    measured_at: datetime


def minutes(patient: Patient) -> dict[str, Any]:
    """Columns beside a placement of his, for `of`: since when not all is summed up, and the last minute before of each sign.

    Who has no span without an end has no such minutes: all is read from his vitals.
    """
    spans = UnreadSpan.objects.filter(patient=patient)
    waits = spans.filter(Exists(spans.filter(until=None))).order_by("since").values("since")
    since = Subquery(waits[:1])
    summed = Minute.objects.filter(patient=patient, begins_at__lt=since).order_by("-begins_at").values("begins_at")
    last = {f"minute_of_{sign}": Subquery(summed.filter(**{f"{sign}_count__gt": 0})[:1]) for sign in Sign}
    return {"unread_since": since} | last


def of(placement: Placement, state: State) -> dict[Sign, Newest | None]:
    """By sign, of the stay of this placement, which has the columns of `minutes`; one query."""
    stay = Admission.objects.filter(pk=placement.admission_id)
    told = stay.values_list(*(_newest(placement, sign) for sign in Sign)).get()
    return {sign: _sound(state, sign, found) for sign, found in zip(Sign, told, strict=True)}


def _newest(placement: Placement, sign: Sign) -> Coalesce:
    """In what is not summed up yet, else in the last minute that has the sign: times that are known let an index be used."""
    stay = Vital.objects.standing().filter(patient=placement.admission.patient_id, admission=placement.admission_id)
    rows = stay.annotate(value=sql.Measured(sign)).filter(value__isnull=False).order_by("-measured_at", "-sensor_id")
    in_order = (rows.filter(when).values(told=TOLD)[:1] for when in _spans(placement, sign))
    return Coalesce(*(Subquery(one) for one in in_order), Value(None), output_field=JSONField())


def _spans(placement: Any, sign: Sign) -> Iterable[Q]:
    yield Q(measured_at__gte=placement.unread_since or BEGINNING)
    minute = getattr(placement, f"minute_of_{sign}")
    if minute:
        yield Q(measured_at__gte=minute, measured_at__lt=minute + MINUTE)


def _sound(state: State, sign: Sign, found: dict[str, Any] | None) -> Newest | None:
    """What was found; where it is of a line that is being flushed, what the alarm holds for the newest."""
    if found is None:
        return None
    at = datetime.fromisoformat(found["at"]).replace(tzinfo=UTC)
    word = state.words.get(sign, {}).get(found["sensor_id"])
    if word is None or word.status != NO_PULSE or word.said_at < at:
        return Newest(float(found["value"]), at)
    held = max(state.standings.get(sign, {}).values(), key=lambda standing: standing.measured_at, default=None)
    return Newest(held.value, held.measured_at) if held else None
