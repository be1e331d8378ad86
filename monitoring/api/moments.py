"""When something was, as a request says it: with an offset; of what happened, not ahead and not before anybody can remember."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from django.utils import timezone
from msgspec import Meta

from accounts.api.bodies import fault
from accounts.api.errors import Invalid
from monitoring.models import Patient

Moment = Annotated[datetime, Meta(tz=True)]
AHEAD = timedelta(seconds=30)  # as the device door has it
LONGEST_AGO = timedelta(days=3653)  # stays of long-term care are dated back when a ward begins with MedQL; nobody's is older


def at(said: datetime | None, patient: Patient, *, now: datetime) -> datetime:
    """The time that was said, or now. Raises Invalid."""
    if said is None:
        return now
    if sentence := _fault(said, patient, now):
        raise Invalid([fault("at", sentence, "invalid")])
    return said


def _fault(said: datetime, patient: Patient, now: datetime) -> str:
    if said - now > AHEAD:
        return "This time lies ahead."
    if now - said > LONGEST_AGO:
        return "This is more than ten years ago."
    born = patient.birth_date
    if born and timezone.localdate(said, timezone.get_default_timezone()) < born:
        return "The patient was not born yet."
    return ""
