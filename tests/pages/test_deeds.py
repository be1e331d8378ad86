"""What a person may do with an alert besides taking it, and what is refused."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from accounts.transactions import WriterBusy
from monitoring.clinical.limits import Severity
from monitoring.models import Alert, AlertEvent, WardRules
from monitoring.services import admissions, technical
from monitoring.services.alerts import acknowledge
from tests.conftest import signed_in
from tests.world import events_of, item, open_alert, series, unscored

DEEDS = {
    "resolve": {"severity_shown": "critical", "note": "moved the probe"},
    "silence": {"minutes": "5", "severity_shown": "critical"},
    "noise": {"why": "artefact"},
}
EACH = pytest.mark.parametrize("deed", DEEDS)


@pytest.fixture
def alert(ada, gateway, now):
    gateway.post([item(ada, now, spo2=84)])
    return open_alert(ada)


def act(user, alert, deed, **fields):
    client = signed_in(user) if user else Client()
    return client.post(f"/alerts/{alert.pk}/{deed}", DEEDS[deed] | fields)


def told(alert, what):
    return list(AlertEvent.objects.filter(alert=alert, what=what).values_list("by__login", "note"))


class TestWhoMay:
    @EACH
    @pytest.mark.parametrize("login", ["noor", "dora", "root"])
    def test_a_nurse_a_doctor_and_an_administrator_may(self, request, alert, deed, login):
        answer = act(request.getfixturevalue(login), alert, deed)

        assert answer.status_code == 200
        assert 'hx-target="#rail"' in answer.content.decode()
        assert alert.events.filter(by__login=login).count() == 1

    @EACH
    def test_a_viewer_may_not(self, alert, vera, deed):
        answer = act(vera, alert, deed)

        assert answer.status_code == 403 and answer.content.startswith(b"Your role may not ")
        assert events_of(alert.patient) == ["raised"]

    @EACH
    def test_eve_finds_nothing(self, alert, eve, deed):
        assert act(eve, alert, deed).status_code == 404

    @EACH
    def test_who_was_signed_out_is_told_so(self, alert, deed):
        assert act(None, alert, deed).status_code == 401

    @EACH
    def test_a_get_does_nothing(self, alert, noor, deed):
        assert signed_in(noor).get(f"/alerts/{alert.pk}/{deed}").status_code == 405
        assert events_of(alert.patient) == ["raised"]

    @EACH
    def test_without_the_csrf_token_nothing_is_done(self, alert, noor, deed):
        client = Client(enforce_csrf_checks=True)
        client.force_login(noor)

        assert client.post(f"/alerts/{alert.pk}/{deed}", DEEDS[deed]).status_code == 403
        assert events_of(alert.patient) == ["raised"]

    @EACH
    def test_a_busy_database_says_so(self, alert, noor, deed, monkeypatch):
        def busy(*args, **kwargs):
            raise WriterBusy

        verb = {"resolve": "resolve", "silence": "silence", "noise": "mark_as_noise"}[deed]
        monkeypatch.setattr(f"monitoring.services.alerts.{verb}", busy)

        assert act(noor, alert, deed).status_code == 503

    def test_the_page_knows_what_its_person_may(self, noor, vera, ada):
        pages = [signed_in(user).get("/wards/north/").content.decode() for user in (noor, vera)]

        shown = [re.search('data-may="(.*?)"', page)[1] for page in pages]
        assert shown == ["acknowledge resolve silence noise", ""]


class TestResolve:
    def test_it_ends_with_its_note_and_twice_is_once(self, alert, noor):
        act(noor, alert, "resolve")

        assert act(noor, alert, "resolve").status_code == 200
        assert told(alert, "resolved") == [("noor", "moved the probe")]
        assert not Alert.objects.open().exists()

    def test_what_has_risen_is_shown_instead(self, alert, noor):
        answer = act(noor, alert, "resolve", severity_shown="warning")

        assert answer.status_code == 409 and "SpO₂ 84" in answer.content.decode()
        assert Alert.objects.open().exists()

    @pytest.mark.parametrize(("fields", "status"), [({"severity_shown": "bad"}, 400), ({"note": "x" * 201}, 422)])
    def test_what_cannot_be_kept_is_refused(self, alert, noor, fields, status):
        assert act(noor, alert, "resolve", **fields).status_code == status
        assert Alert.objects.open().exists()

    def test_one_of_a_device_ends_too(self, gateway, noor, now):
        technical.tell(
            gateway.device, technical.Finding(technical.CLOCK_SKEW, Severity.WARNING, "clock of M7 is 61 min behind"), now=now
        )

        answer = act(noor, Alert.objects.get(), "resolve")

        assert answer.status_code == 200 and "61 min" not in answer.content.decode()
        assert not Alert.objects.open().exists()

    def test_of_a_patient_who_has_left_nothing_more_is_drawn(self, alert, ada, noor, now):
        admissions.discharge(ada.admissions.get(), by=None, at=now)

        answer = act(noor, alert, "resolve")

        assert answer.status_code == 200 and "Ada" not in answer.content.decode()


class TestSilence:
    @pytest.mark.parametrize("minutes", ["1", "10"])
    def test_up_to_the_shipped_ten_minutes(self, alert, noor, minutes):
        assert act(noor, alert, "silence", minutes=minutes).status_code == 200
        assert told(alert, "silenced") == [("noor", f"{minutes} min")]

    @pytest.mark.parametrize("minutes", ["0", "11", "9999"])
    def test_no_longer_than_the_ward_allows(self, alert, noor, minutes):
        answer = act(noor, alert, "silence", minutes=minutes)

        assert (answer.status_code, answer.content) == (422, b"In this ward the sound may be off for 1 to 10 min.")
        assert open_alert(alert.patient).silenced_until is None

    @pytest.mark.parametrize("minutes", ["", "soon", "-5", "1e1", "²", "9" * 400])
    def test_what_is_no_number_is_refused(self, alert, noor, minutes):
        assert act(noor, alert, "silence", minutes=minutes).status_code == 400

    def test_a_ward_may_allow_less_and_offers_what_it_allows(self, alert, noor, north):
        WardRules.objects.create(ward=north, longest_silence=4)
        page = signed_in(noor).get("/wards/north/").content.decode()

        assert 'value="2">2 min' in page and 'value="5"' not in page
        assert act(noor, alert, "silence", minutes="5").status_code == 422

    def test_what_has_risen_is_shown_instead(self, alert, noor):
        answer = act(noor, alert, "silence", severity_shown="warning")

        assert answer.status_code == 409 and "SpO₂ 84" in answer.content.decode()
        assert open_alert(alert.patient).silenced_until is None

    def test_it_leaves_what_is_shown_and_the_escalation(self, alert, noor):
        due = alert.next_step_at

        act(noor, alert, "silence")

        after = open_alert(alert.patient)
        assert (after.state, after.next_step_at) == ("raised", due)


class TestNoise:
    def test_the_first_mark_stays(self, alert, noor, dora):
        act(noor, alert, "noise")

        assert act(dora, alert, "noise", why="another").status_code == 200
        assert told(alert, "noise") == [("noor", "artefact")]

    @pytest.mark.parametrize("why", ["", "   ", "x" * 201])
    def test_it_takes_a_reason(self, alert, noor, why):
        assert act(noor, alert, "noise", why=why).status_code == 422
        assert open_alert(alert.patient).noise_at is None


def test_taking_the_bundle_takes_all(ada, gateway, noor, now):
    unscored(ada)
    gateway.post(series(ada, now - timedelta(seconds=40), [{"spo2": 82, "heart_rate": 150}] * 40))
    bundle = Alert.objects.get(condition="multiple_signs")

    answer = signed_in(noor).post(f"/alerts/{bundle.pk}/acknowledge", {"severity_shown": "critical"})

    assert answer.content.decode().count("taken by Noor") >= 3
    assert not Alert.objects.open().filter(acknowledged_at=None).exists()


def test_a_returned_alert_ends_when_it_is_taken(ada, alert, gateway, noor, now):
    gateway.post([item(ada, now + timedelta(seconds=1), spo2=97)])
    assert open_alert(ada).state == "returned"

    acknowledge(alert, by=noor, at=now)

    assert not Alert.objects.open().exists()


def test_a_member_that_nobody_was_shown_is_not_taken_with_the_bundle(ada, gateway, noor, now):
    unscored(ada)
    gateway.post(series(ada, now - timedelta(seconds=40), [{"spo2": 82, "heart_rate": 150}] * 40))
    bundle = Alert.objects.get(condition="multiple_signs")
    shown = f"{Alert.objects.get(condition='spo2_low').pk}"

    form = {"severity_shown": "critical", "members_shown": shown}
    answer = signed_in(noor).post(f"/alerts/{bundle.pk}/acknowledge", form)

    assert answer.status_code == 200
    assert Alert.objects.open().get(acknowledged_at=None).condition == "heart_rate_high"


@pytest.mark.parametrize("deed", ["acknowledge", "silence"])
def test_members_that_are_no_ids_are_named(alert, noor, deed):
    form = {"severity_shown": "critical", "members_shown": "all of them", "minutes": "5"}

    assert signed_in(noor).post(f"/alerts/{alert.pk}/{deed}", form).status_code == 400


def test_silencing_the_bundle_silences_what_was_shown_of_it(ada, gateway, noor, now):
    unscored(ada)
    gateway.post(series(ada, now - timedelta(seconds=40), [{"spo2": 82, "heart_rate": 150}] * 40))
    bundle, low = Alert.objects.get(condition="multiple_signs"), Alert.objects.get(condition="spo2_low")

    form = {"severity_shown": "critical", "members_shown": f"{low.pk}", "minutes": "5"}
    answer = signed_in(noor).post(f"/alerts/{bundle.pk}/silence", form)

    assert answer.status_code == 200
    assert Alert.objects.get(silenced_until=None).condition == "heart_rate_high"
