"""NEWS2 of a patient, now and over time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import queries
from accounts.api.bodies import fault
from accounts.api.errors import Invalid
from monitoring.api import record
from monitoring.api.moments import Moment
from monitoring.api.representations import scores as representation
from monitoring.api.schema import scores as schema
from monitoring.api.schema.scores import EVERY, LONGEST_EVERY, LONGEST_SPAN, MOST_POINTS
from monitoring.api.staff import StaffView, patient_of, reader_of
from monitoring.clinical import deterioration
from monitoring.clinical.scores import news2
from monitoring.clinical.scores.observations import Observations
from monitoring.clinical.scores.score import NotApplicable
from monitoring.clinical.trend import BEGINNING, MINUTE
from monitoring.models import Admission
from monitoring.services import scores
from monitoring.services.cases import observations_of


class Asked(msgspec.Struct, kw_only=True):
    start: Moment | None = msgspec.field(default=None, name="from")
    end: Moment | None = msgspec.field(default=None, name="to")
    every: int = EVERY


class ScoresView(StaffView):
    """The number of the board, and how it came there."""

    asks = ("GET",)

    @schema.read
    def get(self, request: Request, patient_id: str) -> Response:
        now, asked = timezone.now(), queries.read(request, Asked)
        since, until = _time(asked, now=now)
        patient = patient_of(reader_of(request), patient_id, page="scores")
        known = observations_of(patient, now=now)
        answer: dict[str, Any] = {"patient_id": patient.patient_id, "strategy": news2.NAME, "scale": known.spo2_scale}
        answer |= {"from": since, "to": until, "every": asked.every}
        stays = list(record.stays(patient))
        begun = {stay.pk: stay.admitted_at for stay in stays}
        try:
            moments = scores.over_time(patient, known, since=since, until=until, every=asked.every, stays=begun)
        except NotApplicable as reason:
            return Response(answer | {"refusal": str(reason), "now": None, "points": []})
        points = [representation.read(one.score, one.inputs, one.at) for one in moments]
        return Response(answer | {"refusal": None, "now": _now(stays[0] if stays else None, known, now), "points": points})


def _now(stay: Admission | None, known: Observations, now: datetime) -> dict[str, Any]:
    """As the board has it."""
    inputs = deterioration.chosen(record.state_of(stay), known, now)
    return representation.read(news2.score(inputs.observations), inputs, now)


def _time(asked: Asked, *, now: datetime) -> tuple[datetime, datetime]:
    """From when until when; nothing was scored that has not been yet. Raises Invalid."""
    if not 1 <= asked.every <= LONGEST_EVERY:
        raise Invalid([fault("every", f"From 1 to {LONGEST_EVERY} minutes.", "invalid")])
    until = min(asked.end or now, now)
    if until < BEGINNING + LONGEST_SPAN or (asked.start and asked.start > until):
        raise Invalid([fault("to", "It lies before the beginning.", "invalid")])
    since = asked.start or until - min(MOST_POINTS * asked.every * MINUTE, timedelta(days=1))
    if until - since > LONGEST_SPAN:
        raise Invalid([fault("from", f"At most {LONGEST_SPAN.days} days.", "invalid")])
    if until - since > MOST_POINTS * asked.every * MINUTE:
        raise Invalid([fault("every", f"These are more than {MOST_POINTS} points: ask for fewer.", "invalid")])
    return since, until
