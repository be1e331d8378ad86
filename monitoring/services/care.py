"""Whose patient is it: of the ward where he lies, of the one where he lay last if he was discharged, and of no other.

Who was never admitted is any ward's. What somebody may do to a patient is asked here, and nowhere else; which patients
somebody may see is the same question of many (`Patient.objects.where`), so that nobody does what he may not see.
"""

from __future__ import annotations

from accounts.access import Permission
from accounts.models import ServiceToken, User, Ward
from monitoring.models import Patient, Placement


def may(who: User | ServiceToken, patient: Patient, permission: Permission) -> bool:
    """Whether this person, or program, may do this to the patient now."""
    return Patient.objects.where(who, permission).filter(pk=patient.pk).exists()


def ward_of(patient: Patient) -> Ward | None:
    """The ward whose patient he is; None: he was never admitted."""
    his = Placement.objects.filter(admission__patient=patient).select_related("bed__ward")
    placement = his.last_of_each().first()
    return placement.bed.ward if placement else None
