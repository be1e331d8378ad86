"""What reading by API costs: six queries a page beside those that say who asks, however long it is."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import tokens
from accounts.models import Bed, Device, User
from monitoring.models import Admission, Alert, Patient, Vital
from monitoring.services import admissions
from tests.access.actors import doors
from tests.world import Monitor, item

WHO = 2  # her token's session, and her roles
MOST = 6
READ = sorted({door.route for door in doors() if door.route.startswith("api/v1/") and "get" in dir(door.view.cls)})
# Files are read as they leave; a suggestion looks for the newest value of each sign, one query a sign.
NO_PAGES = {
    "api/v1/patients/<str:patient_id>/export",
    "api/v1/wards/<slug:slug>/export",
    "api/v1/patients/<str:patient_id>/thresholds/suggestion",
}


def routes() -> list[str]:
    return [route for route in READ if route.removesuffix("/?$") not in NO_PAGES]


def crowd(count: int, gateway: Monitor, root: User, now: datetime) -> None:
    """So many more patients of North, each with a device, alerts and readings."""
    ward = gateway.device.wards.get()
    for place in range(count):
        patient = Patient.objects.create(patient_id=f"P-{place}", name="Nobody")
        bed = Bed.objects.create(ward=ward, name=f"X{place}", position=100 + place)
        admissions.admit(patient, bed=bed, by=root, at=now - timedelta(days=1))
        device = Device.objects.create(name=f"D-{place}", kind=Device.Kind.MONITOR)
        device.wards.add(ward)
        admissions.assign(device, patient=patient, by=root, at=now - timedelta(hours=1))
        gateway.post([item(patient, now, spo2=70, heart_rate=190), item(patient, now - timedelta(seconds=1), spo2=97)])


def address(route: str) -> str:
    named = {
        "<str:patient_id>": "P-ADA",
        "<slug:slug>": "north",
        "<str:vital_id>": str(Vital.objects.filter(patient__patient_id="P-ADA").earliest("pk").pk),
        "<uuid:alert_id>": str(Alert.objects.filter(patient__patient_id="P-ADA").earliest("raised_at").pk),
        "<int:device_id>": str(Device.objects.get(name="M7").pk),
    }
    return "/" + re.sub(r"<[^>]+>", lambda found: named[found[0]], route).removesuffix("/?$")


@pytest.fixture
def long_stay(ada, monitor, gateway, dora, root, now):
    """Of Ada there is much of everything."""
    gateway.post([item(ada, now - timedelta(seconds=second), spo2=70, heart_rate=190, body_temp=41) for second in range(60)])
    for hour in range(1, 6):
        admissions.assign(monitor.device, patient=ada, by=root, at=now - timedelta(minutes=hour))
    Admission.objects.filter(patient=ada).update(notes="long")
    return ada


@pytest.mark.parametrize("route", routes())
def test_a_page_costs_six_queries_however_long_it_is(route, long_stay, gateway, dora, root, now):
    crowd(7, gateway, root, now)
    client = Client(headers={"Authorization": f"Bearer {tokens.sign_in(dora, at=now).access_token}"})

    where = address(route)

    with CaptureQueriesContext(connection) as asked:
        answer = client.get(where)

    assert answer.status_code == 200, answer.content
    assert len(asked) <= WHO + MOST, "\n".join(query["sql"] for query in asked.captured_queries)
