"""Where Ada has lain: the stories by which she is one ward's patient, and no other's."""

from __future__ import annotations

from datetime import datetime, timedelta

from accounts.models import Ward
from monitoring.models import Admission, Patient
from monitoring.services import admissions

HOUR = timedelta(hours=1)


def _stay(patient: Patient) -> Admission:
    return Admission.objects.get(patient=patient, is_open=True)


def lies_here(ada: Patient, south: Ward, now: datetime) -> None:
    """In North, where she was admitted."""


def lies_elsewhere_now(ada: Patient, south: Ward, now: datetime) -> None:
    admissions.transfer(_stay(ada), bed=south.beds.latest("position"), by=None, at=now - 3 * HOUR)


def discharged_from_here(ada: Patient, south: Ward, now: datetime) -> None:
    admissions.discharge(_stay(ada), by=None, at=now - 3 * HOUR)


def discharged_from_elsewhere(ada: Patient, south: Ward, now: datetime) -> None:
    lies_elsewhere_now(ada, south, now)
    admissions.discharge(_stay(ada), by=None, at=now - 2 * HOUR)


def back_here(ada: Patient, south: Ward, now: datetime) -> None:
    discharged_from_elsewhere(ada, south, now)
    admissions.admit(ada, bed=ada.admissions.get().placements.first().bed, by=None, at=now - HOUR)


def back_here_and_discharged(ada: Patient, south: Ward, now: datetime) -> None:
    back_here(ada, south, now)
    admissions.discharge(_stay(ada), by=None, at=now)


def moved_and_discharged_at_once(ada: Patient, south: Ward, now: datetime) -> None:
    """All at one time: the order in which it was said decides."""
    admissions.transfer(_stay(ada), bed=south.beds.latest("position"), by=None, at=now)
    admissions.discharge(_stay(ada), by=None, at=now)


HERS = {
    lies_here: "north",
    lies_elsewhere_now: "south",
    discharged_from_here: "north",
    discharged_from_elsewhere: "south",
    back_here: "north",
    back_here_and_discharged: "north",
    moved_and_discharged_at_once: "south",
}
