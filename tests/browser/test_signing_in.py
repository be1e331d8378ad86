"""Signing in as people do it: after a break, with a telephone in hand, with a password forgotten; on desks and on phones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from accounts import links
from accounts.models import Session, Ward
from tests.access.authenticator import Authenticator
from tests.browser.desk import Desk, keep
from tests.conftest import PASSWORD
from tests.live.processes import Server, running, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIZES = {"desk": (1280, 800), "phone": (390, 844)}
NEW = "another sentence of mine"


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as process:
        yield process


@pytest.fixture(params=SIZES)
def desk(request: pytest.FixtureRequest, browser: Browser, server: Server) -> Desk:
    """A browser, and nothing of its pages runs off its side."""
    return Desk(browser, server, *SIZES[request.param])


def see(desk: Desk, name: str) -> None:
    assert desk.too_wide() == []
    keep(desk, f"{name}-{desk.page.viewport_size['width']}", whole=True)


def fill(page: Page, login: str = "noor", password: str = PASSWORD) -> None:
    page.get_by_label("Login or e-mail").fill(login)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_after_a_break_the_door_says_why_and_leads_back(desk, noor):
    page = desk.page
    page.goto(f"{desk.server.url}/notices/")
    see(desk, "sign-in-calm")
    fill(page)
    expect(page.get_by_role("heading", name="Notices")).to_be_visible()

    Session.objects.update(seen_at=timezone.now() - timedelta(minutes=16))
    page.reload()

    expect(page.get_by_text("nobody used this screen")).to_be_visible()
    see(desk, "sign-in-idle")
    fill(page)
    expect(page.get_by_role("heading", name="Notices")).to_be_visible()
    assert desk.complaints == []


def test_who_is_shut_out_is_told_when_to_come_back(desk, noor):
    page = desk.page
    page.goto(desk.server.url)
    for _ in range(4):
        fill(page, password="a wrong password")
        expect(page.get_by_text("do not belong together")).to_be_visible()
    see(desk, "sign-in-wrong")

    fill(page, password="a wrong password")

    expect(page.get_by_text("Try again in 15 min")).to_be_visible()
    see(desk, "sign-in-shut-out")


def test_a_second_factor_is_set_up_shown_and_seen_in_the_account(desk, noor, north):
    Ward.objects.update(second_factor=True)
    page = desk.page
    page.goto(f"{desk.server.url}/accounts/me/")
    fill(page)
    expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    see(desk, "second-factor")
    phone = Authenticator(page.locator("figcaption code").inner_text().replace(" ", ""))

    page.get_by_label("Code").fill(phone.code(timezone.now()))
    page.get_by_role("button", name="Take it").click()
    expect(page.locator(".codes li")).to_have_count(10)
    see(desk, "recovery-codes")
    page.get_by_role("link", name="go on").click()
    expect(page.get_by_role("heading", name="My account")).to_be_visible()
    see(desk, "account")

    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{desk.server.url}/accounts/me/")
    fill(page)
    see(desk, "code")
    page.get_by_label("Code").fill(phone.code(timezone.now() + timedelta(seconds=30)))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="My account")).to_be_visible()
    assert desk.complaints == []


def test_a_link_leads_to_another_password(desk, noor):
    page = desk.page
    page.goto(f"{desk.server.url}/accounts/login/")
    page.get_by_role("link", name="Forgotten your password?").click()
    expect(page.get_by_text("An administrator gives you a link")).to_be_visible()
    see(desk, "forgotten")

    page.goto(f"{desk.server.url}/accounts/link/{links.make(noor, by=None, at=timezone.now())}")
    assert page.url == f"{desk.server.url}/accounts/link/"
    see(desk, "choose-password")
    page.get_by_label("New password", exact=True).fill("password2026!")
    page.get_by_label("New password again").fill("password2026!")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_text("common word")).to_be_visible()
    see(desk, "choose-password-refused")
    page.get_by_label("New password", exact=True).fill(NEW)
    page.get_by_label("New password again").fill(NEW)
    page.get_by_role("button", name="Set the password").click()
    see(desk, "password-set")
    page.get_by_role("link", name="Sign in").click()
    fill(page, password=NEW)

    expect(page.locator("#link")).to_be_visible()


def test_another_place_is_signed_out_from_here(browser, server, noor):
    here, there = Desk(browser, server), Desk(browser, server).sign_in("noor")
    here.sign_in("noor")
    here.page.goto(f"{server.url}/accounts/me/")
    expect(here.page.locator(".seats li")).to_have_count(2)

    here.page.get_by_role("button", name="End it").click()
    expect(here.page.locator(".seats li")).to_have_count(1)
    there.page.goto(f"{server.url}/notices/")

    expect(there.page.get_by_text("signed out from another one")).to_be_visible()


def test_a_hand_on_the_pointer_keeps_one_signed_in_and_a_page_that_reloads_does_not(browser, server, noor):
    desk = Desk(browser, server).sign_in("noor")
    told: list[str] = []
    desk.page.on("request", lambda request: told.append(request.url) if request.url.endswith("/accounts/here") else None)
    before = timezone.now() - timedelta(minutes=5)
    Session.objects.update(seen_at=before)

    desk.page.goto(f"{server.url}/notices/")
    desk.page.reload()
    assert told == []
    assert Session.objects.get(user=noor).seen_at == before

    desk.page.mouse.move(100, 100)
    desk.page.mouse.move(200, 200)
    wait_until(lambda: Session.objects.get(user=noor).seen_at > before, "it is noted that she is there")
    desk.page.reload()
    desk.page.mouse.move(300, 300)

    assert len(told) == 1
    assert desk.complaints == []


def test_who_signed_out_cannot_go_back_to_the_page(browser, server, noor):
    desk = Desk(browser, server).sign_in("noor")
    desk.page.goto(f"{server.url}/accounts/me/")
    desk.page.get_by_role("button", name="Sign out").click()
    expect(desk.page.get_by_label("Password")).to_be_visible()

    desk.page.go_back()

    expect(desk.page.get_by_label("Password")).to_be_visible()
    assert "noor@example.org" not in desk.page.content()
