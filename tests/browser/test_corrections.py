"""A doctor puts a reading right in a real browser, at a desk and on a phone, and two doctors meet at one vital."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Membership, User
from monitoring.models import Vital
from tests.browser.desk import Desk, keep, send
from tests.conftest import PASSWORD
from tests.live.processes import running
from tests.world import item, unscored

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIZES = {"desk": (1280, 900), "phone": (390, 844)}


@pytest.fixture
def server(ada, gateway):
    with running() as server:
        yield server


@pytest.fixture
def omar(north):
    other = User.objects.create_user("omar", "omar@example.org", PASSWORD, name="Omar")
    Membership.objects.create(user=other, ward=north, role="doctor")
    return other


def opened(browser, server, login, size="desk"):
    """From the tile to the newest reading."""
    desk = Desk(browser, server, *SIZES[size]).sign_in(login)
    desk.tile("N1").locator("a.patient-id").click()
    keep(desk, f"vitals-list-{size}", whole=True)
    assert desk.too_wide() == []
    desk.page.locator(".readings a").first.click()
    return desk


@pytest.mark.parametrize("size", SIZES)
def test_a_doctor_corrects_a_value_and_sees_what_was_judged_again(browser, server, dora, ada, gateway, size):
    now = timezone.now()
    unscored(ada)
    rows = [item(ada, now - timedelta(minutes=place), spo2=97, heart_rate=70 + place) for place in range(9, 0, -1)]
    send(server, gateway, *rows)
    send(server, gateway, item(ada, now, spo2=48, heart_rate=72, systolic_bp=124, mean_bp=92, diastolic_bp=76))
    doctor = opened(browser, server, "dora", size)
    keep(doctor, f"vitals-form-{size}", whole=True)
    assert doctor.too_wide() == []

    doctor.page.get_by_label("SpO₂").fill("98")
    doctor.page.get_by_label("Why").fill("read off the wrong bed")
    doctor.page.get_by_role("button", name="Save the correction").click()

    expect(doctor.page.locator(".done")).to_contain_text("Corrected: SpO₂ 48 → 98 %")
    expect(doctor.page.locator(".done")).to_contain_text("no longer stands")
    keep(doctor, f"vitals-done-{size}", whole=True)
    assert doctor.too_wide() == []
    assert doctor.complaints == []


@pytest.mark.parametrize("size", SIZES)
def test_two_doctors_put_both_corrections_together(browser, server, dora, omar, ada, gateway, size):
    send(server, gateway, item(ada, timezone.now(), spo2=48, heart_rate=72, respiratory_rate=16))
    first, second = opened(browser, server, "dora", size), opened(browser, server, "omar", size)
    second.page.get_by_label("SpO₂").fill("88")
    second.page.get_by_label("HR", exact=True).fill("75")
    second.page.get_by_label("Why").fill("from the monitor")
    second.page.get_by_role("button", name="Save the correction").click()
    expect(second.page.locator(".done")).to_be_visible()

    first.page.get_by_label("SpO₂").fill("84")
    first.page.get_by_label("RR", exact=True).fill("18")
    first.page.get_by_label("Why").fill("read off the wrong bed")
    first.page.get_by_role("button", name="Save the correction").click()
    expect(first.page.get_by_role("alert")).to_contain_text("Somebody else changed this vital")
    keep(first, f"vitals-conflict-{size}", whole=True)
    assert first.too_wide() == []
    first.page.locator("tr.clash").get_by_label("84").check()
    first.page.get_by_role("button", name="Save on top of version 2").click()

    expect(first.page.locator(".done")).to_contain_text("SpO₂ 88 → 84 %, RR 16 → 18 /min")
    vital = Vital.objects.get()
    assert (vital.spo2, vital.heart_rate, vital.respiratory_rate, vital.version) == (84, 75, 18, 3)


@pytest.mark.parametrize("size", SIZES)
def test_after_a_typing_error_the_keyboard_is_in_the_wrong_field(browser, server, dora, ada, gateway, size):
    send(server, gateway, item(ada, timezone.now(), spo2=48, heart_rate=72))
    doctor = opened(browser, server, "dora", size)
    doctor.page.get_by_label("SpO₂").fill("940")
    doctor.page.get_by_label("Why").fill("read off the wrong bed")
    doctor.page.get_by_role("button", name="Save the correction").click()

    expect(doctor.page.get_by_role("alert")).to_contain_text("Nothing was saved")
    expect(doctor.page.get_by_label("SpO₂")).to_be_focused()
    assert doctor.too_wide() == []
