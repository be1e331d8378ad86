"""A nurse in a real browser: she signs in, sees the ward change, takes an alert; a colleague sees that she did."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Membership
from tests.browser.desk import Desk, send
from tests.live.processes import running, watching
from tests.world import item

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


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
            expect(nurse.page.locator("#link")).to_have_text("LIVE")
            expect(nurse.tile("N1").locator(".heart_rate .value")).to_have_text("78")


def test_without_a_link_nothing_is_sent_and_the_buttons_say_so(browser, noor, ada, gateway):
    with running() as server:
        send(server, gateway, item(ada, spo2=84))
        nurse = Desk(browser, server).sign_in("noor")
        button = nurse.tile("N1").locator(".acknowledge")
        expect(button).not_to_have_attribute("aria-disabled", "true")
        server.kill()

        expect(button).to_have_attribute("aria-disabled", "true")
        expect(button).to_have_attribute("title", "link lost: not sent")
        sent: list[str] = []
        nurse.page.on("request", lambda request: sent.append(request.url) if "/alerts/" in request.url else None)
        button.click(force=True)
        assert sent == []

        with running(port=server.port):
            expect(nurse.page.locator("#link")).to_have_text("LIVE")
            expect(button).not_to_have_attribute("aria-disabled", "true")
            button.click()
            expect(nurse.tile("N1").locator(".alert")).to_contain_text("taken by Noor")


def test_a_server_that_hangs_is_noticed_as_well(browser, noor, ada, gateway):
    with running() as server:
        nurse = Desk(browser, server).sign_in("noor")
        server.freeze()

        expect(nurse.page.locator("#link")).to_have_text("LINK LOST")


def test_old_values_grey_and_say_how_old_they_are_even_without_a_server(browser, noor, ada, gateway):
    with running() as server:
        nurse = Desk(browser, server).sign_in("noor")
        now = timezone.now()
        send(server, gateway, *(item(ada, now - timedelta(seconds=second), heart_rate=77) for second in (2, 1, 0)))
        expect(nurse.tile("N1").locator(".heart_rate .value")).to_have_text("77")
        expect(nurse.tile("N1").locator(".silent")).to_be_hidden()
        server.kill()
        expect(nurse.page.locator("#link")).to_have_text("LINK LOST")

        nurse.later(600)

        expect(nurse.tile("N1").locator(".silent")).to_be_visible()
        expect(nurse.tile("N1").locator(".silent")).to_contain_text("no reading for 10 min")
        expect(nurse.tile("N1")).to_contain_class("old")
        expect(nurse.tile("N1").locator(".heart_rate time")).to_have_text("10 min")


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
        number = nurse.tile("N1").locator(".patient-id")
        expect(number).to_have_text(ada.patient_id)
        assert number.evaluate("e => e.getBoundingClientRect().width > 0 && e.scrollWidth <= e.clientWidth + 1")
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


def test_a_board_says_when_nobody_watches_and_when_somebody_does_again(browser, noor, ada):
    with running(MEDQL_WATCH="false") as server:
        nurse = Desk(browser, server).sign_in("noor")
        banner = nurse.page.locator("#unwatched")
        expect(banner).to_contain_text("NO WATCHER: delayed alarms")  # as soon as the page is there: none has ever beaten

        with watching():
            expect(banner).to_be_hidden()
            nurse.page.reload()
            expect(nurse.page.locator("#link")).to_have_text("LIVE")
            expect(banner).to_be_hidden()

        expect(banner).to_contain_text("NO WATCHER for")
        expect(banner).to_contain_text("look at the bedside monitors")
        expect(nurse.page.locator("#link")).to_have_text("LIVE")
        nurse.page.reload()
        expect(banner).to_contain_text("NO WATCHER for")

        with watching():
            expect(banner).to_be_hidden()
