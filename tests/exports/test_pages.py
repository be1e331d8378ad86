"""The pages from which an export is taken: by a link, without a script."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError

from accounts import audit, transactions
from accounts.models import AuditEntry
from monitoring import files
from monitoring.paper import pdf
from tests.conftest import signed_in
from tests.exports.takers import measured, table

PATIENT, WARD = "/patients/P-ADA/export/", "/wards/north/export/"
FILE = {"period": "8h", "what": "vitals", "format": "csv"}


@pytest.mark.parametrize("page", [PATIENT, WARD])
def test_a_form_asks_and_its_answer_is_the_file(ada, noor, now, page):
    measured(ada, now - timedelta(hours=1), now - timedelta(hours=9), heart_rate=80)
    browser = signed_in(noor)

    asked, answered = browser.get(page), browser.get(page, FILE)

    assert "Take the file" in asked.content.decode()
    assert len(table(answered)) == 1


def test_the_ward_leads_to_each_of_its_patients(ada, noor):
    text = signed_in(noor).get(WARD).content.decode()

    assert PATIENT in text and "Byron" not in text


@pytest.mark.parametrize("page", [PATIENT, WARD])
def test_it_leads_back_to_the_board(ada, noor, page):
    assert '<a href="/wards/north/">← North</a>' in signed_in(noor).get(page).content.decode()


def test_the_board_leads_who_may_to_the_page(ada, noor, vera):
    for person, leads in ((noor, True), (vera, False)):
        assert (WARD in signed_in(person).get("/wards/north/").content.decode()) == leads


@pytest.mark.parametrize(
    "wrong", [{"period": "own"}, {"period": "own", "from": "x", "to": "y"}, {"what": "names"}, {"format": "pdf"}]
)
def test_what_makes_no_sense_is_asked_again(ada, noor, wrong):
    answer = signed_in(noor).get(PATIENT, FILE | wrong)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert not AuditEntry.objects.filter(what="exported").exists()


def test_too_many_rows_for_a_spreadsheet_are_said_on_the_page(ada, noor, now, monkeypatch):
    monkeypatch.setattr(files, "MOST_ROWS", 0)
    measured(ada, now - timedelta(hours=1), heart_rate=80)

    answer = signed_in(noor).get(PATIENT, FILE | {"format": "xlsx"})

    assert (answer.status_code, "shorten the time" in answer.content.decode()) == (422, True)


def test_it_is_for_who_may_export(ada, vera, eve):
    for page in (PATIENT, WARD):
        assert [signed_in(each).get(page).status_code for each in (vera, eve)] == [403, 404]
        assert signed_in(vera).post(page).status_code == 405


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "way", [f"{PATIENT}?period=8h&what=vitals&format=csv", "/patients/P-ADA/chart/", "/patients/P-ADA/chart.pdf"]
)
@pytest.mark.parametrize("fault", [("database is locked",), (1205, "Lock wait timeout"), (1213, "Deadlock found")])
def test_a_busy_database_asks_to_come_again_and_takes_no_turn(ada, noor, monkeypatch, way, fault):
    def busy(*args, **kwargs):
        raise OperationalError(*fault)

    browser = signed_in(noor)
    monkeypatch.setattr(audit, "record", busy)
    monkeypatch.setattr(transactions, "TRIES", 1)
    monkeypatch.setattr(pdf, "is_there", lambda: True)

    answers = [browser.get(way) for _ in range(files.AT_ONCE + 1)]

    assert {(each.status_code, each["Retry-After"]) for each in answers} == {(503, "5")}
    assert all("The database is busy. Try again" in each.content.decode() for each in answers)
