"""The pages: who is let in, what is shown, and who may take an alert."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, User
from monitoring.services import admissions, alerts
from tests.conftest import PASSWORD, signed_in
from tests.world import item, open_alert


class TestSignIn:
    @pytest.mark.parametrize("word", ["noor", "NOOR", "noor@example.org", "Noor@Example.org"])
    def test_by_login_or_by_email(self, noor, word):
        answer = Client().post("/accounts/login/", {"username": word, "password": PASSWORD})

        assert (answer.status_code, answer["Location"]) == (302, "/")

    def test_not_with_another_password(self, noor):
        answer = Client().post("/accounts/login/", {"username": "noor", "password": "wrong"})

        assert answer.status_code == 200
        assert b'role="alert"' in answer.content

    def test_not_once_deactivated(self, noor):
        User.objects.update(is_active=False)

        assert Client().post("/accounts/login/", {"username": "noor", "password": PASSWORD}).status_code == 200

    def test_the_door_says_what_medql_is_not(self, db):
        assert b"not a medical device" in Client().get("/accounts/login/").content

    def test_signing_out_takes_a_post(self, noor):
        client = signed_in(noor)

        assert client.get("/accounts/logout/").status_code == 405
        client.post("/accounts/logout/")
        assert client.get("/wards/north/").status_code == 302

    def test_logins_and_emails_are_lower_case_and_one_word_is_one_person(self, noor):
        with pytest.raises(ValidationError):
            User.objects.create_user("a@b", "c@example.org", PASSWORD, name="C")
        with pytest.raises(ValidationError):
            User.objects.create_user("other", "NOOR@example.org", PASSWORD, name="N")


class TestBoard:
    def test_a_nurse_sees_her_ward(self, noor, ada, gateway, now):
        gateway.post([item(ada, now, spo2=84, heart_rate=70)])

        page = signed_in(noor).get("/wards/north/").content.decode()

        assert "Ada Byron" in page
        assert "SpO₂ 84 &lt; 85 %" in page
        assert "critical" in page
        assert 'data-may="acknowledge resolve silence noise"' in page
        assert "not a medical device" in page

    def test_beds_stand_in_their_order_whatever_happens(self, noor, ada, ben, gateway, now):
        gateway.post([item(ben, now, spo2=60)])

        page = signed_in(noor).get("/wards/north/").content.decode()

        assert page.index("Bed N1") < page.index("Bed N2") < page.index("Bed N3")

    def test_the_rail_has_the_worst_first(self, noor, ada, ben, gateway, now):
        gateway.post([item(ada, now, spo2=88), item(ben, now, heart_rate=160)])

        rail = signed_in(noor).get("/wards/north/").content.decode().split('id="rail"')[1]

        assert rail.index("HR 160") < rail.index("SpO₂ 88")

    def test_eve_never_sees_ada(self, eve, ada):
        client = signed_in(eve)

        assert client.get("/wards/north/").status_code == 404
        assert "Ada" not in client.get("/wards/south/").content.decode()

    def test_a_ward_that_is_not_there_is_404(self, noor):
        assert signed_in(noor).get("/wards/west/").status_code == 404

    def test_without_signing_in_it_is_the_door(self, north):
        assert Client().get("/wards/north/")["Location"] == "/accounts/login/?next=/wards/north/"

    def test_an_administrator_sees_every_ward(self, root, north, south):
        assert signed_in(root).get("/wards/south/").status_code == 200

    def test_who_works_in_two_wards_may_switch(self, noor, south):
        Membership.objects.create(user=noor, ward=south, role="nurse")

        assert 'href="/wards/south/"' in signed_in(noor).get("/wards/north/").content.decode()

    def test_home_is_the_first_ward(self, noor):
        assert signed_in(noor).get("/")["Location"] == "/wards/north/"

    def test_a_person_of_no_ward_is_told_so(self, db):
        lone = User.objects.create_user("lone", "lone@example.org", PASSWORD, name="Lone")

        assert b"member of no ward" in signed_in(lone).get("/").content

    def test_a_viewer_gets_no_button(self, vera, ada, gateway, now):
        gateway.post([item(ada, now, spo2=84)])

        assert 'data-may=""' in signed_in(vera).get("/wards/north/").content.decode()

    def test_one_bed_or_forty_take_the_same_number_of_queries(self, noor, north, ada, ben, gateway, now):
        client = signed_in(noor)
        gateway.post([item(ada, now, spo2=84)])

        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                client.get("/wards/north/")
            return len(captured)

        queries()  # the first look also notes which board this browser shows
        first = queries()
        gateway.post([item(ben, now, spo2=84, heart_rate=150, mean_bp=50)])
        for place in range(10, 50):
            north.beds.create(name=f"X{place}", position=place)

        assert queries() == first

    def test_a_value_from_before_the_stay_never_shows(self, noor, ada, gateway, north, now):
        gateway.post([item(ada, now - timedelta(seconds=5), heart_rate=77)])
        admissions.discharge(ada.admissions.get(), by=None, at=now)
        admissions.admit(ada, bed=north.beds.get(position=1), by=None, at=now)

        assert ">77<" not in signed_in(noor).get("/wards/north/").content.decode()

    def test_what_a_sensor_says_instead_of_a_value_is_shown(self, noor, ada, gateway, now):
        gateway.post([item(ada, now, status={"spo2": "probe_off"})])

        assert "probe off" in signed_in(noor).get("/wards/north/").content.decode()

    def test_a_fresh_value_is_never_hidden_behind_an_old_one(self, noor, ada, gateway, now):
        gateway.post([item(ada, now - timedelta(minutes=9), sensor_id="old", spo2=84)])
        gateway.post([item(ada, now, sensor_id="new", spo2=97)])

        tile = signed_in(noor).get("/wards/north/").content.decode().split('id="rail"')[0]

        assert ">97<" in tile
        assert "SpO₂ 84 &lt; 85 % (old)" in tile

    def test_the_alert_says_what_is_now(self, noor, ada, gateway, now):
        gateway.post([item(ada, now, spo2=84)])
        gateway.post([item(ada, now + timedelta(seconds=1), spo2=70)])

        assert "SpO₂ 70 &lt; 85 %" in signed_in(noor).get("/wards/north/").content.decode()

    @pytest.mark.parametrize("pressure", ["systolic_bp", "mean_bp", "diastolic_bp"])
    def test_what_a_pressure_sensor_says_is_shown(self, noor, ada, gateway, now, pressure):
        gateway.post([item(ada, now, sensor_id="art", status={pressure: "probe_off"})])

        assert "probe off" in signed_in(noor).get("/wards/north/").content.decode()

    def test_a_value_that_its_sensor_took_back_is_struck(self, noor, ada, gateway, now):
        gateway.post([item(ada, now, spo2=97), item(ada, now + timedelta(seconds=1), status={"spo2": "probe_off"})])

        assert "sign spo2  void" in signed_in(noor).get("/wards/north/").content.decode()

    def test_the_tile_names_the_source_and_shows_the_one_that_stands_beyond(self, noor, ada, gateway, now):
        gateway.post(
            [
                item(ada, now, sensor_id="M7/art", systolic_bp=70, mean_bp=50, diastolic_bp=40),
                item(ada, now + timedelta(seconds=1), sensor_id="M7/cuff", systolic_bp=120, mean_bp=90, diastolic_bp=70),
            ]
        )

        page = signed_in(noor).get("/wards/north/").content.decode()

        assert "70/40" in page
        assert ">art<" in page


class TestAcknowledge:
    def take(self, user, alert, shown="critical"):
        return signed_in(user).post(f"/alerts/{alert.pk}/acknowledge", {"severity_shown": shown})

    @pytest.fixture
    def alert(self, ada, gateway, now):
        gateway.post([item(ada, now, spo2=84)])
        return open_alert(ada)

    def test_it_answers_with_the_tile_and_the_rail(self, alert, noor):
        answer = self.take(noor, alert)

        page = answer.content.decode()
        assert answer.status_code == 200
        assert "taken by Noor" in page
        assert 'hx-target="#rail"' in page

    def test_worse_than_shown_is_409_with_the_present_tile(self, alert, noor):
        answer = self.take(noor, alert, shown="warning")

        assert answer.status_code == 409
        assert "SpO₂ 84" in answer.content.decode()
        assert open_alert(alert.patient).state == "raised"

    def test_eve_finds_nothing(self, alert, eve):
        assert self.take(eve, alert).status_code == 404

    def test_a_viewer_may_not(self, alert, vera):
        assert self.take(vera, alert).status_code == 403
        assert open_alert(alert.patient).state == "raised"

    @pytest.mark.parametrize("shown", ["", "terrible"])
    def test_a_severity_that_is_none_is_400(self, alert, noor, shown):
        assert self.take(noor, alert, shown=shown).status_code == 400

    def test_who_was_signed_out_is_told_so(self, alert):
        answer = Client().post(f"/alerts/{alert.pk}/acknowledge", {"severity_shown": "critical"})

        assert (answer.status_code, answer["HX-Reswap"]) == (401, "none")

    def test_taking_one_leaves_the_others_where_they_were(self, ada, gateway, noor, now):
        for minute, values in enumerate(({"spo2": 84}, {"mean_bp": 140}, {"heart_rate": 45})):  # no two fresh together
            gateway.post([item(ada, now + timedelta(minutes=minute - 3), **values)])
        client = signed_in(noor)

        def order() -> list[str]:
            tile = client.get("/wards/north/").content.decode().split('id="rail"')[0]
            return [part[:36] for part in tile.split('id="alert-')[1:]]

        before = order()
        self.take(noor, ada.alerts.get(pk=before[0]))

        assert order() == before
        assert len(before) == 3

    def test_a_get_takes_nothing(self, alert, noor):
        assert signed_in(noor).get(f"/alerts/{alert.pk}/acknowledge").status_code == 405

    def test_without_the_csrf_token_nothing_is_taken(self, alert, noor):
        client = Client(enforce_csrf_checks=True)
        client.force_login(noor)

        assert client.post(f"/alerts/{alert.pk}/acknowledge", {"severity_shown": "critical"}).status_code == 403


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/nothing", "/api/v1/vitals/7/8"])
def test_an_api_path_that_is_not_there_is_404_as_json(db, path):
    answer = Client().get(path)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_an_unexpected_fault_is_500_as_json_and_says_nothing_of_itself(ada, gateway, now, monkeypatch):
    def broken(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError("a secret of the inside")

    monkeypatch.setattr(alerts, "judge", broken)
    gateway.client.raise_request_exception = False

    answer = gateway.post([item(ada, now, spo2=84)])

    assert (answer.status_code, answer.json()["code"]) == (500, "internal_server_error")
    assert "secret" not in answer.content.decode()


def test_health_asks_no_database():
    assert Client().get("/health").json() == {"status": "ok"}


def test_a_ward_says_nothing_of_names_in_urls(noor, ada):
    page = signed_in(noor).get("/wards/north/").content.decode()

    addresses = [part.split('"')[0].replace(ada.patient_id, "") for part in page.split('href="')[1:]]
    assert not [address for address in addresses if "ada" in address.lower() or "byron" in address.lower()]
