"""What is known of Ada."""

from __future__ import annotations

from datetime import datetime

from accounts.models import User
from monitoring.models import Patient
from monitoring.services import dossiers
from monitoring.services.dossiers import Contacts, EmergencyContact

HISTORY = "Allergic to penicillin.\nAsthma since 1820."
HUSBAND = Contacts(phone="+44 20 1", emergency_contact=EmergencyContact(name="William", relationship="husband"))


def written(patient: Patient, *, by: User, at: datetime) -> None:
    """Somebody wrote the first dossier of this patient."""
    dossiers.write(patient, history=HISTORY, contacts=HUSBAND, by=by, at=at, version_seen=0)
