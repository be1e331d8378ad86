"""Lists cost the same number of queries however long they are."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Device, User, Ward
from monitoring.clinical.escalation import Way
from monitoring.models import (
    Admission,
    Alert,
    AlertEvent,
    Delivery,
    DeviceAssignment,
    Patient,
    RejectedVital,
    Shift,
    Threshold,
    Vital,
    WebhookEndpoint,
)
from monitoring.services import admissions, recipients
from tests.admin.pages import address
from tests.conftest import PASSWORD
from tests.world import Monitor, item

NOUNS = [
    Admission,
    Alert,
    AlertEvent,
    Delivery,
    Device,
    DeviceAssignment,
    Patient,
    RejectedVital,
    Shift,
    Threshold,
    User,
    Vital,
    Ward,
    WebhookEndpoint,
]


@pytest.mark.parametrize("noun", NOUNS)
def test_a_longer_list_asks_no_more(
    office: Client, root: User, gateway: Monitor, north: Ward, south: Ward, now: datetime, noun: type[models.Model]
) -> None:
    _one_more(1, root, gateway, north, now)
    short = _queries(office, noun)

    for number in range(2, 5):
        _one_more(number, root, gateway, north, now)

    assert _queries(office, noun) == short


@pytest.mark.parametrize("noun", [Alert, AlertEvent, Delivery, RejectedVital, Vital])
def test_a_list_that_grows_for_ever_is_never_counted_nor_joined(office: Client, noun: type[models.Model]) -> None:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        office.get(address(noun))

    lists = [query["sql"] for query in seen if query["sql"] and f"FROM {_quoted(noun)}" in query["sql"]]
    assert lists
    assert not any("JOIN" in statement for statement in lists)  # a join may sort all rows before it takes a hundred
    counts = [
        query["sql"] for query in seen if query["sql"] and "COUNT(" in query["sql"] and noun._meta.db_table in query["sql"]
    ]
    assert counts
    assert all("LIMIT 1000" in count for count in counts)


def _quoted(noun: type[models.Model]) -> str:
    return connection.ops.quote_name(noun._meta.db_table)


def _one_more(number: int, root: User, gateway: Monitor, ward: Ward, now: datetime) -> None:
    """One more of everything."""
    patient = Patient.objects.create(patient_id=f"P-{number}", name=f"Patient {number}")
    at = now - timedelta(hours=1)
    admissions.admit(patient, bed=ward.beds.get(position=number), by=root, at=at)
    device = Device.objects.create(name=f"M-{number}")
    device.wards.add(ward)
    admissions.assign(device, patient=patient, by=root, at=at)
    gateway.post([item(patient, now, spo2=80, heart_rate=999)])
    Threshold.objects.create(patient=patient, scope_key=f"patient:{patient.pk}", sign="spo2", critical_low=80, set_by=root)
    person = User.objects.create_user(f"person{number}", f"person{number}@example.org", PASSWORD, name="Person")
    Shift.objects.create(user=person, ward=ward, starts_at=at, ends_at=now)
    WebhookEndpoint(ward=ward, name=f"pager {number}", url="http://pager.example.org/").signing_with("s" * 16).save()
    recipients.written(Alert.objects.get(patient=patient), user=person, way=Way.IN_APP, now=now).save()


def _queries(office: Client, noun: type[models.Model]) -> int:
    with CaptureQueriesContext(connection) as seen:
        answer = office.get(address(noun))
    assert answer.context["cl"].result_count >= 1
    return len(seen)
