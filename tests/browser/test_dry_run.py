"""An administrator tries limits before saving them, in a real browser."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.db import connections
from playwright.sync_api import Browser, Page, expect

from monitoring.models import Threshold
from tests.admin.pages import address
from tests.conftest import signed_in
from tests.live.processes import running
from tests.world import series, unscored

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PICTURES = os.environ.get("MEDQL_PICTURES")  # a folder: pictures of the pages are left there


@pytest.fixture
def session(root) -> str:
    """The administrator's, who has signed in."""
    return signed_in(root).cookies["sessionid"].value


@pytest.fixture(autouse=True)
def day(ada, ben, gateway, now) -> None:
    """Ada desaturates three times, once critically; Ben does not."""
    unscored(ada)
    depths = [96] * 40 + [87] * 12 + [96] * 80 + [82] * 12 + [96] * 80 + [88] * 12 + [96] * 80
    start = now - timedelta(hours=2)

    def pass_by() -> None:
        for place in range(0, len(depths), 20):
            part = start + timedelta(seconds=5 * place)
            with time_machine.travel(part + timedelta(seconds=100), tick=False):
                gateway.post(series(ada, part, [{"spo2": value} for value in depths[place : place + 20]], every=5))
                gateway.post(series(ben, part, [{"spo2": 97}] * 20, every=5))
        connections.close_all()

    # In a thread: where another module's browser is open, this one has a loop running, and nothing could be published from it.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(pass_by).result()


def opened(browser: Browser, server, session: str, path: str, width: int) -> Page:
    context = browser.new_context(viewport={"width": width, "height": 900})
    context.add_cookies([{"name": "sessionid", "value": session, "url": server.url}])
    page = context.new_page()
    page.goto(server.url + path)
    return page


def fill(page: Page, prefix: str, **values: str) -> None:
    page.locator(f"#{prefix}sign").select_option("spo2")
    for name, value in values.items():
        page.locator(f"#{prefix}{name}").fill(value)


def ask(page: Page):
    page.get_by_role("button", name="Dry run").click()
    return page.locator(".dry-run-answer")


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("width", [1400, 390])
def test_a_patients_limits_are_tried_before_they_are_saved(browser, session, ada, width):
    with running() as server:
        page = opened(browser, server, session, address(type(ada), "change", ada.pk), width)
        page.locator("#thresholds-group .add-row a").click()
        fill(page, "id_thresholds-0-", critical_low="80", warning_low="85")

        answer = ask(page)

        expect(answer).to_contain_text("2 critical calls that would be lost")
        expect(answer.locator(".dry-run-lost tbody tr")).to_contain_text(["N1 P-ADA"])
        expect(answer.locator(".dry-run-lost tbody tr")).to_contain_text(["82 (limit 85)"])
        picture(page, f"patient-{width}")
        assert answer.evaluate("answer => answer.getBoundingClientRect().right") <= width
        assert not Threshold.objects.exists()


def test_what_cannot_be_set_is_said_at_its_field(browser, session, ada):
    with running() as server:
        page = opened(browser, server, session, address(type(ada), "change", ada.pk), 1400)
        page.locator("#thresholds-group .add-row a").click()
        fill(page, "id_thresholds-0-", critical_low="90", warning_low="80", delay="40")

        expect(ask(page)).to_contain_text("These limits cannot be set so.")

        errors = page.locator(".dry-run-error")
        expect(errors).to_have_text([re.compile("must lie inside the critical one"), re.compile("is 0 to 30 whole seconds")])
        assert errors.evaluate_all("errors => errors.map(e => e.nextElementSibling.id)") == [
            "id_thresholds-0-warning_low",
            "id_thresholds-0-delay",
        ]
        picture(page, "refused")
        fill(page, "id_thresholds-0-", critical_low="80", delay="15", warning_low="86")
        expect(ask(page)).to_contain_text("Calls saved")
        expect(errors).to_have_count(0)


@pytest.mark.parametrize("width", [1400, 390])
def test_a_ward_and_the_hospital_are_tried_on_a_ward(browser, session, north, width):
    with running() as server:
        page = opened(browser, server, session, address(type(north), "change", north.pk), width)
        page.locator("#thresholds-group .add-row a").click()
        fill(page, "id_thresholds-0-", critical_low="85", warning_low="98")
        expect(ask(page)).to_contain_text("2 patients")
        expect(page.locator(".dry-run-answer")).to_contain_text(re.compile("Calls added[1-9]"))
        picture(page, f"ward-{width}")

        page = opened(browser, server, session, address(Threshold, "add"), width)
        fill(page, "id_", critical_low="85", warning_low="98")
        expect(ask(page)).to_contain_text(re.compile("Calls added[1-9]"))
        picture(page, f"hospital-{width}")


def test_a_line_that_is_to_be_deleted_is_tried_without_it(browser, session, ada):
    Threshold.objects.create(scope_key=f"patient:{ada.pk}", patient=ada, sign="spo2", critical_low=80, warning_low=85)
    with running() as server:
        page = opened(browser, server, session, address(type(ada), "change", ada.pk), 1400)
        page.locator("#id_thresholds-0-DELETE").check()

        expect(ask(page)).to_contain_text("Excursions told for the first time1 critical, 1 warning")
