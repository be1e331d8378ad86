"""A device's key is seen once and opens the door; a withdrawn one does not."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from accounts import keys
from accounts.models import Device, DeviceKey, User, Ward
from monitoring.models import Admission, DeviceAssignment, Patient
from monitoring.services import admissions
from tests.admin.pages import act, address, errors, said, split
from tests.conftest import signed_in
from tests.world import Monitor, item


def test_a_new_devices_key_is_shown_once_and_works(office: Client, north: Ward, ada: Patient) -> None:
    answer = office.post(
        address(Device, "add"), {"name": "GW-2", "kind": "gateway", "wards": [north.pk], "is_active": "on"}, follow=True
    )

    key = _key_on(answer)
    device = Device.objects.get(name="GW-2")
    assert list(device.wards.all()) == [north]
    assert Monitor(device, key).post([item(ada, spo2=97)]).status_code == 202
    for page in (address(Device), address(Device, "change", device.pk), address(Device, "history", device.pk)):
        assert key.partition(".")[2] not in office.get(page).content.decode()
    assert key.partition(".")[2] not in "".join(DeviceKey.objects.values_list("secret_hash", flat=True))
    assert not LogEntry.objects.filter(change_message__contains=key.partition(".")[2]).exists()


@pytest.mark.parametrize(("overlap", "old", "told"), [({}, 202, "in 10 min"), ({"overlap": "0"}, 403, "at once")])
def test_a_rotated_key_goes_on_as_long_as_one_says(
    office: Client, monitor: Monitor, ada: Patient, overlap: dict[str, str], old: int, told: str
) -> None:
    act(office, Device, "rotate_key", monitor.device, **overlap)
    key = _key_on(office.get(address(Device)))

    assert monitor.post([item(ada, spo2=97)]).status_code == old
    assert Monitor(monitor.device, key).post([item(ada, spo2=97)]).status_code == 202
    assert LogEntry.objects.get(object_id=monitor.device.pk).change_message == f"Rotated the key; the old ones end {told}."


def test_no_other_overlap_than_those_offered(office: Client, monitor: Monitor) -> None:
    answer = act(office, Device, "rotate_key", monitor.device, overlap="100000")

    assert said(answer) == ["No action selected."]
    assert DeviceKey.objects.count() == 1


def test_the_page_of_a_device_tells_of_each_key(office: Client, monitor: Monitor, ada: Patient, now: datetime) -> None:
    monitor.post([item(ada, now, spo2=97)])
    keys.rotate(monitor.device, at=now, by=None)

    page = office.get(address(Device, "change", monitor.device.pk)).content.decode()

    assert page.count("the key of this device") == page.count("goes on for a while") == 1
    assert office.get(address(Device)).context["cl"].result_list[0].key_used_at is not None


def test_a_revoked_device_is_shut_out(office: Client, monitor: Monitor, ada: Patient) -> None:
    answer = act(office, Device, "revoke_keys", monitor.device)

    assert said(answer) == ["M7: 1 key revoked."]
    assert monitor.post([item(ada, spo2=97)]).status_code == 403
    assert DeviceKey.objects.get().revoked_at is not None


def test_a_device_that_is_not_active_is_shut_out(office: Client, monitor: Monitor, ada: Patient, north: Ward) -> None:
    office.post(address(Device, "change", monitor.device.pk), {"name": "M7", "kind": "monitor", "wards": [north.pk]} | NO_KEYS)

    assert monitor.post([item(ada, spo2=97)]).status_code == 403


def test_the_list_tells_live_keys(office: Client, monitor: Monitor) -> None:
    row = office.get(address(Device)).context["cl"].result_list[0]

    assert row.live_keys == 1
    assert row.key_issued_at is not None


def test_a_device_changes_its_patient(
    office: Client, root: User, monitor: Monitor, ada: Patient, ben: Patient, now: datetime
) -> None:
    wanted = {"device": monitor.device.pk, "patient": ben.pk, "notes": ""} | split("started_at", now)

    office.post(address(DeviceAssignment, "add"), wanted)

    former, present = DeviceAssignment.objects.order_by("pk")
    assert former.ended_at == present.started_at
    assert (present.patient, present.assigned_by) == (ben, root)
    assert former.is_open is None


def test_nobody_takes_a_device_off_a_patient_whom_he_may_not_see(
    noor: User, root: User, ada: Patient, monitor: Monitor, cid: Patient, south: Ward, now: datetime
) -> None:
    admissions.assign(monitor.device, patient=cid, by=root, at=now - timedelta(minutes=1))
    User.objects.filter(pk=noor.pk).update(is_staff=True)
    wanted = {"device": monitor.device.pk, "patient": ada.pk, "notes": ""} | split("started_at", now)

    answer = signed_in(noor).post(address(DeviceAssignment, "add"), wanted)

    assert errors(answer) == {"device": ["The device is on somebody else's patient: who cares for him takes it off first."]}
    assert DeviceAssignment.objects.get(is_open=True).patient == cid


def test_a_device_is_not_put_on_somebody_who_left(office: Client, monitor: Monitor) -> None:
    stranger = Patient.objects.create(patient_id="P-X", name="X")

    answer = office.post(address(DeviceAssignment, "add"), {"device": monitor.device.pk, "patient": stranger.pk})

    assert errors(answer) == {"patient": ["This patient is not admitted."]}


def test_a_device_was_on_one_patient_at_a_time(office: Client, monitor: Monitor, ben: Patient, now: datetime) -> None:
    wanted = {"device": monitor.device.pk, "patient": ben.pk} | split("started_at", now - timedelta(days=2))

    answer = office.post(address(DeviceAssignment, "add"), wanted)

    assert errors(answer) == {"started_at": ["The device was on another patient then."]}
    assert DeviceAssignment.objects.count() == 1


def test_a_device_that_came_off_was_on_that_patient_until_then(
    office: Client, monitor: Monitor, ada: Patient, ben: Patient, now: datetime
) -> None:
    admissions.discharge(Admission.objects.get(patient=ada), by=None, at=now - timedelta(hours=1))
    wanted = {"device": monitor.device.pk, "patient": ben.pk} | split("started_at", now - timedelta(hours=2))

    answer = office.post(address(DeviceAssignment, "add"), wanted)

    assert list(errors(answer)) == ["started_at"]


NO_KEYS = {"keys-TOTAL_FORMS": 0, "keys-INITIAL_FORMS": 0}


def _key_on(page: Any) -> str:
    found = re.findall(r"<code>(\S+?)</code>", page.content.decode())
    assert len(found) == 1
    return found[0]
