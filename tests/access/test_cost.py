"""What it costs to ask who may: nothing at the device door, and at most one query more of a page.

The administrator is the measure: of him it is known without asking which wards are his and what he may do there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from monitoring.models import Patient
from tests.conftest import signed_in
from tests.world import item

OF_PEOPLE = re.compile(r"(FROM|UPDATE|INTO) .accounts_(user|membership|emergencyaccess|session|servicetoken)\b")
PAGES = [
    "/",
    "/wards/north/",
    "/wards/north/mine",
    "/notices/",
    "/notices/count",
    "/load/",
    "/accounts/me/",
    "/auth/me",
    "/api/v1/patients/P-ADA/thresholds",
    "/api/v1/wards/north/thresholds",
    "/api/v1/thresholds",
    "/admin/",
    "/admin/monitoring/patient/",
    "/admin/monitoring/alert/",
    "/admin/monitoring/vital/",
    "/admin/accounts/device/",
]


def asked(deed: Callable[[], Any]) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        deed()
    return [query["sql"] for query in captured]


@pytest.fixture
def people(ada: Patient, noor: User, dora: User, root: User) -> dict[str, Client]:
    User.objects.filter(pk__in=[noor.pk, dora.pk]).update(is_staff=True)
    return {person.login: signed_in(person) for person in (noor, dora, root)}


def test_the_device_door_asks_nothing_of_people(ada, gateway, now):
    gateway.post([item(ada, now, spo2=97)])

    queries = asked(lambda: gateway.post([item(ada, now + timedelta(seconds=1), spo2=84)]))

    assert queries
    assert [query for query in queries if OF_PEOPLE.search(query)] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_at_most_once_more_than_for_an_administrator(people, page):
    costs = {}
    for login, browser in people.items():
        assert browser.get(page).status_code in {200, 302}  # the first look also notes which board this browser shows
        costs[login] = len(asked(lambda browser=browser: browser.get(page)))

    assert max(costs["noor"], costs["dora"]) <= costs["root"] + 1, costs


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_costs_no_query(db, page):
    assert asked(lambda: Client().get(page)) == []


def test_a_patients_page_in_the_administration_asks_each_question_once(people, ada):
    """Six of them: whether he is seen, changed, scored otherwise, pregnant, given limits, and known by his dossier."""
    page = f"/admin/monitoring/patient/{ada.pk}/change/"
    costs = {}
    for login, browser in people.items():
        browser.get(page)
        costs[login] = len(asked(lambda browser=browser: browser.get(page)))

    assert max(costs["noor"], costs["dora"]) <= costs["root"] + 10, costs
