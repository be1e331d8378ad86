"""The API's description as a page: drawn without the internet, and to be tried by who is signed in."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from medql.schema import document
from tests.browser.desk import Desk, keep
from tests.live.processes import Server, running

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as server:
        yield server


def test_every_operation_is_shown_and_nothing_comes_from_elsewhere(browser, server, noor):
    desk, asked = Desk(browser, server), []
    desk.page.on("request", lambda request: asked.append(request.url))

    desk.page.goto(f"{server.url}/docs")

    told = sum(len(methods) for methods in document()["paths"].values())
    expect(desk.page.locator(".opblock")).to_have_count(told)
    assert desk.page.url.endswith("/api/docs")
    assert [url for url in asked if not url.startswith((server.url, "data:"))] == []
    assert desk.complaints == []
    keep(desk, "docs")


def test_who_is_signed_in_may_try_it(browser, server, ada, noor):
    desk = Desk(browser, server).sign_in("noor")
    desk.page.goto(f"{server.url}/api/docs")
    limits = desk.page.locator("#operations-Limits-patient_limits")
    limits.locator(".opblock-summary-control").click()
    limits.get_by_role("button", name="Try it out").click()
    limits.get_by_placeholder("patient_id").fill("P-ADA")

    limits.get_by_role("button", name="Execute").click()

    expect(limits.locator(".live-responses-table .response .response-col_status")).to_contain_text("200")
    expect(limits.locator(".live-responses-table")).to_contain_text("critical_low")


def test_what_changes_something_is_tried_with_the_page_s_token(browser, server, ada, noor):
    desk = Desk(browser, server).sign_in("noor")
    desk.page.goto(f"{server.url}/api/docs")
    preview = desk.page.locator("#operations-Limits-preview_limits")
    preview.locator(".opblock-summary-control").click()
    preview.get_by_role("button", name="Try it out").click()
    preview.locator("textarea.body-param__text").fill('{"patient_id": "P-ADA", "hours": 1, "limits": []}')

    preview.get_by_role("button", name="Execute").click()

    expect(preview.locator(".live-responses-table .response .response-col_status")).to_contain_text("200")


def test_an_opened_operation_is_read_on_a_telephone(browser, server, noor):
    desk = Desk(browser, server, 390, 844)
    desk.page.goto(f"{server.url}/api/docs")

    desk.page.locator("#operations-Alerts-alerts .opblock-summary-control").click()

    expect(desk.page.locator(".opblock-body .responses-table").first).to_be_visible()
    assert desk.too_wide() == []


@pytest.mark.parametrize("shade", ["dark", "light"])
def test_it_is_as_dark_as_the_device_wants_it(browser, server, noor, shade):
    desk = Desk(browser, server)
    desk.page.emulate_media(color_scheme=shade)

    desk.page.goto(f"{server.url}/api/docs")

    expect(desk.page.locator(".opblock").first).to_be_visible(timeout=20_000)
    ink = desk.page.locator(".opblock-summary-path").first.evaluate("one => getComputedStyle(one).color")
    assert (sum(int(part) for part in re.findall(r"\d+", ink)[:3]) > 3 * 128) == (shade == "dark")
