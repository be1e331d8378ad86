"""Pages of another site: none may read what MedQL answers, whoever is signed in there."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.conftest import signed_in

ELSEWHERE = "https://elsewhere.example"
DOORS = [
    "/wards/north/",
    "/api/v1/patients/P-ADA/thresholds",
    "/api/v1/vitals",
    "/auth/login",
    "/auth/me",
    "/admin/",
    "/health",
]


def leave(answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("Access-Control-")}


@pytest.mark.parametrize("door", DOORS)
def test_no_other_site_reads_an_answer(noor, ada, door):
    for browser in (Client(), signed_in(noor)):
        assert leave(browser.get(door, headers={"Origin": ELSEWHERE})) == {}


@pytest.mark.parametrize("door", DOORS)
def test_nor_may_it_send_what_a_form_could_not(noor, ada, door):
    asks = {"Origin": ELSEWHERE, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-api-key"}

    assert leave(signed_in(noor).options(door, headers=asks)) == {}
