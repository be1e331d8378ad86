"""A nurse in a real browser: she signs in, sees the ward change, takes an alert; a colleague sees that she did."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect, sync_playwright

from accounts.models import Membership
from tests.conftest import PASSWORD
from tests.live.processes import Server, running
from tests.strictness import chromium
from tests.world import item

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _slow_hash_of_the_server(settings):
    """The server process knows the real hasher only."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as play:
        # Playwright's sync API runs in a loop of its own; Django would take that for an async caller.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        chrome = play.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield chrome
        chrome.close()


class Desk:
    """A browser of one person, with what its console said."""

    def __init__(self, browser: Browser, server: Server, width: int = 1600, height: int = 900) -> None:
        self.server = server
        self.page: Page = browser.new_context(viewport={"width": width, "height": height}).new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def sign_in(self, login: str) -> Desk:
        self.page.goto(self.server.url)
        self.page.get_by_label("Login or e-mail").fill(login)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.locator("#link")).to_have_text("LIVE")
        return self

    def tile(self, bed: str):
        return self.page.get_by_role("article", name=f"Bed {bed}")


def send(server: Server, monitor, *items: dict) -> None:
    status, _ = server.post("/api/v1/vitals", json.dumps(items).encode(), **{"X-API-Key": monitor.key})
    assert status == 202


def test_a_nurse_watches_takes_an_alert_and_a_colleague_sees_it(browser, noor, dora, ada, gateway):
    now = timezone.now()
    with running() as server:
        nurse = Desk(browser, server).sign_in("noor")
        doctor = Desk(browser, server).sign_in("dora@example.org")
        nurse.page.evaluate("window.samePage = true")

        send(server, gateway, item(ada, now, heart_rate=77, spo2=96))
        expect(nurse.tile("N1").locator(".heart_rate .value")).to_have_text("77")

        send(server, gateway, item(ada, now + timedelta(seconds=1), heart_rate=78, spo2=84))
        alert = nurse.tile("N1").locator(".alert")
        expect(alert).to_contain_text("SpO₂ 84 < 85 %")
        expect(nurse.tile("N1").locator("> header .severity")).to_have_text("critical")
        expect(nurse.page.locator("#rail")).to_contain_text("SpO₂ 84 < 85 %")

        nurse.page.get_by_role("button", name="Acknowledge SpO₂ 84 < 85 %").click()
        expect(alert).to_contain_text("taken by Noor")
        expect(doctor.tile("N1").locator(".alert")).to_contain_text("taken by Noor")

        send(server, gateway, item(ada, now + timedelta(seconds=2), heart_rate=79, spo2=97))
        expect(nurse.tile("N1").locator(".alert")).to_have_count(0)
        assert nurse.page.evaluate("window.samePage") is True
        assert nurse.complaints + doctor.complaints == []


def test_a_board_that_lost_its_server_says_so_and_recovers(browser, noor, ada, gateway):
    with running() as server:
        nurse = Desk(browser, server).sign_in("noor")
        send(server, gateway, item(ada, heart_rate=77))
        expect(nurse.tile("N1").locator(".heart_rate .value")).to_have_text("77")
        server.kill()

        expect(nurse.page.locator("#link")).to_have_text("LINK LOST")
        expect(nurse.page.get_by_role("alert")).to_contain_text("Look at the bedside monitors")

        with running(port=server.port) as back:
            send(back, gateway, item(ada, heart_rate=78))
            expect(nurse.page.locator("#link")).to_have_text("LIVE", timeout=15_000)
            expect(nurse.tile("N1").locator(".heart_rate .value")).to_have_text("78")


def test_a_server_that_hangs_is_noticed_as_well(browser, noor, ada, gateway):
    with running() as server:
        nurse = Desk(browser, server).sign_in("noor")
        server.freeze()

        expect(nurse.page.locator("#link")).to_have_text("LINK LOST", timeout=12_000)


def test_old_values_grey_and_say_how_old_they_are_even_without_a_server(browser, noor, ada, gateway):
    with running() as server:
        nurse = Desk(browser, server).sign_in("noor")
        now = timezone.now()
        send(server, gateway, *(item(ada, now - timedelta(seconds=second), heart_rate=77) for second in (22, 21, 20)))
        expect(nurse.tile("N1").locator(".silent")).to_be_hidden()
        server.kill()

        expect(nurse.tile("N1").locator(".silent")).to_be_visible(timeout=15_000)
        expect(nurse.tile("N1").locator(".silent")).to_contain_text("no reading for 3")
        expect(nurse.tile("N1")).to_contain_class("old")
        expect(nurse.tile("N1").locator(".heart_rate time")).to_contain_text("s")


def test_a_sign_that_stopped_greys_while_the_others_go_on(browser, noor, ada, gateway):
    now = timezone.now()
    with running() as server:
        send(server, gateway, *(item(ada, now - timedelta(seconds=second), spo2=96) for second in (60, 59, 58)))
        send(server, gateway, item(ada, heart_rate=77))
        nurse = Desk(browser, server).sign_in("noor")

        expect(nurse.tile("N1").locator(".spo2")).to_contain_class("old")
        expect(nurse.tile("N1").locator(".heart_rate")).not_to_contain_class("old")
        expect(nurse.tile("N1").locator(".silent")).to_be_hidden()


def test_taking_what_has_risen_shows_the_present_alert_instead(browser, noor, ada, gateway):
    now = timezone.now()
    with running() as server:
        send(server, gateway, item(ada, now, spo2=88))
        nurse = Desk(browser, server).sign_in("noor")
        expect(nurse.tile("N1").locator(".alert")).to_contain_text("SpO₂ 88")
        button = nurse.page.get_by_role("button", name="Acknowledge SpO₂ 88 < 90 %")
        # The page is cut off while the patient gets worse, and the nurse presses what she still sees.
        nurse.page.evaluate("document.querySelector('.ward')._htmx.ws.connection.socket.close = () => {}")
        nurse.page.evaluate("document.querySelector('.ward')._htmx.ws.connection.abortController.abort()")
        send(server, gateway, item(ada, now + timedelta(seconds=1), spo2=80))

        button.click()

        expect(nurse.tile("N1").locator(".alert")).to_contain_text("SpO₂ 80 < 85 %")
        expect(nurse.tile("N1").locator(".alert .acknowledge")).to_be_visible()


def test_focus_stays_on_the_button_while_the_tile_is_redrawn(browser, noor, ada, gateway):
    now = timezone.now()
    with running() as server:
        send(server, gateway, item(ada, now, spo2=84))
        nurse = Desk(browser, server).sign_in("noor")
        nurse.tile("N1").locator(".acknowledge").focus()

        send(server, gateway, item(ada, now + timedelta(seconds=1), spo2=83))
        expect(nurse.tile("N1").locator(".spo2 .value")).to_have_text("83")

        assert nurse.page.evaluate("document.activeElement.className") == "acknowledge"


def test_on_a_phone_nothing_runs_off_the_side(browser, noor, ada, ben, south, gateway):
    Membership.objects.create(user=noor, ward=south, role="nurse")
    now = timezone.now()
    values = {"heart_rate": 188, "spo2": 84, "systolic_bp": 188, "diastolic_bp": 122, "mean_bp": 144, "body_temp": 39.95}
    with running() as server:
        send(server, gateway, item(ada, now, **values), item(ben, now, **values))
        nurse = Desk(browser, server, width=390, height=844).sign_in("noor")

        expect(nurse.tile("N1").locator(".acknowledge").first).to_be_visible()
        assert nurse.page.evaluate("document.documentElement.scrollWidth") <= 390
        wider = nurse.page.evaluate(
            "[...document.querySelectorAll('.sign')].filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.className)"
        )
        assert wider == []


def test_a_viewer_sees_no_button(browser, vera, ada, gateway):
    with running() as server:
        send(server, gateway, item(ada, spo2=84))
        viewer = Desk(browser, server).sign_in("vera")

        expect(viewer.tile("N1").locator(".alert")).to_contain_text("SpO₂ 84")
        expect(viewer.tile("N1").locator(".acknowledge")).to_be_hidden()
