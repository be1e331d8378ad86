"""The observation chart as it is seen, at a desk and on a telephone: no value is cut off, and what a row is stays in sight."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from typing import Any

import pypdf
import pytest
from playwright.sync_api import Page

from accounts.models import User
from monitoring.models import Alert, Patient
from tests.browser.test_armour import seat
from tests.exports.takers import called, measured
from tests.live.processes import running

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIZES = {"desk": (1280, 900), "phone": (390, 844)}
HOUR = timedelta(hours=1)
# In every column of a day the widest that can stand in one cell: ranges of three digits, framed, and of tenths.
LOW: dict[str, Any] = {
    "systolic_bp": 102,
    "diastolic_bp": 100,
    "heart_rate": 112,
    "respiratory_rate": 21,
    "spo2": 88,
    "body_temp": 39.1,
}
HIGH = {"systolic_bp": 109, "diastolic_bp": 101, "heart_rate": 119, "respiratory_rate": 24, "spo2": 91, "body_temp": 39.9}
OXYGEN = {"consciousness": "C", "on_oxygen": True, "oxygen_flow": 12.5}
CUT_OFF = """() => [...document.querySelectorAll(".chart :is(th, td), .alerts :is(th, td), .facts > div")].filter(cell => {
  const words = document.createRange(), room = cell.getBoundingClientRect();
  words.selectNodeContents(cell);
  return [...words.getClientRects()].some(word => word.left < room.left - 0.5 || word.right > room.right + 0.5)
    || cell.scrollWidth > cell.clientWidth + 1;
}).map(cell => cell.textContent.trim())"""
BROKEN = """() => [...document.querySelectorAll(".chart b")].filter(one => one.offsetHeight > 24).map(one => one.textContent)"""

# In how many lines the name of a sign stands.
LINES = """sign => {
  const words = document.createRange();
  words.selectNode(sign.firstChild);
  return words.getClientRects().length;
}"""


@pytest.fixture
def crowded(ada: Patient, now: datetime) -> Patient:
    for place in range(24):
        at = now.replace(minute=5) - HOUR * (place + 1)
        measured(ada, at, **LOW)
        measured(ada, at + timedelta(minutes=5), sensor="hand", **HIGH | (OXYGEN if place % 2 else {}))
    return ada


@pytest.fixture
def alarming(crowded: Patient, now: datetime) -> Patient:
    detail = "SpO₂ 78 < 85 %, HR 141 > 140 /min " * 4
    called(crowded, *(now - timedelta(minutes=7 * each) for each in range(1, 130)), detail=detail)
    return crowded


@pytest.fixture
def chart(browser, alarming: Patient, noor: User) -> Any:
    """Opens the chart of a day at a desk or on a telephone."""
    with running() as server:

        def opened(size: str) -> Page:
            width, height = SIZES[size]
            page = seat(browser, server, noor, viewport={"width": width, "height": height})
            page.goto(f"{server.url}/patients/P-ADA/chart/?period=24h&name=on")
            return page

        yield opened


@pytest.mark.parametrize("size", SIZES)
def test_nothing_in_a_cell_is_cut_off(chart, size):
    page = chart(size)

    assert page.locator(".chart b.long").count() > 20 * 4
    assert page.locator(".chart b.longer").count() > 20
    assert page.evaluate(CUT_OFF) == []
    assert page.evaluate(BROKEN) == []
    assert page.locator("th.group", has_text="Consciousness").first.evaluate(LINES) == 1


@pytest.mark.parametrize("size", SIZES)
def test_the_page_itself_is_as_wide_as_the_screen(chart, size):
    page = chart(size)

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_on_a_telephone_it_begins_with_its_newest_columns(chart):
    page = chart("phone")

    left, most = page.locator(".wide").first.evaluate("one => [one.scrollLeft, one.scrollWidth - one.clientWidth]")

    assert left > 0
    assert left == pytest.approx(most, abs=1)


@pytest.mark.parametrize("place", [0, 0.5, 1])
def test_on_a_telephone_signs_bands_and_points_stay_in_sight(chart, place):
    page = chart("phone")
    page.locator(".wide").first.evaluate("(one, place) => one.scrollLeft = place * one.scrollWidth", place)

    page.locator(".chart tbody").first.scroll_into_view_if_needed()

    sign, band, points = (page.locator(f".chart {one}").first for one in ("th.group", "th[scope=row]", "td.points"))
    edges = [(box["x"], box["x"] + box["width"]) for box in (one.bounding_box() for one in (sign, band, points))]
    assert edges[0][0] >= 0
    assert [ends for _, ends in edges[:2]] == pytest.approx([begins for begins, _ in edges[1:]], abs=1)
    assert edges[2][1] < SIZES["phone"][0] / 2
    assert page.evaluate(
        """edges => edges.map(([left, right]) => {
             const top = document.querySelector(".chart tbody tr").getBoundingClientRect().top;
             return document.elementFromPoint((left + right) / 2, top + 6).closest("th, td").className || "band";
           })""",
        edges,
    ) == ["group", "band", "points"]


def test_on_a_telephone_each_alert_is_read_without_moving_anything(chart):
    page = chart("phone")

    assert page.locator(".alerts tbody tr").count() == Alert.objects.count()
    beyond = """rows => rows.filter(row => row.getBoundingClientRect().right > innerWidth).length"""
    assert page.locator(".alerts tr").evaluate_all(beyond) == 0


def test_printed_by_a_browser_every_page_says_of_whom_it_is_and_which_it_is(chart):
    page = chart("desk")

    printed = page.pdf(prefer_css_page_size=True, print_background=True)

    pages = [each.extract_text() for each in pypdf.PdfReader(io.BytesIO(printed)).pages]
    assert len(pages) > 4
    assert ["P-ADA" in text for text in pages] == [True] * len(pages)
    assert [f"page {number} of {len(pages)}" in text for number, text in enumerate(pages, 1)] == [True] * len(pages)
