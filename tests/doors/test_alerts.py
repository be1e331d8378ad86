"""The doors to alerts: who reads them, how they are asked for, and the hands of people on one."""

from __future__ import annotations

import threading
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client

from accounts import audit, service_tokens, tokens
from accounts.models import AuditEntry, ServiceToken
from monitoring.models import Alert, AlertEvent, WardRules
from monitoring.services import alerts
from tests.access.actors import patient_herself
from tests.conftest import signed_in
from tests.doors.staff import fields
from tests.services.alerting import MINUTE, raised

LIST = "/api/v1/alerts"
DEEDS = {"acknowledge": {}, "resolve": {"note": "moved the probe"}, "silence": {"minutes": 5}, "noise": {"why": "suction"}}
DONE = {"acknowledge": "acknowledged", "resolve": "resolved", "silence": "silenced", "noise": "noise"}


@pytest.fixture
def alert(ada, now):
    """Ada's, critical, a minute old, and nobody's."""
    return raised(ada, now - MINUTE)


def of(alert, deed=""):
    return f"{LIST}/{alert.pk}{deed and '/' + deed}"


def act(person, alert, deed, body=None, **headers):
    wanted = DEEDS[deed] if body is None else body
    return signed_in(person).post(of(alert, deed), wanted, content_type="application/json", headers=headers)


def ids(answer):
    assert answer.status_code == 200, answer.content
    return [one["id"] for one in answer.json()["results"]]


def told(alert):
    return list(AlertEvent.objects.filter(alert=alert).order_by("pk").values_list("what", "by__login"))


@pytest.mark.parametrize("address", [LIST, f"{LIST}/", f"{LIST}/patient/P-ADA", f"{LIST}/patient/P-ADA/"])
def test_an_address_is_the_same_with_a_slash_and_without(ada, noor, alert, address):
    assert ids(signed_in(noor).get(address)) == [str(alert.pk)]


class TestList:
    def test_without_a_word_those_that_are_not_resolved_the_newest_first(self, ada, noor, now):
        old, new = raised(ada, now - 2 * MINUTE), raised(ada, now - MINUTE, condition="heart_rate_low")
        over = raised(ada, now, condition="map_low")
        alerts.resolve(over, by=noor, at=now)

        client = signed_in(noor)

        assert ids(client.get(LIST)) == [str(new.pk), str(old.pk)]
        assert ids(client.get(f"{LIST}?state=all")) == [str(over.pk), str(new.pk), str(old.pk)]

    def test_by_severity_patient_and_ward(self, ada, ben, cid, root, now):
        of_ada, of_ben = raised(ada, now, severity="warning"), raised(ben, now - MINUTE)
        of_cid = raised(cid, now - 2 * MINUTE)
        client = signed_in(root)

        assert ids(client.get(f"{LIST}?severity=warning")) == [str(of_ada.pk)]
        assert ids(client.get(f"{LIST}?patient_id=P-BEN")) == [str(of_ben.pk)]
        assert ids(client.get(f"{LIST}?ward=south")) == [str(of_cid.pk)]
        assert ids(client.get(f"{LIST}?ward=north&severity=info")) == []

    def test_page_by_page_each_once(self, ada, noor, now):
        for place in range(5):
            raised(ada, now, condition=f"c{place}")
        client, address, seen = signed_in(noor), f"{LIST}?limit=2", []

        while address:
            answer = client.get(address)
            seen += ids(answer)
            address = answer.json()["next"]

        assert len(seen) == len(set(seen)) == 5

    def test_nobody_sees_those_of_another_ward(self, alert, cid, eve, now):
        of_cid = raised(cid, now)

        assert ids(signed_in(eve).get(f"{LIST}?state=all")) == [str(of_cid.pk)]

    @pytest.mark.parametrize("asked", ["ward=north", "patient_id=P-ADA", "ward=nowhere", "patient_id=NOBODY"])
    def test_a_ward_or_patient_not_to_be_seen_is_404_and_not_an_empty_list(self, alert, eve, asked):
        assert signed_in(eve).get(f"{LIST}?{asked}").status_code == 404

    @pytest.mark.parametrize(
        ("asked", "field"),
        [
            ("severity=bad", "severity"),
            ("severity=null", "severity"),
            ("state=closed", "state"),
            ("limit=0", "limit"),
            ("limit=201", "limit"),
            ("limit=9999999999999999999999", "limit"),
            ("cursor=rubbish", "cursor"),
            ("since=today", "since"),
            ("ward=north&ward=south", "ward"),
        ],
    )
    def test_what_is_wrong_is_named(self, alert, noor, asked, field):
        assert fields(signed_in(noor).get(f"{LIST}?{asked}")) == [field]

    def test_a_program_reads_and_does_nothing(self, alert, north, root, now):
        token = service_tokens.issue(ServiceToken(name="display"), wards=[north], by=root, at=now)
        program = Client(headers={"Authorization": f"Bearer {token}"})

        assert ids(program.get(LIST)) == [str(alert.pk)]
        assert program.post(of(alert, "acknowledge")).status_code == 403

    def test_of_a_word_that_is_none_those_that_there_are_are_told(self, alert, noor):
        (error,) = signed_in(noor).get(f"{LIST}?severity=bad").json()["errors"]

        assert error["detail"] == "One of critical, warning, info."

    @pytest.mark.parametrize("count", [2, 40])
    def test_it_costs_six_queries_however_many_there_are(self, ada, noor, root, now, count, django_assert_max_num_queries):
        for place in range(count):
            alerts.acknowledge(raised(ada, now, condition=f"c{place}"), by=noor, at=now)
        pair = tokens.sign_in(noor, at=now)
        client = Client(headers={"Authorization": f"Bearer {pair.access_token}"})

        with django_assert_max_num_queries(6):
            assert len(ids(client.get(LIST))) == count

    def test_that_somebody_looked_is_kept(self, alert, noor):
        signed_in(noor).get(f"{LIST}?patient_id=P-ADA")
        audit.flush()

        look = AuditEntry.objects.get(about="page:api/alerts")
        assert (look.who, look.patient) == ("noor", "P-ADA")


class TestOfPatient:
    def test_all_of_them_also_those_that_are_over(self, alert, noor, now):
        alerts.resolve(alert, by=noor, at=now)

        answer = signed_in(noor).get(f"{LIST}/patient/P-ADA")

        assert ids(answer) == [str(alert.pk)] and answer.json()["results"][0]["state"] == "resolved"

    def test_the_patient_reads_his_own_and_nobody_elses(self, ada, ben, alert):
        herself = signed_in(patient_herself(ada))

        assert ids(herself.get(f"{LIST}/patient/P-ADA")) == [str(alert.pk)]
        assert herself.get(f"{LIST}/patient/P-BEN").status_code == 404
        assert herself.get(LIST).status_code == 403

    @pytest.mark.parametrize("patient_id", ["P-ADA", "NOBODY", "x" * 3000, "%00", "%ED%A0%80"])
    def test_one_who_is_not_to_be_seen_is_404(self, ada, eve, patient_id):
        assert signed_in(eve).get(f"{LIST}/patient/{patient_id}").status_code == 404


class TestOne:
    def test_it_comes_with_what_happened_to_it(self, alert, noor, dora, now):
        alerts.acknowledge(alert, by=noor, at=now)
        alerts.resolve(alert, by=dora, at=now + MINUTE, note="moved the probe")

        answer = signed_in(noor).get(of(alert))

        assert answer.headers["ETag"] == f'"{answer.json()["version"]}"'
        assert [(one["what"], one["by"], one["note"]) for one in answer.json()["events"]] == [
            ("acknowledged", "Noor", None),
            ("resolved", "Dora", "moved the probe"),
        ]
        assert set(answer.json()["events"][0]) == {"what", "at", "by", "severity", "value", "note"}

    def test_one_that_is_nowhere_or_elsewhere_is_404(self, alert, eve):
        client = signed_in(eve)

        assert client.get(of(alert)).status_code == 404
        assert client.get(f"{LIST}/{uuid4()}").status_code == 404
        assert client.get(f"{LIST}/7").status_code == 404


class TestDeeds:
    @pytest.mark.parametrize("deed", DEEDS)
    def test_a_nurse_does_it_and_is_kept_with_the_time(self, alert, noor, deed):
        answer = act(noor, alert, deed)

        assert answer.status_code == 200, answer.content
        assert told(alert) == [(DONE[deed], "noor")]
        assert answer.json()["version"] == 2 and answer.headers["ETag"] == '"2"'

    @pytest.mark.parametrize("deed", DEEDS)
    def test_a_second_hand_changes_nothing(self, alert, noor, dora, deed):
        first = act(noor, alert, deed).json()

        answer = act(dora, alert, deed)

        assert answer.status_code == 200
        assert answer.json() == first
        assert len(told(alert)) == 1

    @pytest.mark.parametrize("deed", DEEDS)
    def test_who_may_not_is_refused_and_eve_finds_nothing(self, alert, vera, eve, deed):
        assert act(vera, alert, deed).status_code == 403
        assert act(eve, alert, deed).status_code == 404
        assert told(alert) == []

    @pytest.mark.parametrize("deed", DEEDS)
    def test_other_methods_are_405_and_a_stranger_401(self, alert, noor, deed):
        assert signed_in(noor).get(of(alert, deed)).status_code == 405
        assert Client().post(of(alert, deed)).status_code == 401

    @pytest.mark.parametrize("deed", ["acknowledge", "resolve"])
    def test_a_body_may_be_empty(self, alert, noor, deed):
        answer = signed_in(noor).post(of(alert, deed), "", content_type="application/json")

        assert answer.status_code == 200 and told(alert) == [(DONE[deed], "noor")]

    @pytest.mark.parametrize(
        ("deed", "body", "field"),
        [
            ("acknowledge", {"severity_shown": "bad"}, "severity_shown"),
            ("acknowledge", {"severity": "critical"}, "severity"),
            ("resolve", {"note": "x" * 201}, "note"),
            ("resolve", {"note": "a\0b"}, "note"),
            ("silence", {}, "minutes"),
            ("silence", {"minutes": 0}, "minutes"),
            ("silence", {"minutes": 11}, "minutes"),
            ("silence", {"minutes": 10**30}, "minutes"),
            ("silence", {"minutes": "5"}, "minutes"),
            ("noise", {}, "why"),
            ("noise", {"why": " "}, "why"),
        ],
    )
    def test_what_is_wrong_is_named(self, alert, noor, deed, body, field):
        assert fields(act(noor, alert, deed, body)) == [field]
        assert told(alert) == []

    @pytest.mark.parametrize("body", ["{", "[]", "7", '{"note": "\\ud800"}'])
    def test_what_cannot_be_read_is_400(self, alert, noor, body):
        answer = signed_in(noor).post(of(alert, "resolve"), body, content_type="application/json")

        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")

    def test_who_was_shown_less_gets_the_alert_as_it_is(self, alert, noor):
        answer = act(noor, alert, "acknowledge", {"severity_shown": "warning"})

        assert (answer.status_code, answer.json()["code"]) == (409, "severity_risen")
        assert (answer.json()["current"]["severity"], answer.json()["current"]["state"]) == ("critical", "raised")

    @pytest.mark.parametrize("deed", DEEDS)
    def test_if_match_is_held_to_the_version(self, alert, noor, dora, deed):
        assert act(dora, alert, "silence", {"minutes": 10}).json()["version"] == 2

        stale = act(noor, alert, deed, **{"If-Match": '"1"'})

        assert (stale.status_code, stale.json()["code"]) == (409, "version_conflict")
        assert (stale.json()["expected_version"], stale.json()["current_version"]) == (1, 2)
        assert stale.json()["current"]["silenced_until"]
        assert act(noor, alert, deed, **{"If-Match": '"2"'}).status_code == 200

    def test_if_match_that_is_no_version_is_named(self, alert, noor):
        assert fields(act(noor, alert, "acknowledge", **{"If-Match": "*"})) == ["If-Match"]

    def test_a_silence_may_be_made_longer_and_shorter(self, alert, noor, now):
        first = act(noor, alert, "silence", {"minutes": 5}).json()["silenced_until"]

        assert act(noor, alert, "silence", {"minutes": 8}).json()["silenced_until"] > first
        assert act(noor, alert, "silence", {"minutes": 2}).json()["silenced_until"] < first

    def test_a_ward_may_allow_less(self, alert, north, noor):
        WardRules.objects.create(ward=north, longest_silence=4)

        answer = act(noor, alert, "silence")

        assert "1 to 4 min" in answer.json()["detail"] and fields(answer) == ["minutes"]

    def test_it_stands_in_the_audit(self, alert, noor):
        act(noor, alert, "acknowledge")

        entry = AuditEntry.objects.get(what="acknowledged")
        assert (entry.who, entry.patient, entry.about, entry.door) == ("noor", "P-ADA", f"alert:{alert.pk}", "api")


@pytest.mark.django_db(transaction=True)
def test_of_two_hands_at_once_one_stays(alert, noor, dora):
    clients, answers = [signed_in(noor), signed_in(dora)], []
    together = threading.Barrier(2)

    def take(client):
        together.wait()
        answers.append(client.post(of(alert, "acknowledge"), {}, content_type="application/json").status_code)
        connection.close()

    hands = [threading.Thread(target=take, args=(client,)) for client in clients]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()

    assert answers == [200, 200]
    assert len(told(alert)) == 1
    assert Alert.objects.get().acknowledged_by.login == told(alert)[0][1]
