"""What a browser is told with every answer, and what it keeps."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.conftest import PASSWORD, signed_in

ROOT = Path(__file__).parents[2]
ELSEWHERE = "https://elsewhere.example"
DOORS = ["/wards/north/", "/api/v1/patients/P-ADA/thresholds", "/api/v1/vitals", "/auth/login", "/auth/me", "/admin/"]
# The time of the last act, and which notices are open.
KEPT = {"here.js", "notices.js"}


def leave(answer: Any) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("Access-Control-")}


@pytest.mark.parametrize("door", DOORS)
def test_no_other_site_reads_an_answer(noor, ada, door):
    for browser in (Client(), signed_in(noor)):
        assert leave(browser.get(door, headers={"Origin": ELSEWHERE})) == {}


@pytest.mark.parametrize("door", DOORS)
def test_nor_may_it_send_what_a_form_could_not(noor, ada, door):
    asks = {"Origin": ELSEWHERE, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-api-key"}

    assert leave(signed_in(noor).options(door, headers=asks)) == {}


@pytest.mark.parametrize("door", DOORS)
def test_every_answer_says_how_it_is_to_be_read(noor, ada, door):
    for browser in (Client(), signed_in(noor)):
        told = browser.get(door).headers
        assert (told["X-Content-Type-Options"], told["Referrer-Policy"], told["X-Frame-Options"]) == (
            "nosniff",
            "same-origin",
            "DENY",
        )


def test_cookies_stay_on_this_site(noor):
    browser = Client()
    browser.get("/accounts/login/")
    browser.post("/accounts/login/", {"username": "noor", "password": PASSWORD})

    assert len(browser.cookies) >= 2
    assert {morsel["samesite"] for morsel in browser.cookies.values()} == {"Lax"}


def test_behind_tls_browsers_are_told_to_stay_there(settings, db):
    names = ["SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE"]
    ask = f"import json; from medql import settings; print(json.dumps([getattr(settings, name) for name in {names}]))"
    told = subprocess.run(
        [sys.executable, "-c", ask], cwd=ROOT, env=os.environ | {"MEDQL_HTTPS": "true"}, capture_output=True, check=True
    )
    for name, value in zip(names, json.loads(told.stdout), strict=True):
        setattr(settings, name, value)

    plain, secure = Client().get("/accounts/login/"), Client().get("/accounts/login/", secure=True)

    assert (plain.status_code, plain["Location"]) == (301, "https://testserver/accounts/login/")
    assert secure["Strict-Transport-Security"].startswith(f"max-age={365 * 24 * 3600}; includeSubDomains")


def test_what_pages_keep_in_a_browser_is_known():
    """Choices of a person, and nothing of a patient: a new script that keeps something is looked at first."""
    keeps = re.compile(r"(local|session)Storage|indexedDB|document\.cookie\s*=|caches\.(open|put)")
    scripts = [script for script in (ROOT / "static").glob("*.js") if "min" not in script.name]

    assert {script.name for script in scripts if keeps.search(script.read_text())} == KEPT
