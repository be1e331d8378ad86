"""People, places and devices that every test knows, by name.

Ward Ada is in has Noor (nurse), Dora (doctor) and Vera (viewer); Eve is a nurse of another ward and must never see Ada.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as medql_settings
from django.test import Client

from accounts import keys, known_keys, looks, rates
from accounts.models import Bed, Device, Membership, User, Ward
from monitoring.models import Admission, Patient
from monitoring.services import admissions
from tests.world import Monitor

pytest_plugins = ["tests.strictness", "tests.busy", "tests.static_files"]

PASSWORD = "correct horse battery"
medql_settings.LOOKS_EVERY = 0  # what was looked at is written when a test says so
medql_settings.WATCH = False  # before a test loads the web application: this process itself watches nothing


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    """A slow hash is a virtue elsewhere."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _nothing_seen_yet() -> Iterator[None]:
    """What one test looked at belongs in no other's trail."""
    looks.buffer.forget()
    yield
    looks.buffer.forget()


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """A test's devices have the ids of the last test's: what this process remembers of those is no longer true."""
    yield
    known_keys.forget_all()
    for limiter in (rates.alone(), rates.shared()):
        if limiter:
            limiter.storage.reset()


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def north(db: None) -> Ward:
    return _ward("north", "North")


@pytest.fixture
def south(db: None) -> Ward:
    return _ward("south", "South")


def _ward(slug: str, name: str) -> Ward:
    ward = Ward.objects.create(slug=slug, name=name)
    for position in range(1, 5):
        Bed.objects.create(ward=ward, name=f"{name[0]}{position}", position=position)
    return ward


@pytest.fixture
def noor(north: Ward) -> User:
    return _person("noor", north, Membership.Role.NURSE)


@pytest.fixture
def dora(north: Ward) -> User:
    return _person("dora", north, Membership.Role.DOCTOR)


@pytest.fixture
def vera(north: Ward) -> User:
    return _person("vera", north, Membership.Role.VIEWER)


@pytest.fixture
def eve(south: Ward) -> User:
    return _person("eve", south, Membership.Role.NURSE)


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root", "root@example.org", PASSWORD, name="Root")


def _person(login: str, ward: Ward, role: str) -> User:
    user = User.objects.create_user(login, f"{login}@example.org", PASSWORD, name=login.title())
    Membership.objects.create(user=user, ward=ward, role=role)
    return user


@pytest.fixture
def ada(north: Ward, now: datetime) -> Patient:
    """In the first bed of North since yesterday."""
    return _admitted("P-ADA", "Ada Byron", north, 1, now).patient


@pytest.fixture
def ben(north: Ward, now: datetime) -> Patient:
    """In the second bed of North since yesterday."""
    return _admitted("P-BEN", "Ben Okri", north, 2, now).patient


@pytest.fixture
def cid(south: Ward, now: datetime) -> Patient:
    """In the first bed of South since yesterday."""
    return _admitted("P-CID", "Cid Campeador", south, 1, now).patient


def _admitted(patient_id: str, name: str, ward: Ward, position: int, now: datetime) -> Admission:
    patient = Patient.objects.create(patient_id=patient_id, name=name)
    return admissions.admit(patient, bed=ward.beds.get(position=position), by=None, at=now - timedelta(days=1))


@pytest.fixture
def gateway(north: Ward, now: datetime) -> Monitor:
    """Sends for every patient of North."""
    device = Device.objects.create(name="GW-NORTH", kind=Device.Kind.GATEWAY)
    device.wards.add(north)
    return Monitor(device, keys._make(device, at=now))  # issued before the trail begins


@pytest.fixture
def monitor(ada: Patient, north: Ward, now: datetime) -> Monitor:
    """At Ada's bed since yesterday."""
    device = Device.objects.create(name="M7", kind=Device.Kind.MONITOR)
    device.wards.add(north)
    admissions.assign(device, patient=ada, by=None, at=now - timedelta(days=1))
    return Monitor(device, keys._make(device, at=now))  # issued before the trail begins


@pytest.fixture
def office(root: User) -> Client:
    """The administrator's browser."""
    return signed_in(root)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
