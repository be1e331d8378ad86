"""A patient presses Help: he reads that it was sent, or that it was not; the ward sees who calls, and from which bed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, expect

from accounts.models import Session
from tests.access.actors import patient_herself
from tests.browser.desk import Desk, keep, send
from tests.conftest import PASSWORD
from tests.live.processes import Server, running
from tests.world import item

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIZES = {"desk": (1280, 800), "phone": (390, 844)}


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as process:
        yield process


@pytest.fixture(params=SIZES)
def bedside(request: pytest.FixtureRequest, browser: Browser, server: Server, ada, gateway) -> Desk:
    """Ada's own page, on a tablet and on a phone."""
    patient_herself(ada)
    send(server, gateway, item(ada, heart_rate=77, spo2=96))
    desk = Desk(browser, server, *SIZES[request.param])
    sign_in(desk.page, server)
    return desk


def sign_in(page: Page, server: Server) -> None:
    page.goto(server.url)
    page.get_by_label("Login or e-mail").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="My values")).to_be_visible()
    page.wait_for_load_state()  # with its script


def alert(desk: Desk, words: str) -> Locator:
    """One of what the page says in red; it asks every 15 s whether a call could be sent, and says that as well."""
    return desk.page.get_by_role("alert").filter(has_text=words)


def see(desk: Desk, name: str) -> None:
    assert desk.too_wide() == []
    keep(desk, f"{name}-{desk.page.viewport_size['width']}", whole=True)


def test_she_reads_that_it_was_sent_and_the_ward_sees_who_calls(browser, server, bedside, noor):
    nurse = Desk(browser, server).sign_in("noor")
    see(bedside, "help-calm")

    bedside.page.get_by_role("button", name="Help").click()

    expect(bedside.page.get_by_role("status")).to_contain_text("Your call was sent at")
    see(bedside, "help-sent")
    tile = nurse.tile("N1")
    expect(tile.locator(".alert .message")).to_contain_text("Emergency Help Request")
    expect(tile.locator(".patient")).to_contain_text("Ada Byron")
    expect(nurse.page.locator("#rail")).to_contain_text("Emergency Help Request")
    keep(nurse, "help-board")
    assert bedside.complaints == []

    tile.get_by_role("button", name="Acknowledge").click()
    expect(tile.get_by_role("button", name="Acknowledge")).to_have_count(0)
    expect(bedside.page.get_by_role("status")).to_contain_text("Your call was seen at")
    see(bedside, "help-seen")


def test_without_the_server_she_reads_that_it_was_not_sent(server, bedside):
    server.kill()

    bedside.page.get_by_role("button", name="Help").click()

    expect(alert(bedside, "Your call was NOT sent.")).to_be_visible()
    expect(bedside.page.get_by_role("button", name="Help")).to_be_enabled()
    see(bedside, "help-unsent")


def test_signed_out_by_a_long_rest_she_reads_that_it_was_not_sent(bedside):
    Session.objects.update(seen_at=timezone.now() - timedelta(minutes=16))

    bedside.page.get_by_role("button", name="Help").click()

    expect(alert(bedside, "Your call was NOT sent.")).to_be_visible()


def test_a_page_from_which_no_call_would_leave_says_so_before_one_presses(bedside):
    Session.objects.update(seen_at=timezone.now() - timedelta(minutes=16))

    expect(alert(bedside, "Help cannot be called from here now.")).to_be_visible()
    see(bedside, "help-cut-off")


def test_without_script_it_is_sent_as_well(browser, server, ada):
    patient_herself(ada)
    page = browser.new_context(java_script_enabled=False).new_page()
    sign_in(page, server)

    page.get_by_role("button", name="Help").click()

    expect(page.get_by_role("status")).to_contain_text("Your call was sent at")
