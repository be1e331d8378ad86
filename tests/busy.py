"""A ward in which everything has happened once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from accounts import service_tokens
from accounts.models import EmergencyAccess, FailedSignIn, ServiceToken, User
from monitoring.clinical.escalation import Way
from monitoring.clinical.overrides import Override
from monitoring.clinical.signs import Sign
from monitoring.models import Admission, Alert, Patient, Shift
from monitoring.models.threshold import Part
from monitoring.services import admissions, faults, recipients, thresholds
from monitoring.services.layers import Scope
from tests.services.outbox import endpoint
from tests.world import Monitor, item


@pytest.fixture
def busy_ward(ada: Patient, ben: Patient, monitor: Monitor, noor: User, root: User, now: datetime) -> None:
    everything_happens(ada, ben, monitor, noor, root, now)


def everything_happens(ada: Patient, ben: Patient, monitor: Monitor, noor: User, root: User, now: datetime) -> None:
    """At least one row of every noun, and two that are over."""
    monitor.post([item(ada, now, spo2=70), item(ada, now, heart_rate=999)])
    spo2 = (Sign.SPO2, Part.ALWAYS)
    thresholds.put(Scope(), spo2, Override(80, 88), by=root, at=now)
    thresholds.put(Scope(patient=ada), spo2, Override(80, 88), by=root, at=now)
    thresholds.remove(Scope(patient=ada), spo2, by=root, at=now)
    admissions.discharge(Admission.objects.get(patient=ben), by=root, at=now)
    north = noor.memberships.get().ward
    Shift.objects.create(user=noor, ward=north, starts_at=now, ends_at=now + timedelta(hours=8))
    times = {"started_at": now, "ends_at": now + timedelta(hours=1)}
    EmergencyAccess.objects.create(user=noor, ward=north, role="nurse", reason="cardiac arrest", **times)
    endpoint(north, "http://pager.example.org/")
    service_tokens.issue(ServiceToken(name="research"), wards=[north], by=root, at=now)
    FailedSignIn.objects.create(username=noor.login, ip_address="10.1.1.1", failures_since_start=1)
    faults.begin("audit_unsealed", "Entries of the audit wait.", now=now)
    recipients.written(Alert.objects.earliest("raised_at"), user=noor, way=Way.IN_APP, now=now).save()
