"""The inbox: what the escalation told a person, seen or not; and the browsers that may call him."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from py_vapid import Vapid

from accounts.models import Membership
from monitoring import notices as inbox
from monitoring.models import Alert, Delivery, PushSubscription
from monitoring.services import admissions
from tests.conftest import signed_in
from tests.services.alerting import MINUTE, raised, take, watch

SUBSCRIPTION = {
    "endpoint": "https://fcm.googleapis.com/fcm/send/abc:123",
    "expirationTime": None,
    "keys": {"p256dh": "B" * 87, "auth": "a" * 22},
}
SECOND = timedelta(seconds=1)
VAPID = "3KzvKasA2SoCxsp0iIG_o9B0Ozvl1XDwI63JRKNIWBM"


def send(client, method, body):
    return client.generic(method, "/notices/browser", json.dumps(body), content_type="application/json")


class TestInbox:
    def test_it_lists_what_a_person_was_told(self, noor, ada, now):
        raised(ada, now)
        watch(now)

        page = signed_in(noor).get("/notices/").content.decode()

        assert "North N1" in page
        assert "SpO₂ 84 &lt; 85 %" in page
        assert "nobody has it" in page
        assert "Mark 1 as seen" in page

    def test_it_says_who_has_it_by_now(self, noor, dora, ada, now):
        alert = raised(ada, now)
        watch(now)
        take(alert, dora, now)

        assert "taken by Dora" in signed_in(noor).get("/notices/").content.decode()

    def test_of_an_alert_that_another_ward_has_it_says_no_more_than_was_told(self, noor, eve, ada, north, south, now):
        alert = raised(ada, now)
        watch(now)
        admissions.transfer(ada.admissions.get(), bed=south.beds.get(position=1), by=None, at=timezone.now())
        take(alert, eve, timezone.now())
        Alert.objects.update(severity="warning", vital_value=70)

        page = signed_in(noor).get("/notices/").content.decode()

        listed = page.partition('<main class="inbox">')[2]
        for told in ("North", "critical", "spo2 low", "moved to another ward"):
            assert told in listed
        for foreign in ("South", "S1", "Eve", "70", "/wards/"):
            assert foreign not in listed

    def test_a_flood_from_one_patient_is_one_entry_that_opens(self, noor, ada, ben, now):
        for number in range(5):
            severity = "critical" if number == 2 else "warning"
            raised(ada, now + number * SECOND, severity, condition=f"c{number}", detail=f"c{number}")
        raised(ben, now + 5 * SECOND, condition="of ben")
        late = raised(ada, now + 6 * SECOND, condition="late")
        watch(now + 7 * SECOND)
        self._age_as_raised()
        client = signed_in(noor)
        client.post("/notices/seen", {"newest": Delivery.objects.get(alert__condition="c2").pk})
        take(late, noor, now + 8 * SECOND)

        page = client.get("/notices/")

        shown = [(len(entry.told), entry.severity, entry.unseen, entry.untaken) for entry in page.context["entries"]]
        assert shown == [(1, "critical", 1, 0), (1, "critical", 1, 1), (5, "critical", 2, 5)]
        listed = page.content.decode().partition('<main class="inbox">')[2]
        assert listed.count("<details") == 1
        assert listed.count('<li class="alert') == 3
        assert all(f"c{number}" in listed for number in range(5))
        for said in ("5 notices", "nobody has 5 of them", "2 new"):
            assert said in listed

    def test_what_moved_to_another_ward_is_folded_apart(self, noor, ada, north, south, now):
        for number in range(3):
            raised(ada, now, condition=f"c{number}")
        watch(now)
        admissions.transfer(ada.admissions.get(), bed=south.beds.get(position=1), by=None, at=timezone.now())

        (entry,) = signed_in(noor).get("/notices/").context["entries"]

        assert (len(entry.told), entry.untaken) == (3, 0)
        listed = signed_in(noor).get("/notices/").content.decode().partition('<main class="inbox">')[2]
        assert listed.count("moved to another ward") == 4
        assert "South" not in listed and "/wards/" not in listed

    def _age_as_raised(self):
        for row in Delivery.objects.select_related("alert"):
            Delivery.objects.filter(pk=row.pk).update(created_at=row.alert.raised_at)

    def test_an_empty_one_says_so(self, noor):
        assert "Nobody has called you." in signed_in(noor).get("/notices/").content.decode()

    def test_nobody_reads_anothers_nor_those_of_a_ward_that_he_left(self, noor, vera, ada, now):
        raised(ada, now)
        watch(now)
        assert "SpO₂ 84" not in signed_in(vera).get("/notices/").content.decode()

        Membership.objects.filter(user=noor).delete()

        assert "SpO₂ 84" not in signed_in(noor).get("/notices/").content.decode()
        assert signed_in(noor).get("/notices/count").json() == {"unseen": 0}

    def test_what_was_listed_is_seen_and_what_came_meanwhile_is_not(self, noor, ada, ben, now):
        raised(ada, now)
        watch(now)
        client = signed_in(noor)
        newest = Delivery.objects.get().pk
        raised(ben, now)
        watch(now)
        assert client.get("/notices/count").json() == {"unseen": 2}

        answer = client.post("/notices/seen", {"newest": newest})

        assert (answer.status_code, answer["Location"]) == (302, "/notices/")
        assert client.get("/notices/count").json() == {"unseen": 1}

    @pytest.mark.parametrize("newest", ["", "x", "9" * 40, "9" * 5000])
    def test_what_is_no_notice_is_refused_as_the_newest_seen(self, noor, newest):
        assert signed_in(noor).post("/notices/seen", {"newest": newest}).status_code == 400

    def test_older_ones_are_reached_page_by_page_and_marked_there(self, noor, ada, now, monkeypatch):
        monkeypatch.setattr(inbox, "SHOWN", 2)
        for number in range(5):
            raised(ada, now, condition=f"condition_{number}")
        watch(now)
        keys = list(Delivery.objects.order_by("-pk").values_list("pk", flat=True))
        client = signed_in(noor)

        pages = [client.get("/notices/", {"before": before} if before else {}) for before in ("", keys[1], keys[3])]

        listed = [[told.row.pk for entry in page.context["entries"] for told in entry.told] for page in pages]
        assert listed == [keys[:2], keys[2:4], keys[4:]]
        assert f"?before={keys[1]}" in pages[0].content.decode()
        assert "Older notices" not in pages[2].content.decode()
        answer = client.post("/notices/seen", {"newest": keys[2], "before": keys[1]})
        assert answer["Location"] == f"/notices/?before={keys[1]}"
        assert set(Delivery.objects.exclude(seen_at=None).values_list("pk", flat=True)) == set(keys[2:4])

    @pytest.mark.parametrize("before", ["0", "x", "9" * 40])
    def test_below_a_notice_that_he_has_not_got_there_is_nothing(self, noor, before):
        assert signed_in(noor).get("/notices/", {"before": before}).status_code == 404
        assert signed_in(noor).post("/notices/seen", {"newest": 1, "before": before}).status_code == 404

    def test_an_old_notice_is_not_counted(self, noor, ada, now):
        raised(ada, now - 25 * 60 * MINUTE)
        watch(now - 25 * 60 * MINUTE)

        assert signed_in(noor).get("/notices/count").json() == {"unseen": 0}

    def test_a_longer_list_asks_no_more(self, noor, ada, now):
        raised(ada, now)
        watch(now)
        short = self._queries(noor)
        for number in range(10):
            raised(ada, now, condition=f"condition_{number}")
        watch(now)

        assert self._queries(noor) == short

    def _queries(self, person):
        client = signed_in(person)
        with CaptureQueriesContext(connection) as seen:
            client.get("/notices/")
        return len(seen)

    def test_strangers_are_sent_to_the_door(self, db):
        assert Client().get("/notices/").status_code == 302
        assert Client().post("/notices/seen").status_code == 302
        assert Client().get("/notices/count").status_code == 401
        assert send(Client(), "POST", SUBSCRIPTION).status_code == 401

    @pytest.mark.parametrize(
        ("method", "path"),
        [("POST", "/notices/"), ("GET", "/notices/seen"), ("POST", "/notices/count"), ("GET", "/notices/browser")],
    )
    def test_the_wrong_method(self, noor, method, path):
        assert signed_in(noor).generic(method, path).status_code == 405


class TestBrowser:
    def test_a_browser_may_call_and_may_no_more(self, noor):
        client = signed_in(noor)

        assert send(client, "POST", SUBSCRIPTION).status_code == 204
        assert PushSubscription.objects.get().user == noor
        assert send(client, "DELETE", {"endpoint": SUBSCRIPTION["endpoint"]}).status_code == 204
        assert not PushSubscription.objects.exists()

    def test_on_a_shared_machine_it_calls_who_asked_last(self, noor, dora):
        send(signed_in(noor), "POST", SUBSCRIPTION)
        send(signed_in(dora), "POST", SUBSCRIPTION)
        send(signed_in(noor), "DELETE", {"endpoint": SUBSCRIPTION["endpoint"]})

        assert PushSubscription.objects.get().user == dora

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"endpoint": "https://192.168.0.1/"}, "endpoint"),
            ({"endpoint": "https://fcm.googleapis.com.evil.example/x"}, "endpoint"),
            ({"endpoint": "https://fcm.googleapis.com@evil.example/x"}, "endpoint"),
            ({"endpoint": "http://fcm.googleapis.com/x"}, "endpoint"),
            ({"endpoint": "https://fcm.googleapis.com:22/x"}, "endpoint"),
            ({"endpoint": "https://fcm.googleapis.com/" + "x" * 500}, "endpoint"),
            ({"endpoint": 7}, "endpoint"),
            ({"keys": None}, "p256dh"),
            ({"keys": {"p256dh": "B" * 87, "auth": "no key!"}}, "auth"),
        ],
    )
    def test_an_address_that_is_no_push_services_is_refused(self, noor, change, field):
        answer = send(signed_in(noor), "POST", SUBSCRIPTION | change)

        assert answer.status_code == 422
        assert list(answer.json()["errors"]) == [field]
        assert not PushSubscription.objects.exists()

    def test_it_is_offered_where_web_push_is_set_up(self, noor, settings):
        assert "call-me" not in signed_in(noor).get("/notices/").content.decode()
        settings.VAPID_PRIVATE_KEY = VAPID

        page = signed_in(noor).get("/notices/").content.decode()

        key = Vapid.from_string(VAPID).public_key.public_numbers()
        assert "call-me" in page
        assert key.x.bit_length() > 200
        assert signed_in(noor).get("/push-worker.js")["Content-Type"] == "text/javascript"
