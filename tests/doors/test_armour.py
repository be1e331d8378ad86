"""Every answer of every address wears the same armour, whoever asks and whatever the answer is."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import resolve

from monitoring import board
from monitoring.models import Alert
from tests.conftest import signed_in
from tests.doors.addresses import every_address
from tests.world import item

WORN = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# A file of MedQL's own tells nothing of a patient: the one thing that may be kept.
FILE = "/static/board.js"


def policy(answer) -> dict[str, str]:
    return dict(part.strip().partition(" ")[::2] for part in answer["Content-Security-Policy"].split(";"))


def missing(answer) -> list[str]:
    """What this answer should wear and does not."""
    bare = [name for name, value in WORN.items() if answer.get(name) != value]
    csp = policy(answer)
    if any("unsafe" in allowed or "*" in allowed or "http" in allowed for allowed in csp.values()):
        bare.append("a policy without holes")
    if (csp["default-src"], csp["object-src"], csp["base-uri"], csp["frame-ancestors"]) != ("'none'",) * 4:
        bare.append("a policy that begins with nothing")
    if "camera=()" not in answer.get("Permissions-Policy", ""):
        bare.append("Permissions-Policy")
    if "no-store" not in answer.get("Cache-Control", ""):
        bare.append("Cache-Control: no-store")
    return bare + [name for name in answer.headers if name.startswith("Access-Control-")]


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_every_address_for_everybody(ada, root, noor, gateway, method):
    """The administrator comes last: a deed of his may be done."""
    seen = set()
    for person in (None, noor, root):
        client = Client(raise_request_exception=False)
        for address in every_address():
            if person and "_auth_user_id" not in client.session:
                client.force_login(person)
            answer = getattr(client, method)(address)
            assert missing(answer) == [], (person, method, address, answer.status_code)
            assert answer.status_code < 500 or address == "/ready", (person, method, address)
            seen.add(answer.status_code)
    assert {"get": {200, 302, 401, 403, 404, 405}, "post": {302, 401, 403, 405}}.get(method, set()) <= seen


def test_every_address_leads_where_it_should():
    """The samples are real: no address above is a 404 of the URL configuration itself."""
    for address in every_address():
        assert resolve(address)
    assert len(every_address()) > 100


class TestFaults:
    @pytest.mark.parametrize(("path", "kind"), [("/wards/north/", "text/html"), ("/api/v1/thresholds", "application/json")])
    def test_500(self, root, ada, monkeypatch, path, kind):
        def fall(*args, **kwargs):
            raise RuntimeError("SECRET of the database")

        monkeypatch.setattr(board, "read", fall)
        monkeypatch.setattr("monitoring.api.thresholds._answer", fall)
        client = Client(raise_request_exception=False)
        client.force_login(root)

        answer = client.get(path)

        assert (answer.status_code, answer["Content-Type"].partition(";")[0]) == (500, kind)
        assert "SECRET" not in answer.content.decode()
        assert missing(answer) == []

    def test_another_host_is_400(self, client, db):
        answer = client.get("/accounts/login/", headers={"Host": "evil.example.org"})

        assert answer.status_code == 400
        assert missing(answer) == []

    @pytest.mark.parametrize("path", ["/nowhere", "/api/nowhere", "/static/nowhere.js", "/admin/nowhere/", "/wards/nowhere"])
    def test_what_is_not_there(self, client, db, path):
        answer = client.get(path, follow=True)

        assert missing(answer) == []

    def test_the_pages_are_of_the_house(self, noor):
        page = signed_in(noor).get("/nowhere").content.decode()

        assert "There is nothing here." in page
        assert "not a medical device" in page


class TestFiles:
    def test_may_be_kept_and_are_what_they_say(self, client, db):
        answer = client.get(FILE)

        assert answer.status_code == 200
        assert missing(answer) == ["Cache-Control: no-store"]

    def test_the_worker_is_no_file(self, noor):
        answer = signed_in(noor).get("/push-worker.js")

        assert answer.status_code == 200
        assert missing(answer) == []


class TestOverHttps:
    def test_browsers_stay_with_it_for_a_year(self, settings, db):
        settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = 31_536_000, True

        answer = Client().get("/health", secure=True)

        assert answer["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


class TestForgery:
    @pytest.fixture
    def alert(self, ada, gateway, now):
        gateway.post([item(ada, now, spo2=80)])
        return Alert.objects.get()

    def acknowledge(self, person, alert, **headers):
        client = Client(enforce_csrf_checks=True)
        client.force_login(person)
        page = client.get("/wards/north/").content.decode()
        token = re.search(r'"X-CSRFToken": "(\w+)"', page).group(1)
        shown = {"X-CSRFToken": token, "HX-Request": "true"} | headers
        return client.post(f"/alerts/{alert.pk}/acknowledge", {"severity_shown": "critical"}, headers=shown)

    def test_a_board_shows_its_token_with_each_deed(self, noor, alert):
        assert self.acknowledge(noor, alert).status_code == 200

    @pytest.mark.parametrize(
        "headers",
        [{"X-CSRFToken": ""}, {"X-CSRFToken": "a" * 64}, {"Origin": "http://evil.example.org"}, {"Origin": "null"}],
    )
    def test_without_it_nothing_is_done_and_the_board_says_why(self, noor, alert, headers):
        answer = self.acknowledge(noor, alert, **headers)

        assert (answer.status_code, answer["HX-Reswap"]) == (403, "none")
        assert answer.content.decode() == "This page is out of date: load it again, and press once more."
        alert.refresh_from_db()
        assert alert.acknowledged_at is None
        assert missing(answer) == []

    def test_a_form_is_refused_in_the_houses_look(self, noor):
        answer = Client(enforce_csrf_checks=True).post("/accounts/login/", {"username": "noor"})

        assert answer.status_code == 403
        assert "This page is out of date" in answer.content.decode()
        assert "not a medical device" in answer.content.decode()
        assert missing(answer) == []

    def test_of_the_administration_too(self, root):
        client = Client(enforce_csrf_checks=True)
        client.force_login(root)

        assert "out of date" in client.post("/admin/accounts/ward/add/", {"name": "X"}).content.decode()


class TestUploads:
    def test_nobody_uploads_a_file(self, root, tmp_path):
        path = tmp_path / "x.txt"
        path.write_text("x")
        with path.open() as file:
            answer = signed_in(root).post("/admin/accounts/ward/add/", {"name": "X", "file": file})

        assert answer.status_code == 400
        assert missing(answer) == []

    def test_a_form_has_no_thousands_of_fields(self, noor):
        answer = signed_in(noor).post("/accounts/emergency/", {f"field{place}": "x" for place in range(2_001)})

        assert answer.status_code == 400

    def test_nor_megabytes(self, noor):
        body = "reason=" + "x" * (5 * 1024 * 1024)

        answer = signed_in(noor).post("/accounts/emergency/", body, content_type="application/x-www-form-urlencoded")

        assert answer.status_code in (400, 413)
