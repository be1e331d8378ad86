"""A nurse takes an export in a real browser: its rows are counted, it can be cancelled, and only what is whole is kept."""

from __future__ import annotations

import csv
import re
from datetime import timedelta

import openpyxl
import pytest
from playwright.sync_api import expect

from tests.browser.test_armour import seat
from tests.exports.takers import measured
from tests.live.processes import running

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ROWS = 20_000


@pytest.fixture(autouse=True)
def _rows(ada, now):
    measured(ada, *(now - timedelta(seconds=each) for each in range(1, ROWS + 1)), heart_rate=80, spo2=97)


@pytest.fixture
def server():
    with running() as server:
        yield server


@pytest.fixture
def page(browser, server, noor):
    return opened(browser, server, noor)


def opened(browser, server, noor):
    page = seat(browser, server, noor)
    page.goto(f"{server.url}/patients/P-ADA/export/")
    return page


def submit(page):
    page.get_by_role("button", name="Take the file").click()
    return page.locator("#progress output")


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_rows_are_counted_and_the_whole_file_is_kept(page, form, tmp_path):
    page.get_by_label("Format").select_option(form)

    with page.expect_download() as coming:
        told = submit(page)

    expect(told).to_have_text("20,000 rows: the file is whole.")
    assert re.fullmatch(rf"vitals-P-ADA-\d{{8}}T\d{{4}}Z\.{form}", coming.value.suggested_filename)
    coming.value.save_as(tmp_path / "kept")
    if form == "csv":
        with (tmp_path / "kept").open() as kept:
            assert sum(1 for _ in csv.reader(kept)) == ROWS + 2
    else:
        with (tmp_path / "kept").open("rb") as kept:
            assert sum(1 for _ in openpyxl.load_workbook(kept, read_only=True)["Vitals"].rows) == ROWS + 1


def test_what_is_cancelled_is_not_kept(page, server):
    server.freeze()
    told = submit(page)

    page.get_by_role("button", name="Cancel").click()

    expect(told).to_have_text("Cancelled: nothing was kept.")


def test_what_breaks_off_is_not_kept(browser, noor):
    with running(application="tests.browser.halting:application") as server:
        told = submit(opened(browser, server, noor))
        expect(told).to_have_text(re.compile("of 20,000 rows"))

        server.kill()

        expect(told).to_have_text("It broke off: nothing was kept. Take it again.")


# A dialog of the system cannot be answered by a test: the browser's own files stand for the disk, and are written the same way.
DISK = """
    window.showSaveFilePicker = async ({ suggestedName }) =>
      (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true });
    document.getElementById("export").dataset.most = "1000";
"""
ON_DISK = """async () => {
    const found = {};
    const disk = await navigator.storage.getDirectory();
    for await (const [name, file] of disk.entries()) found[name] = await (await file.getFile()).text();
    return found;
}"""


@pytest.fixture
def large(page):
    """A page for which 20,000 rows are many."""
    page.add_init_script(f"addEventListener('DOMContentLoaded', () => {{ {DISK} }})")
    page.reload()
    return page


class TestStraightToTheDisk:
    def test_it_is_there_once_it_is_whole(self, large):
        told = submit(large)
        expect(told).to_have_text("20,000 rows go straight to the disk: say where, within two minutes.")

        large.get_by_role("button", name="Save as…").click()

        expect(told).to_have_text("20,000 rows: the file is whole.")
        ((name, text),) = large.evaluate(ON_DISK).items()
        assert re.fullmatch(r"vitals-P-ADA-\d{8}T\d{4}Z\.csv", name)
        assert text.count("\n") == ROWS + 2 and "End of export: 20000 rows" in text

    def test_what_is_cancelled_before_there_is_a_place_for_it_is_not_kept(self, large):
        told = submit(large)
        expect(large.get_by_role("button", name="Save as…")).to_be_visible()

        large.get_by_role("button", name="Cancel").click()

        expect(told).to_have_text("Cancelled: nothing was kept.")
        expect(large.get_by_role("button", name="Save as…")).to_be_hidden()
        assert large.evaluate(ON_DISK) == {}

    def test_what_breaks_off_leaves_nothing_there(self, large):
        told_of = {"X-Total-Rows": "20000", "Content-Disposition": 'attachment; filename="cut.csv"', "Content-Type": "text/csv"}
        large.route("**/export/?*", lambda route: route.fulfill(headers=told_of, body="heart_rate,end\n" + "80,\n" * 9_000))
        told = submit(large)

        large.get_by_role("button", name="Save as…").click()

        expect(told).to_have_text("It broke off: nothing was kept. Take it again.")
        assert large.evaluate(ON_DISK) == {}


def test_a_time_that_makes_no_sense_is_said_by_the_page(page):
    page.get_by_label("Time").first.select_option("own")
    submit(page)

    wrong, told = page.get_by_role("alert").first, page.get_by_text("Times in the file are UTC.")
    expect(wrong).to_have_text("Say when.")
    assert len({one.evaluate("one => getComputedStyle(one).color") for one in (wrong, told)}) == 2


def test_moments_are_asked_for_only_where_no_preset_says_them(page):
    moment = page.locator("#filewanted-from")
    expect(moment).to_be_hidden()

    page.get_by_label("Time").first.select_option("own")

    expect(moment).to_be_visible()
