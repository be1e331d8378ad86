"""A board whose person is gone goes on in place without names; a wall never had any."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts import keys
from accounts.models import Device, Membership, Session
from tests.browser.desk import Desk, keep, send
from tests.conftest import PASSWORD
from tests.live.processes import running
from tests.world import item

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_board_that_nobody_uses_loses_its_names_in_place_and_goes_on(browser, noor, ada, gateway):
    with running() as server:
        nurse = Desk(browser, server).sign_in("noor")
        send(server, gateway, item(ada, heart_rate=77, spo2=84))
        menu = nurse.menu(nurse.tile("N1").locator(".alert").first)
        expect(menu).to_be_visible()
        nurse.page.evaluate("window.samePage = true")

        Session.objects.update(seen_at=timezone.now() - timedelta(minutes=16))

        expect(nurse.page.locator("body")).to_have_attribute("data-face", "kiosk")
        expect(nurse.tile("N1").locator(".patient")).to_have_text("A. B.")
        assert nurse.page.evaluate("window.samePage") is True
        text = nurse.page.locator("body").inner_text()
        assert [word for word in ("Ada Byron", "P-ADA", "Noor", "Sign out", "Acknowledge") if word in text] == []
        expect(nurse.page.get_by_text("nobody is signed in")).to_be_visible()
        send(server, gateway, item(ada, heart_rate=78, spo2=83))
        expect(nurse.tile("N1").locator(".heart_rate .value")).to_have_text("78")
        expect(nurse.page.locator("#link")).to_have_text("LIVE")
        keep(nurse, "faded-desk")

        nurse.page.get_by_role("link", name="Sign in").click()
        nurse.page.get_by_label("Login or e-mail").fill("noor")
        nurse.page.get_by_label("Password").fill(PASSWORD)
        nurse.page.get_by_role("button", name="Sign in").click()
        expect(nurse.tile("N1").locator(".patient")).to_contain_text("Ada Byron")
        expect(nurse.tile("N1").get_by_role("button", name="Acknowledge").first).to_be_visible()


def test_who_signs_out_elsewhere_leaves_a_board_that_says_so(browser, noor, ada):
    with running() as server:
        nurse = Desk(browser, server).sign_in("noor")
        other = nurse.page.context.new_page()
        other.goto(server.url)

        other.get_by_role("button", name="Sign out").click()

        expect(nurse.page.locator("#blind")).to_contain_text("SIGNED OUT")


def test_who_becomes_a_viewer_has_no_buttons_any_more(browser, noor, ada, gateway):
    with running() as server:
        send(server, gateway, item(ada, spo2=84))
        nurse = Desk(browser, server).sign_in("noor")
        expect(nurse.tile("N1").get_by_role("button", name="Acknowledge").first).to_be_visible()

        Membership.objects.update(role="viewer")

        expect(nurse.page.locator("body")).to_have_attribute("data-may", "")
        expect(nurse.tile("N1").locator(".patient")).to_contain_text("Ada Byron")
        expect(nurse.tile("N1").get_by_role("button", name="Acknowledge")).to_have_count(0)


def test_a_wall_is_set_up_by_its_key_and_shows_the_ward(browser, north, ada, gateway):
    device = Device.objects.create(name="WALL-N", kind=Device.Kind.KIOSK)
    device.wards.add(north)
    with running() as server:
        wall = Desk(browser, server, 1920, 1080)
        wall.page.goto(f"{server.url}/accounts/kiosk/")
        keep(wall, "kiosk-setup")
        wall.page.get_by_label("Key of the kiosk").fill(keys.issue(device))
        wall.page.get_by_role("button", name="Make this browser a kiosk").click()
        expect(wall.page.locator("#link")).to_have_text("LIVE")

        send(server, gateway, item(ada, heart_rate=77, spo2=84))

        expect(wall.page.locator("#rail")).to_contain_text("SpO₂ 84 < 85 %")
        text = wall.page.locator("body").inner_text()
        assert [word for word in ("Ada Byron", "P-ADA", "Acknowledge", "Sign out") if word in text] == []
        assert "A. B." in text
        keep(wall, "kiosk-wall")
        wall.page.set_viewport_size({"width": 390, "height": 844})
        assert wall.too_wide() == []
        keep(wall, "kiosk-phone")
        assert wall.complaints == []


def test_an_emergency_leads_to_the_other_ward_and_is_never_out_of_sight(browser, eve, ada, south):
    with running() as server:
        nurse = Desk(browser, server).sign_in("eve")
        nurse.page.get_by_role("link", name="Emergency").click()
        keep(nurse, "emergency-form")
        nurse.page.get_by_label("Ward").select_option("north")
        nurse.page.get_by_label("Reason").fill("cardiac arrest in N1")
        nurse.page.get_by_role("button", name="Enter the ward").click()

        expect(nurse.tile("N1").locator(".patient")).to_contain_text("Ada Byron")
        expect(nurse.page.get_by_text("Emergency access until")).to_be_visible()
        keep(nurse, "emergency-board")
        nurse.page.get_by_role("button", name="Leave this ward").click()
        expect(nurse.page.get_by_role("heading", name="South")).to_be_visible()
        assert nurse.complaints == []
