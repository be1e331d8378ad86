"""What a nurse does with an alert in a real browser, and that nothing jumps, closes or is lost while the ward goes on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from monitoring.models import WardRules
from tests.browser.desk import Desk, keep, send
from tests.live.processes import running
from tests.world import item, one_after_the_other, unscored

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MIDST = timedelta(seconds=1)
FULL = {"heart_rate": 72, "spo2": 84, "respiratory_rate": 22, "systolic_bp": 124, "mean_bp": 92, "diastolic_bp": 76}


@pytest.fixture
def server(ada, gateway):
    with running() as server:
        yield server


def low(ada, at, spo2=84, **values):
    return item(ada, at, spo2=spo2, **values)


def test_one_hand_takes_several_signs_at_once(browser, server, noor, ada, gateway):
    start = timezone.now() - timedelta(seconds=60)
    unscored(ada)
    send(server, gateway, *(low(ada, start + second * MIDST, 82, heart_rate=150) for second in range(40)))
    nurse = Desk(browser, server).sign_in("noor")
    bundle = nurse.tile("N1").locator(".alert.bundle")
    expect(bundle.locator("> .what .message")).to_contain_text("2 signs at once: HR 150 · SpO₂ 82")
    bundle.locator("> .fold > summary").click()
    expect(bundle.locator(".members .message")).to_have_text(["HR 150 > 140 /min", "SpO₂ 82 < 85 %"])

    bundle.locator("> .hand .acknowledge").click()

    expect(bundle.locator("> .what .states")).to_contain_text("taken by Noor")
    expect(bundle.locator(".members .taken-by")).to_have_text(["taken by Noor", "taken by Noor"])
    assert nurse.complaints == []


def test_a_returned_alert_ends_when_it_is_taken(browser, server, noor, ada, gateway):
    now = timezone.now()
    send(server, gateway, low(ada, now), low(ada, now + MIDST, 97))
    nurse = Desk(browser, server).sign_in("noor")
    alert = nurse.tile("N1").locator(".alert")
    expect(alert).to_contain_class("returned")
    expect(alert).to_contain_text("no longer low")
    assert alert.evaluate("e => getComputedStyle(e).animationName") == "none"

    alert.locator(".acknowledge").click()

    expect(nurse.tile("N1").locator(".alert")).to_have_count(0)
    expect(nurse.page.locator("#rail")).to_contain_text("No open alert")


def test_what_was_resolved_comes_back_while_it_is_there(browser, server, noor, ada, gateway):
    now = timezone.now()
    send(server, gateway, low(ada, now))
    nurse = Desk(browser, server).sign_in("noor")
    deeds = nurse.menu(nurse.tile("N1").locator(".alert"))
    deeds.get_by_label("Note", exact=True).fill("moved the probe")
    deeds.get_by_role("button", name="Resolve").click()
    expect(nurse.tile("N1").locator(".alert")).to_have_count(0)

    send(server, gateway, low(ada, now + MIDST, 83))

    expect(nurse.tile("N1").locator(".alert.raised")).to_contain_text("resolved by Noor")
    assert nurse.complaints == []


def test_a_silence_shows_until_when(browser, server, noor, ada, north, gateway):
    WardRules.objects.create(ward=north, longest_silence=5)
    send(server, gateway, low(ada, timezone.now()))
    nurse = Desk(browser, server).sign_in("noor")
    alert = nurse.tile("N1").locator(".alert")
    deeds = nurse.menu(alert)
    expect(deeds.locator(".silence-form button")).to_have_text(["2 min", "5 min"])
    keep(nurse, "menu-desk")

    deeds.get_by_role("button", name="5 min").click()

    expect(alert).to_contain_text("sound off until")
    expect(alert).to_contain_class("raised")
    expect(nurse.page.locator("#rail")).to_contain_text("sound off until")
    expect(deeds).to_be_hidden()
    assert alert.get_attribute("data-silenced-until") != ""
    expect(alert.locator(".silence")).to_be_visible()
    server.kill()  # so that nothing is drawn anew
    expect(nurse.page.locator("#link")).to_have_text("LINK LOST")

    nurse.later(5 * 60)

    expect(alert.locator(".silence")).to_be_hidden()


def test_near_the_lower_edge_the_menu_opens_upwards_and_stays_there(browser, server, noor, ada, gateway):
    now = timezone.now()
    send(server, gateway, low(ada, now, heart_rate=72))
    nurse = Desk(browser, server).sign_in("noor")
    alert = nurse.tile("N1").locator(".alert")
    down = nurse.menu(alert).bounding_box()
    assert down["y"] >= alert.bounding_box()["y"]
    expect(nurse.menu(alert)).to_be_hidden()
    nurse.page.locator(".ward").evaluate("ward => (ward.style.paddingTop = '24rem')")
    nurse.page.set_viewport_size({"width": 1600, "height": int(alert.bounding_box()["y"]) + 80})

    deeds = nurse.menu(alert)

    expect(deeds).to_be_in_viewport(ratio=1)
    send(server, gateway, low(ada, now + MIDST, heart_rate=73))
    expect(nurse.tile("N1").locator(".heart_rate .value")).to_have_text("73")
    expect(deeds).to_be_in_viewport(ratio=1)


def test_the_menu_works_with_the_keyboard(browser, server, noor, ada, gateway):
    send(server, gateway, low(ada, timezone.now()))
    nurse = Desk(browser, server).sign_in("noor")
    alert = nurse.tile("N1").locator(".alert")
    alert.locator(".acknowledge").focus()

    nurse.page.keyboard.press("Tab")
    nurse.page.keyboard.press("Enter")
    expect(alert.locator(".deeds")).to_be_visible()
    nurse.page.keyboard.press("Escape")
    expect(alert.locator(".deeds")).to_be_hidden()
    nurse.page.keyboard.press("Enter")
    for _ in range(4):  # three silences, then the first reason
        nurse.page.keyboard.press("Tab")
    nurse.page.keyboard.press("Enter")

    expect(alert).to_contain_text("not actionable, says Noor: artefact")
    expect(alert.locator(".menu > summary")).to_be_focused()


def test_what_is_open_and_written_survives_a_redraw(browser, server, noor, ada, gateway):
    now = timezone.now()
    send(server, gateway, item(ada, now, **FULL))
    nurse = Desk(browser, server).sign_in("noor")
    tile = nurse.tile("N1")
    tile.locator(".news > summary").click()
    expect(tile.locator(".news .panel")).to_contain_text("missing")
    keep(nurse, "news-desk")

    send(server, gateway, item(ada, now + MIDST, **FULL | {"heart_rate": 73}))
    expect(tile.locator(".heart_rate .value")).to_have_text("73")
    expect(tile.locator(".news .panel")).to_be_visible()

    note = nurse.menu(tile.locator(".alert", has_text="SpO₂ 84 < 85 %")).get_by_label("Note", exact=True)
    expect(tile.locator(".news .panel")).to_be_hidden()
    note.type("moved")
    send(server, gateway, item(ada, now + 2 * MIDST, **FULL | {"heart_rate": 74}))
    expect(tile.locator(".heart_rate .value")).to_have_text("74")
    note.type(" the probe")

    expect(note).to_have_value("moved the probe")
    expect(note).to_be_focused()


def test_a_refusal_says_why(browser, server, noor, ada, north, gateway):
    send(server, gateway, low(ada, timezone.now()))
    nurse = Desk(browser, server).sign_in("noor")
    WardRules.objects.create(ward=north, longest_silence=2)

    nurse.menu(nurse.tile("N1").locator(".alert")).get_by_role("button", name="10 min").click()

    expect(nurse.page.locator("#trouble")).to_have_text("NOT DONE. In this ward the sound may be off for 1 to 2 min.")


def test_a_viewer_finds_no_menu(browser, server, vera, ada, gateway):
    send(server, gateway, low(ada, timezone.now()))
    viewer = Desk(browser, server).sign_in("vera")

    expect(viewer.tile("N1").locator(".alert")).to_contain_text("SpO₂ 84")
    expect(viewer.tile("N1").locator(".menu")).to_be_hidden()


def test_a_sign_that_fell_silent_says_so_on_its_alert(browser, server, noor, ada, gateway):
    nurse = Desk(browser, server).sign_in("noor")
    now = timezone.now()
    send(server, gateway, *(low(ada, now - timedelta(seconds=second)) for second in (2, 1, 0)))
    expect(nurse.tile("N1").locator(".alert")).to_contain_text("SpO₂ 84")
    expect(nurse.tile("N1").locator(".alert .lost")).to_be_hidden()
    server.kill()  # so that nothing is drawn anew
    expect(nurse.page.locator("#link")).to_have_text("LINK LOST")

    nurse.later(60)

    expect(nurse.tile("N1").locator(".alert .lost")).to_be_visible()
    expect(nurse.page.locator("#rail .lost")).to_be_visible()


def test_the_flood_of_one_patient_opens_and_stays_open(browser, server, noor, ada, gateway):
    now = timezone.now()
    send(server, gateway, *one_after_the_other(ada, now), item(ada, now, status={"device": "fault"}))
    nurse = Desk(browser, server).sign_in("noor")
    rest = nurse.tile("N1").locator(".more > .fold")
    expect(nurse.tile("N1").locator(".alerts > .alert")).to_have_count(3)
    folded = rest.locator(".alert").count()
    expect(rest.locator("summary").first).to_contain_text(f"+ {folded} more")
    counts = nurse.page.locator("#counts b").all_inner_texts()
    assert sum(map(int, counts)) == 3 + folded
    expect(nurse.page.locator("#rail > ol > li")).to_have_count(1)

    rest.locator("summary").first.click()
    send(server, gateway, item(ada, now + MIDST, diastolic_bp=63))
    expect(nurse.tile("N1").locator(".sign.blood_pressure")).to_contain_text("63")

    expect(rest.locator(".alert").first).to_be_visible()
    assert nurse.too_wide() == []
