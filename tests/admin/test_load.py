"""The alarm load page: who may see it, what it asks, what it says, and a spreadsheet that does no harm."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from accounts.spreadsheet import harmless
from monitoring.admin.load import spoken
from monitoring.models import Alert
from monitoring.services import alerts
from tests.conftest import signed_in
from tests.world import item, open_alert


@pytest.fixture
def loud(ada, ben, cid, gateway, noor, now):
    """Ada has called twice, for one sign after the other, and Ben once; Noor took Ben's."""
    before = now - timedelta(minutes=2)
    gateway.post([item(ada, before, sensor_id="cuff", mean_bp=140), item(ada, now, spo2=84), item(ben, now, spo2=84)])
    Alert.objects.update(raised_at=now - timedelta(minutes=5))
    alerts.acknowledge(open_alert(ben), by=noor, at=now + timedelta(seconds=1))


def page(client: Client, **asked: Any) -> str:
    answer = client.get("/load/", asked)
    assert answer.status_code == 200
    return answer.content.decode()


def lines(client: Client, **asked: Any) -> list[list[str]]:
    answer = client.get("/load/", {"csv": 1} | asked)
    assert answer["Content-Type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(answer.content.decode())))


class TestWho:
    def test_a_nurse_is_sent_to_the_administrations_door(self, noor):
        assert signed_in(noor).get("/load/")["Location"].startswith("/admin/login/")

    def test_nobody_without_signing_in(self, db):
        assert Client().get("/load/").status_code == 302

    def test_staff_see_their_own_wards_only(self, loud, eve, south):
        User.objects.filter(pk=eve.pk).update(is_staff=True)
        client = signed_in(User.objects.get(pk=eve.pk))

        said = page(client)

        assert "No alert was raised in this time." in said
        assert "South" in said and "North" not in said
        assert client.get("/load/?ward=north").status_code == 404
        assert client.get("/load/?ward=north&csv=1").status_code == 404
        assert client.get("/load/?ward=nowhere").status_code == 404

    def test_it_is_linked_from_the_administration_and_the_board(self, office, north):
        assert 'href="/load/"' in office.get("/admin/").content.decode()
        assert 'href="/load/?ward=north"' in office.get("/wards/north/").content.decode()

    def test_a_nurses_board_has_no_link(self, noor):
        assert "/load/" not in signed_in(noor).get("/wards/north/").content.decode()

    def test_it_is_only_read(self, office):
        assert office.post("/load/").status_code == 405


class TestPage:
    def test_it_says_what_called_and_where(self, office, loud):
        said = page(office, ward="north", period="24h")

        assert "spo2 low" in said and "blood pressure high" in said
        assert "North N1" in said and "North N2" in said
        assert "3 alerts, 2.0 occupied bed-days" in said

    def test_a_quiet_ward_says_so_and_what_that_may_mean(self, office, ada):
        assert "either all was calm, or nothing was sent" in page(office)

    def test_an_empty_one_too(self, office, north):
        assert "No bed was occupied either." in page(office)

    def test_an_own_time_and_a_change_to_compare(self, office, loud, now):
        stamp = "%Y-%m-%dT%H:%M"
        said = page(
            office,
            period="own",
            start=(now - timedelta(days=2)).strftime(stamp),
            end=(now + timedelta(minutes=5)).strftime(stamp),
            change=(now - timedelta(hours=2)).strftime(stamp),
        )

        assert "Two spans of the same length" in said
        assert "Half of the critical ones were taken within" in said

    @pytest.mark.parametrize(
        ("asked", "sentence"),
        [
            ({"period": "own"}, "Say when."),
            ({"period": "own", "start": "2026-01-02T00:00", "end": "2026-01-01T00:00"}, "It must come after the beginning."),
            ({"period": "own", "start": "2025-01-02T00:00", "end": "2026-01-01T00:00"}, "At most 92 days at once."),
            ({"period": "own", "start": "2125-01-02T00:00", "end": "2126-01-01T00:00"}, "It has not come yet."),
            ({"period": "own", "start": "0001-01-01T00:00", "end": "0001-02-01T00:00"}, "At most 50 years ago."),
            ({"change": "2125-01-01T00:00"}, "There is nothing after it yet"),
            ({"change": "0001-01-01T00:00"}, "At most 50 years ago."),
            ({"change": "0001-01-01T00:00", "csv": 1}, "At most 50 years ago."),
            ({"period": "decade"}, "Select a valid choice"),
            ({"period": "own", "start": "yesterday", "end": "2026-01-01T00:00"}, "Enter a valid date/time."),
        ],
    )
    def test_what_makes_no_sense_is_refused_at_its_field(self, office, asked, sentence):
        said = page(office, **asked)

        assert sentence in said
        assert "Alerts per bed and day" not in said

    @pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/New_York"])
    @pytest.mark.parametrize("moment", ["0001-01-01T00:00", "9999-12-31T23:59"])
    def test_the_ends_of_the_calendar_are_refused_wherever_the_hospital_is(self, office, settings, zone, moment):
        settings.TIME_ZONE = zone

        for asked in ({"change": moment}, {"period": "own", "start": moment, "end": moment}):
            assert "Alerts per bed and day" not in page(office, **asked)

    def test_it_costs_the_same_queries_however_many_alerts(self, office, ada, ben, gateway, now, django_assert_max_num_queries):
        with django_assert_max_num_queries(14):
            page(office)
        for number in range(20):
            gateway.post([item(ada, now - timedelta(minutes=number % 9), spo2=70 + number, sensor_id=f"S{number}")])
        with django_assert_max_num_queries(14):
            page(office)


class TestSpreadsheet:
    def test_it_has_the_figures_of_the_page(self, office, loud):
        found = {tuple(line[:3]): line[3] for line in lines(office, period="24h")}

        assert found["all", "", "calls"] == "3"
        assert found["bed", "North N1", "calls"] == "2"
        assert float(found["all", "", "bed_days"]) == pytest.approx(3, abs=0.01)
        assert found["condition", "spo2_low", "calls"] == "2"

    def test_a_beds_name_is_no_formula(self, office, loud, north):
        north.beds.filter(position=1).update(name="1")
        type(north).objects.filter(pk=north.pk).update(name="=HYPERLINK(0)")

        assert ["bed", "'=HYPERLINK(0) 1", "calls", "2"] in lines(office, period="24h")

    @pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1"])
    def test_what_a_spreadsheet_would_run_is_kept_as_text(self, cell):
        assert harmless(cell) == f"'{cell}"

    @pytest.mark.parametrize("cell", ["N1", "", -3, None, "a=b"])
    def test_anything_else_stays_as_it_is(self, cell):
        assert harmless(cell) == cell


@pytest.mark.parametrize(
    ("seconds", "words"), [(4.4, "4 s"), (59.6, "1 min 0 s"), (250, "4 min 10 s"), (7500, "2 h 5 min"), (0, "0 s")]
)
def test_times_are_spoken(seconds, words):
    assert spoken(seconds) == words
