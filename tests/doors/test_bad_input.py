"""What nobody should send, at every door: a clear 4xx in the house's shape, in the trail if somebody is behind it; never a 500.

What a door refuses besides is tested beside it: tests/access/test_bad_tokens.py, test_answers.py, tests/live/test_guard.py.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.test import Client

from monitoring.models import Patient, Threshold, Vital
from tests.access.bearers import login, me, refresh
from tests.audit.trail import trail
from tests.conftest import PASSWORD, signed_in

MEGABYTE = "x" * 1_000_000
LIMITS = "/api/v1/patients/P-ADA/thresholds"


def shape(answer: Any) -> int:
    """The status of an answer that is as its door answers: an error of the API, or a page."""
    if answer.wsgi_request.path.startswith(("/api/", "/auth/")):
        assert {"detail", "code"} <= set(answer.json()) <= {"detail", "code", "errors"}
    else:
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Traceback" not in answer.content.decode()
    return int(answer.status_code)


# Door, what is sent there, the status. A null byte, a megabyte, and too many fields, wherever something is typed in.
FORMS = [
    ("/accounts/login/", {"username": "no\0or", "password": PASSWORD}, 400),
    ("/accounts/login/", {"username": "noor", "password": "\0"}, 400),
    ("/accounts/login/", {"username": "noor", "password": MEGABYTE}, 400),
    ("/accounts/login/", {"username": MEGABYTE, "password": PASSWORD}, 400),
    ("/accounts/login/", {f"field{number}": "" for number in range(2_001)}, 400),
    ("/accounts/kiosk/", {"key": "\0"}, 400),
    ("/accounts/kiosk/", {"key": MEGABYTE}, 400),
    ("/accounts/kiosk/", {f"field{number}": "" for number in range(2_001)}, 400),
]
OWN_FORMS = [
    ("/accounts/me/password/", {"password": "\0", "new": MEGABYTE, "again": MEGABYTE}, 400),
    ("/accounts/emergency/", {"ward": "south", "reason": "cardiac\0arrest"}, 400),
    ("/accounts/emergency/", {"ward": "south", "reason": MEGABYTE}, 400),
]


@pytest.mark.parametrize(("door", "form", "status"), FORMS)
def test_a_form_that_no_browser_sends(noor, door, form, status):
    assert shape(Client().post(door, form)) == status


@pytest.mark.parametrize(("door", "form", "status"), OWN_FORMS)
def test_a_form_of_somebody_signed_in_that_no_browser_sends(noor, south, door, form, status):
    assert shape(signed_in(noor).post(door, form)) == status


@pytest.mark.parametrize("form", [{"username": "no\0or", "password": "x"}, {"username": "noor", "password": MEGABYTE}])
def test_a_sign_in_that_no_browser_sends_is_written_down(noor, form):
    Client().post("/accounts/login/", form)

    assert trail("what", "door") == [("sign_in_refused", "page")]


@pytest.mark.parametrize("key", ["\0", MEGABYTE, "ab.cd"])
def test_a_key_that_is_none_is_written_down(db, key):
    Client().post("/accounts/kiosk/", {"key": key})
    Client().post("/api/v1/vitals", "[]", content_type="application/json", headers={"X-API-Key": key})

    assert {what for what in trail("what")} == {"key_refused"}


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=b", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("charset", ["zlib", "idna", "latin-1", "nonsense", "\xff"])
@pytest.mark.parametrize("door", ["/accounts/login/", "/accounts/kiosk/", "/auth/login", "/admin/accounts/user/add/"])
def test_a_form_in_another_charset(db, office, door, kind, charset):
    form = b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\n\x41\xff\r\n--b--\r\n'

    assert shape(office.generic("POST", door, form, content_type=f"{kind}; charset={charset}")) == 400


def test_a_reading_is_never_lost_to_a_charset(ada, gateway):
    body = '[{"patient_id": "P-ADA", "spo2": 97}]'

    answer = gateway.client.generic(
        "POST", "/api/v1/vitals", body, "text/plain; charset=zlib", headers={"X-API-Key": gateway.key}
    )

    assert answer.status_code == 202


@pytest.mark.parametrize(
    "door", ["/accounts/login/", "/accounts/kiosk/", "/admin/accounts/user/add/", "/auth/login", "/api/v1/thresholds"]
)
def test_six_megabytes(office, door):
    method, kind = ("PUT", "application/json") if door.startswith("/api/") else ("POST", "application/x-www-form-urlencoded")

    answer = office.generic(method, door, b"key=" + b"x" * 6_000_000, content_type=kind)

    assert shape(answer) == (413 if door.startswith(("/api/", "/auth/")) else 400)


@pytest.mark.parametrize("reason", ["cardiac\0arrest", "two\nlines", "\x1b[31m", "\x85"])
def test_a_reason_is_text_on_one_line(dora, ada, reason):
    body = {"limits": [{"sign": "spo2", "critical_low": 80, "warning_low": 88, "reason": reason}], "version": 0}

    answer = signed_in(dora).put(LIMITS, body, content_type="application/json")

    assert shape(answer) == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["reason"]
    assert (
        shape(signed_in(dora).put(LIMITS, {"limits": [], "version": 0, "reason": reason}, content_type="application/json"))
        == 422
    )


# A decoder keeps the last of two equal names: of 70 and 170 nobody knows which was meant.
TWICE = [
    ("POST", "/api/v1/vitals", '{"patient_id": "P-ADA", "vital_type": "HR", "value": 70, "value": 170}', "value"),
    ("POST", "/api/v1/patients", '{"patient_id": "P-ONE", "patient_id": "P-TWO", "name": "Grace"}', "patient_id"),
    ("POST", "/api/v1/thresholds/preview", '{"patient_id": "P-ADA", "limits": [], "limits": []}', "limits"),
    ("POST", "/auth/login", '{"id": "noor", "password": "x", "password": "y"}', "password"),
    (
        "PUT",
        LIMITS,
        '{"version": 0, "reason": "COPD", "limits": [{"sign": "spo2", "critical_low": 80, "critical_low": 60}]}',
        "critical_low",
    ),
    (
        "POST",
        "/api/v1/inference/vital-risk",
        '{"patient_id": "P-ADA", "records": [{"vitals": {"HR": 70, "HR": 170}}]}',
        "HR",
    ),
]


@pytest.mark.parametrize(("method", "door", "body", "name"), TWICE)
def test_a_name_that_is_said_twice(dora, ada, method, door, body, name):
    answer = signed_in(dora).generic(method, door, body, content_type="application/json")

    assert shape(answer) == 422
    assert answer.json()["errors"] == [{"field": name, "detail": "Once is enough.", "code": "invalid"}]
    assert not Vital.objects.exists() and not Threshold.objects.exists() and Patient.objects.count() == 1


@pytest.mark.parametrize("number", ["9" * 5_000, "1e400", "-0.0"])
def test_a_number_of_any_length_is_only_a_value(dora, ada, number):
    body = f'{{"patient_id": "P-ADA", "vital_type": "HR", "value": {number}, "recorded_at": 1}}'

    answer = signed_in(dora).generic("POST", "/api/v1/vitals", body, content_type="application/json")

    assert shape(answer) in (400, 422)


@pytest.mark.parametrize("body", ["[]", "7", '"x"', "null"])
def test_where_an_object_is_needed_it_is_said(dora, ada, body):
    answer = signed_in(dora).generic("POST", "/api/v1/patients", body, content_type="application/json")

    assert (shape(answer), answer.json()["detail"]) == (400, "The body has to be one object of JSON.")


@pytest.mark.parametrize(
    ("method", "door", "body", "noun"),
    [
        ("GET", "/api/v1/alerts?ward=south", "", "ward"),
        ("GET", "/api/v1/alerts?patient_id=P-CID", "", "patient"),
        ("GET", "/api/v1/patients?ward=south", "", "ward"),
        ("GET", "/api/v1/devices?ward=south", "", "ward"),
        ("GET", "/api/v1/wards/south/thresholds", "", "ward"),
        ("GET", "/api/v1/patients/P-CID/summary", "", "patient"),
        ("POST", "/api/v1/patients/P-ADA/transfer", '{"ward": "south", "bed": "S1"}', "ward"),
        ("POST", "/api/v1/thresholds/preview", '{"ward": "south", "limits": []}', "ward"),
        ("POST", "/api/v1/thresholds/preview", '{"patient_id": "P-CID", "limits": []}', "patient"),
    ],
)
def test_of_a_ward_and_a_patient_it_is_said_which_of_them_is_not_there(dora, ada, cid, method, door, body, noun):
    answer = signed_in(dora).generic(method, door, body, content_type="application/json")

    assert (shape(answer), answer.json()["code"]) == (404, "not_found")
    assert answer.json()["detail"].startswith(f"There is no such {noun}, ")


# An address that leads out of its place, or names what cannot be: there is nothing there, for whoever asks.
NAMES = [
    "\0",
    "P\0ADA",
    "../../admin",
    "..%2f..",
    "..;",
    "P-ADA\r\nX: 1",
    "\x85",
    "🐎",
    "x" * 3_000,
    "-1",
    "' OR 1=1 --",
    "{{7*7}}",
    " P-ADA",
]
TRICKS = [
    "/../../etc/passwd",
    "/static/../medql/settings.py",
    "/static/%2e%2e/%2e%2e/medql/settings.py",
    "/static/..%2f..%2fmedql/settings.py",
    "/static//etc/passwd",
    "/static/..\\..\\medql\\settings.py",
    "/static/board.js%00.html",
    "/static/%00",
    "/.env",
    "/.git/config",
    "/%5c%5cevil.example/",
    "/%c0%ae%c0%ae/etc/passwd",
    "/wards/north/../south/",
    "/admin/..;/",
    "/admin//",
    "/api/v1/../../admin/",
    "/api//v1/thresholds",
    "/auth/%2e%2e/admin/",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "door", ["/api/v1/patients/{}/thresholds", "/api/v1/wards/{}/thresholds", "/wards/{}/", "/alerts/{}/acknowledge"]
)
def test_a_name_that_cannot_be(office, ada, door, name):
    ask = office.post if door.startswith("/alerts/") else office.get

    assert shape(ask(door.format(quote(name, safe="")))) == 404


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "noun", ["accounts/device", "accounts/user", "monitoring/patient", "monitoring/alert", "accounts/auditentry"]
)
def test_a_row_of_the_administration_that_cannot_be(office, noun, name):
    answer = office.get(f"/admin/{noun}/{quote(name, safe='')}/change/")

    assert answer.status_code == 404 or (answer.status_code, answer.headers["Location"]) == (302, "/admin/")  # which says so


@pytest.mark.parametrize("trick", TRICKS)
def test_a_path_that_leads_elsewhere_leads_nowhere(office, trick):
    assert shape(office.get(trick)) == 404


@pytest.mark.parametrize(
    "query", ["q=%00", "p=99999999999999999999", "o=a.b", "password__startswith=a", "_to_field=password", "e=%ff"]
)
@pytest.mark.parametrize(
    "noun", ["accounts/device", "accounts/user", "monitoring/patient", "accounts/auditentry", "accounts/membership"]
)
def test_a_question_that_the_administration_does_not_take(office, noun, query):
    answer = office.get(f"/admin/{noun}/?{query}")

    assert answer.status_code in (200, 302, 400)
    assert PASSWORD not in answer.content.decode() and "argon2" not in answer.content.decode()


@pytest.mark.parametrize("host", ["evil.example", "", "localhost\0", "[::1", "localhost/admin"])
@pytest.mark.parametrize("door", ["/accounts/login/", "/auth/me", "/api/v1/thresholds", "/admin/"])
def test_a_host_that_is_not_ours(db, door, host):
    assert shape(Client().get(door, headers={"Host": host})) == 400


@pytest.mark.parametrize("name", [settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, settings.KIOSK_COOKIE_NAME])
@pytest.mark.parametrize("value", ["\0", "x" * 3_000, "' OR 1=1 --", "a.b", "%00", '"'])
def test_a_cookie_that_is_nobodys(north, name, value):
    answer = Client(headers={"Cookie": f"{name}={value}"}).get("/wards/north/")

    assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/login/?next=/wards/north/")


class TestWhoIsBehindItIsWrittenDown:
    """Each of these leaves a row."""

    def test_a_malformed_token(self, db):
        assert shape(me("x.y.z")) == 401
        assert trail("what", "about", "detail") == [("refused", "token", {"why": "invalid_token"})]

    def test_a_replayed_refresh(self, noor):
        token = login("noor").json()["refresh_token"]
        refresh(token)

        assert shape(refresh(token)) == 401
        assert trail("what", "about")[-2:] == [("token_reused", "user:noor"), ("refused", "token")]

    @pytest.mark.parametrize("door", ["/wards/north/", "/wards/north/mine", "/api/v1/wards/north/thresholds", LIMITS])
    def test_a_swapped_ward_or_patient(self, eve, ada, door):
        assert shape(signed_in(eve).get(door)) == 404
        assert trail("what", "who", "about") == [("refused", "eve", f"GET {door}")]

    @pytest.mark.parametrize("body", [{"ward": "north"}, {"patient_id": "P-ADA"}])
    def test_a_swapped_ward_or_patient_inside_of_a_body(self, eve, ada, body):
        assert shape(signed_in(eve).post("/api/v1/thresholds/preview", body, content_type="application/json")) == 404
        assert trail("what", "who", "about") == [("refused", "eve", "POST /api/v1/thresholds/preview")]

    def test_a_swapped_ward_of_a_device(self, cid, gateway):
        assert shape(gateway.post({"patient_id": "P-CID", "spo2": 97})) == 403
        assert trail("what", "device__name") == [("refused", "GW-NORTH")]
