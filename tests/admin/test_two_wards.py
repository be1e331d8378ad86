"""Who nurses in one ward and looks on in another: on every page her role is that of the patient's ward."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.test import Client

from accounts.models import Device, Membership, User, Ward
from monitoring.models import Admission, DeviceAssignment, Patient, Vital
from monitoring.services import admissions
from tests.admin.pages import address, errors, split
from tests.conftest import signed_in
from tests.services.stories import HOUR, back_here, lies_elsewhere_now


@pytest.fixture
def desk(noor: User, south: Ward) -> Client:
    """Noor's: a nurse of North, where Ada lies, who looks on in South, where Cid does."""
    Membership.objects.create(user=noor, ward=south, role=Membership.Role.VIEWER)
    User.objects.filter(pk=noor.pk).update(is_staff=True)
    return signed_in(noor)


def test_she_writes_vitals_down_of_her_own_patients_alone(desk: Client, ada: Patient, cid: Patient, now: datetime) -> None:
    reading = {"sensor": "manual", "heart_rate": "80"} | split("measured_at", now - HOUR)

    answers = [desk.post(address(Vital, "add"), reading | {"patient": patient.pk}) for patient in (ada, cid)]

    assert answers[0].status_code == 302
    assert errors(answers[1]) == {"patient": ["Your role may not write vitals down in this patient's ward."]}
    assert [vital.patient for vital in Vital.objects.all()] == [ada]


def test_she_puts_devices_on_her_own_patients_alone(
    desk: Client, ada: Patient, cid: Patient, north: Ward, south: Ward, now: datetime
) -> None:
    device = Device.objects.create(name="M8", kind=Device.Kind.MONITOR)
    device.wards.add(north, south)
    wanted = {"device": device.pk, "notes": ""} | split("started_at", now - HOUR)

    answers = [desk.post(address(DeviceAssignment, "add"), wanted | {"patient": patient.pk}) for patient in (cid, ada)]

    assert errors(answers[0]) == {"patient": ["Your role may not put a device on this patient."]}
    assert answers[1].status_code == 302
    assert [one.patient for one in DeviceAssignment.objects.all()] == [ada]


def test_she_admits_and_moves_into_beds_where_she_nurses(
    desk: Client, ada: Patient, north: Ward, south: Ward, now: datetime
) -> None:
    new = Patient.objects.create(patient_id="P-NEW", name="New")
    bed = south.beds.get(position=4)

    admitted = desk.post(address(Admission, "add"), {"patient": new.pk, "bed": bed.pk, "notes": ""} | split("admitted_at", now))
    moved = desk.post(address(Admission, "change", Admission.objects.get(patient=ada).pk), {"bed": bed.pk, "notes": ""})

    for answer in (admitted, moved):
        assert list(errors(answer)) == ["bed"]
    assert not bed.placements.exists()


def test_the_device_of_her_ward_names_nobody_of_another(noor: User, ada: Patient, cid: Patient, now: datetime) -> None:
    device = Device.objects.create(name="M8", kind=Device.Kind.MONITOR)
    device.wards.add(Ward.objects.get(slug="north"))
    mine, foreign = (admissions.assign(device, patient=one, by=None, at=now - HOUR) for one in (ada, cid))
    User.objects.filter(pk=noor.pk).update(is_staff=True)

    page = signed_in(noor).get(address(DeviceAssignment))

    assert list(page.context["cl"].result_list) == [mine]
    assert foreign.patient.patient_id not in page.content.decode()


def test_of_her_patient_she_sees_the_stays_in_other_wards_too(noor: User, ada: Patient, south: Ward, now: datetime) -> None:
    back_here(ada, south, now)
    User.objects.filter(pk=noor.pk).update(is_staff=True)

    page = signed_in(noor).get(address(Admission))

    assert set(page.context["cl"].result_list) == set(Admission.objects.filter(patient=ada))


def test_who_moved_on_takes_his_stays_along(noor: User, ada: Patient, south: Ward, now: datetime) -> None:
    lies_elsewhere_now(ada, south, now)
    User.objects.filter(pk=noor.pk).update(is_staff=True)

    assert not signed_in(noor).get(address(Admission)).context["cl"].result_list
