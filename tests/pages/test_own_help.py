"""The patient's own page has a button that calls for help; it says when that was sent, and when it was not."""

from __future__ import annotations

import html
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client

from accounts.models import Session
from accounts.transactions import WriterBusy
from monitoring.models import Alert, Patient
from monitoring.services import admissions, alerts, calls
from tests.access.actors import patient_herself
from tests.conftest import signed_in
from tests.world import open_alert

BUTTON = 'action="/my/help"'


@pytest.fixture
def herself(ada):
    return signed_in(patient_herself(ada))


def page(client):
    return html.unescape(client.get("/my/").content.decode())


def test_she_presses_and_reads_that_it_was_sent(herself, ada):
    assert BUTTON in page(herself)
    assert "was sent" not in page(herself)

    answer = herself.post("/my/help", follow=True)

    assert answer.redirect_chain == [("/my/", 302)]
    assert "Your call was sent at" in answer.content.decode()
    assert open_alert(ada).kind == "help"


def test_she_reads_that_somebody_has_seen_it(herself, ada, noor, now):
    herself.post("/my/help")
    alerts.acknowledge(open_alert(ada), by=noor, at=now)

    assert "Your call was seen at" in page(herself)
    assert "Noor" not in page(herself)


def test_pressed_twice_is_one_call(herself, ada):
    herself.post("/my/help")
    herself.post("/my/help")

    assert Alert.objects.get().count == 2


@pytest.mark.parametrize("fault", [WriterBusy(), OperationalError(2006, "gone away")])
def test_what_could_not_be_written_was_not_sent(herself, monkeypatch, fault):
    def fails(*args, **kwargs):
        raise fault

    monkeypatch.setattr(calls, "for_help", fails)

    answer = herself.post("/my/help")
    assert answer.status_code == 503
    assert "Your call was NOT sent." in answer.content.decode()


def test_who_was_signed_out_reads_that_nothing_was_sent(ada):
    answer = Client().post("/my/help")

    assert answer.status_code == 401
    assert "Your call was NOT sent. You are signed out." in answer.content.decode()
    assert not Alert.objects.exists()


def test_who_lies_nowhere_has_no_button_and_is_told(herself, ada, noor, now):
    admissions.discharge(ada.admissions.get(), by=noor, at=now)

    assert BUTTON not in page(herself)
    answer = herself.post("/my/help")
    assert (answer.status_code, "NOT sent" in answer.content.decode()) == (409, True)


def test_who_is_no_patient_calls_nobody(noor, herself, ada, now):
    assert signed_in(noor).post("/my/help").status_code == 404
    assert herself.get("/my/help").status_code == 405

    Patient.objects.update(archived_at=now)
    assert herself.post("/my/help").status_code == 404


def test_a_forged_press_calls_nobody(ada):
    client = Client(enforce_csrf_checks=True)
    client.force_login(patient_herself(ada))

    assert client.post("/my/help").status_code == 403
    assert not Alert.objects.exists()


def test_the_page_learns_what_became_of_it_and_keeps_nobody_signed_in(herself, ada, noor, now):
    long_ago = now - timedelta(minutes=10)
    Session.objects.update(seen_at=long_ago)

    assert herself.get("/my/call").json() == {"call": ""}
    calls.for_help(ada, by=noor, at=now)
    assert herself.get("/my/call").json() == {"call": "raised"}
    assert Session.objects.get().seen_at == long_ago


def test_who_is_signed_out_or_no_patient_learns_nothing(ada, noor):
    assert Client().get("/my/call").status_code == 401
    assert signed_in(noor).get("/my/call").status_code == 404
