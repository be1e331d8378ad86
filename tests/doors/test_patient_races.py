"""Two at once at the doors to patients: one is first, and the other is told so; nobody gets a 500."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from monitoring.models import Alert, Patient, Placement
from tests.access.actors import patient_herself
from tests.conftest import signed_in
from tests.doors.staff import ADA, GRACE, PATIENTS, send

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*asked: Callable[[], Any]) -> list[int]:
    """The statuses of what was asked at the same moment."""

    def ask(one: Callable[[], Any]) -> int:
        try:
            return int(one().status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(asked)) as pool:
        return sorted(pool.map(ask, asked))


def test_one_id_is_registered_once(noor, dora):
    clients = [signed_in(who) for who in (noor, dora, noor)]

    found = at_once(*(lambda client=client: send(client, PATIENTS, GRACE) for client in clients))

    assert found == [201, 409, 409]
    assert Patient.objects.get().version == 1


def test_one_bed_is_given_once(noor, dora):
    clients = [signed_in(who) for who in (noor, dora)]
    bed = {"ward": "north", "bed": "N3"}

    found = at_once(
        *(
            lambda client=client, number=number: send(client, PATIENTS, GRACE | bed | {"patient_id": number})
            for number, client in enumerate(clients)
        )
    )

    assert found == [201, 409]
    assert (Patient.objects.count(), Placement.objects.count()) == (1, 1)


def test_one_version_is_changed_once(dora, root, ada):
    clients = {"Ada Lovelace": signed_in(dora), "Ada King": signed_in(root)}

    found = at_once(
        *(lambda c=client, n=name: send(c, ADA, {"name": n, "version": 1}, "put") for name, client in clients.items())
    )

    assert found == [200, 409]
    assert Patient.objects.get().version == 2


def test_two_who_press_help_are_one_call(noor, ada):
    clients = [signed_in(noor), signed_in(patient_herself(ada))]

    assert at_once(*(lambda client=client: client.post(f"{ADA}/emergency") for client in clients)) == [200, 201]
    assert Alert.objects.get().count == 2


def test_the_same_admission_twice_is_one_stay(noor, dora):
    Patient.objects.create(patient_id="P-GRACE", name="Grace Hopper")
    clients, bed = [signed_in(noor), signed_in(dora)], {"ward": "north", "bed": "N3"}

    found = at_once(*(lambda client=client: send(client, f"{PATIENTS}/P-GRACE/admit", bed) for client in clients))

    assert found == [200, 200]
    assert Placement.objects.count() == 1


def test_who_archives_and_who_admits_do_not_both_succeed(root, noor):
    Patient.objects.create(patient_id="P-GRACE", name="Grace Hopper")
    office, nurse = signed_in(root), signed_in(noor)

    found = at_once(
        lambda: office.delete(f"{PATIENTS}/P-GRACE"),
        lambda: send(nurse, f"{PATIENTS}/P-GRACE/admit", {"ward": "north", "bed": "N3"}),
    )

    assert found in ([200, 409], [204, 409])
