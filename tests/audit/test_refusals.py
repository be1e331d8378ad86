"""Who is known and is not let through leaves a trace."""

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.http import HttpResponse
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from accounts import refusals
from accounts.models import Membership, User
from monitoring.models import Alert
from tests.audit.trail import trail
from tests.conftest import signed_in
from tests.services.alerting import raised
from tests.world import Monitor, item

FIELDS = ("who", "about", "patient", "detail", "door", "address")


def test_a_nurse_of_another_ward(eve, ada):
    browser = signed_in(eve)

    assert browser.get("/wards/north/").status_code == 404
    assert browser.get("/api/v1/patients/P-ADA/thresholds").status_code == 404

    assert trail(*FIELDS) == [
        ("eve", "GET /wards/north/", "", {"status": 404}, "page", "127.0.0.1"),
        ("eve", "GET /api/v1/patients/P-ADA/thresholds", "P-ADA", {"status": 404}, "api", "127.0.0.1"),
    ]


def test_a_viewer_who_wants_to_act(vera, ada, now):
    alert = raised(ada, now)

    answer = signed_in(vera).post(f"/alerts/{alert.pk}/acknowledge", {"severity_shown": "critical"})

    assert answer.status_code == 403
    assert trail("who", "what", "about") == [("vera", "refused", f"POST /alerts/{alert.pk}/acknowledge")]
    assert Alert.objects.get().acknowledged_at is None


def test_a_device_at_the_wrong_bed(monitor, cid, now):
    answer = monitor.post(item(cid, now, spo2=97))

    assert answer.status_code == 403
    assert trail("by_kind", "device__name", "about", "door") == [("device", "M7", "POST /api/v1/vitals", "api")]


def test_staff_at_a_page_that_is_not_theirs(noor):
    User.objects.filter(pk=noor.pk).update(is_staff=True)
    Membership.objects.filter(user=noor).update(role="viewer")

    assert signed_in(noor).get("/admin/accounts/ward/add/").status_code == 403
    assert trail("who", "door", "about") == [("noor", "admin", "GET /admin/accounts/ward/add/")]


def test_a_forged_form(noor, ada, now):
    alert = raised(ada, now)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(noor)

    assert browser.post(f"/alerts/{alert.pk}/resolve").status_code == 403
    assert trail("who", "detail") == [("noor", {"status": 403})]


def test_a_token_in_an_address_is_not_written_down(noor, rf):
    request = rf.get("/accounts/link/a-secret-of-one-use")
    request.user, request.resolver_match = noor, resolve(request.path)

    refusals.middleware(lambda _: HttpResponse(status=404))(request)

    assert trail("about") == ["GET /accounts/link/…"]


@pytest.mark.parametrize("path", ["/favicon.ico", "/wp-login.php", "/api/v2/vitals"])
def test_an_address_that_leads_nowhere_is_nobodys(noor, path):
    assert signed_in(noor).get(path).status_code == 404
    assert trail("pk") == []


def test_a_stranger_is_asked_who_he_is_and_a_welcome_guest_is_not_written_down(noor):
    Client().get("/wards/north/")
    signed_in(noor).get("/wards/north/")

    assert "refused" not in trail("what")


def queries_of(monitor, body):
    with CaptureQueriesContext(connection) as asked:
        answer = Monitor(monitor.device, monitor.key).post(body)
    return answer.status_code, len(asked)


def test_it_costs_the_device_door_no_query(monitor, ada, cid, now, settings):
    without = [name for name in settings.MIDDLEWARE if name != "accounts.refusals.middleware"]
    bodies = [item(ada, now, spo2=97), item(cid, now, spo2=97), {"patient_id": "NOBODY", "spo2": 97}]
    for body in (*bodies, bodies[0]):  # what the first refusal leaves behind is there
        monitor.post(body)
    as_it_is = [queries_of(monitor, body) for body in bodies]
    monitor.post(bodies[0])  # three refusals in a row would be an alert
    assert len(without) < len(settings.MIDDLEWARE)
    settings.MIDDLEWARE = without

    assert [queries_of(monitor, body) for body in bodies] == as_it_is
    assert [status for status, _ in as_it_is] == [201, 403, 404]


@pytest.mark.django_db(transaction=True)
async def test_it_is_the_same_behind_the_asynchronous_entrance(eve, north):
    browser = AsyncClient()
    await browser.aforce_login(eve)

    assert (await browser.get("/wards/north/")).status_code == 404

    assert await sync_to_async(trail)("who", "about", "door", "address") == [("eve", "GET /wards/north/", "page", "127.0.0.1")]
