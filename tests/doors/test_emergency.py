"""The door through which help is called."""

from __future__ import annotations

import pytest
from django.test import Client

from monitoring.models import Alert
from monitoring.services import admissions, alerts
from tests.access.actors import patient_herself
from tests.conftest import signed_in
from tests.doors.staff import ADA, PATIENTS

HELP = f"{ADA}/emergency"


def test_a_nurse_calls(noor, ada):
    answer = signed_in(noor).post(HELP)

    told = answer.json()
    assert answer.status_code == 201
    assert (told["kind"], told["severity"], told["state"], told["message"]) == (
        "help",
        "critical",
        "raised",
        "Emergency Help Request",
    )
    assert (told["patient_id"], told["ward"], told["bed"], told["count"]) == ("P-ADA", "north", "N1", 1)


def test_pressed_again_it_is_the_same_call(noor, ada):
    first = signed_in(noor).post(HELP).json()

    again = signed_in(noor).post(HELP)
    assert (again.status_code, again.json()) == (200, first | {"count": 2})


def test_the_patient_calls_for_herself_and_for_nobody_else(ada, ben):
    herself = signed_in(patient_herself(ada))

    assert herself.post(HELP).status_code == 201
    assert herself.post(f"{PATIENTS}/P-BEN/emergency").status_code == 404
    assert Alert.objects.get().patient == ada


@pytest.mark.parametrize(("who", "status"), [("dora", 201), ("root", 201), ("vera", 403), ("eve", 404)])
def test_who_may(request, ada, who, status):
    assert signed_in(request.getfixturevalue(who)).post(HELP).status_code == status


def test_the_board_shows_it_with_name_and_bed(noor, ada):
    signed_in(noor).post(HELP)

    page = signed_in(noor).get("/wards/north/").content.decode()
    tile = page.partition('aria-label="Bed N1"')[2].partition("</article>")[0]
    assert ["Emergency Help Request" in tile, "Ada Byron" in tile, 'data-severity="critical"' in tile] == [True] * 3
    assert page.index("Emergency Help Request", page.index('id="rail"'))


def test_it_is_taken_and_resolved_as_any_other(noor, ada, now):
    alert = Alert.objects.get(pk=signed_in(noor).post(HELP).json()["id"])

    alerts.acknowledge(alert, by=noor, at=now)
    alerts.resolve(alert, by=noor, at=now)

    assert Alert.objects.get().state == "resolved"


def test_who_lies_nowhere_is_409(noor, ada, now):
    admissions.discharge(ada.admissions.get(), by=noor, at=now)

    answer = signed_in(noor).post(HELP)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_admitted")


def test_a_stranger_is_401_and_other_methods_405(office, ada):
    assert Client().post(HELP).status_code == 401
    assert office.get(HELP).status_code == 405


def test_a_page_of_another_site_calls_nobody(noor, ada):
    client = Client(enforce_csrf_checks=True)
    client.force_login(noor)

    assert client.post(HELP).status_code == 403
    assert not Alert.objects.exists()
