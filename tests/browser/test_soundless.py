"""A board whose sound fails under it notices, says so in red, and helps itself as far as it can."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.hearing import BOARD, SCRIPT

pytestmark = pytest.mark.browser
ADDRESS = "http://localhost/board"  # a browser tells its loudspeakers to a secure page only
STRICT = {"Content-Security-Policy": "default-src 'none'; script-src 'self'", "Permissions-Policy": "microphone=(), camera=()"}
SCRIPT_TAG = '<script src="/board/sound.js" defer></script>'
ALARM = '<li id="a" data-sound="critical" data-state="raised"></li>'
SEEN = """
  window.contexts = [];
  window.AudioContext = class extends AudioContext {
    constructor() {
      super();
      contexts.push(this);
    }
  };
  addEventListener("DOMContentLoaded", () => {
    const seen = document.documentElement.dataset;
    const write = (name, text) => (seen[name] = [seen[name], text].filter(Boolean).join(" | "));
    const banner = document.getElementById("soundless");
    const look = () => write("banner", banner.hidden ? "none" : banner.textContent);
    new MutationObserver(look).observe(banner, { attributes: true, childList: true, subtree: true });
    const button = document.getElementById("sound");
    new MutationObserver(() => write("button", button.textContent)).observe(button, { childList: true });
  });
"""


@pytest.fixture
def page(browser):
    """A board with a critical alarm that sounds: somebody has pressed it."""
    page = browser.new_page()
    page.add_init_script(SEEN)
    serve(page, BOARD.replace("</ul>", f"{ALARM}</ul>"))
    page.locator("#sound").click()
    sounding(page)
    return page


def serve(page, board):
    """Under the strictest policy: nothing but the page and its script."""
    page.route(ADDRESS, lambda route: route.fulfill(body=board + SCRIPT_TAG, content_type="text/html", headers=STRICT))
    page.route(f"{ADDRESS}/sound.js", lambda route: route.fulfill(path=SCRIPT, content_type="text/javascript"))
    page.goto(ADDRESS)


def sounding(page, what="critical"):
    expect(page.locator("body")).to_have_attribute("data-sounding", what)
    expect(page.locator("#soundless")).to_be_hidden() if what else None


def silent(page, why):
    expect(page.locator("#soundless")).to_have_text(why)
    expect(page.locator("#sound")).to_have_attribute("data-state", "lost")
    sounding(page, "")


@pytest.mark.parametrize("how", ["suspend()", "close()", "dispatchEvent(new Event('error'))"])
def test_a_context_that_the_browser_stops_is_said_and_made_to_run_again(page, how):
    page.evaluate(f"document.documentElement.dataset.banner = ''; contexts.at(-1).{how}")

    expect(page.locator("html")).to_have_attribute("data-banner", re.compile(r"^SOUND OFF: press here \|.* none$"))
    sounding(page)
    assert page.evaluate("contexts.at(-1).state") == "running"
    assert page.evaluate("contexts.length") == (1 if how == "suspend()" else 2)


def test_one_that_may_not_run_again_stays_said(page):
    """As on a telephone that rings: the browser gives the loudspeaker back when it wants."""
    page.evaluate("AudioContext.prototype.resume = () => Promise.reject(new Error('not now')); contexts.at(-1).suspend()")

    silent(page, "SOUND OFF: press here")
    # At one stroke: from the moment that the browser allows it, the board helps itself within a second.
    page.evaluate("delete AudioContext.prototype.resume; document.querySelector('#soundless button').click()")
    sounding(page)


def test_a_loudspeaker_that_stands_still_is_noticed(page):
    page.evaluate("Object.defineProperty(AudioContext.prototype, 'currentTime', { get: () => 7, configurable: true })")

    silent(page, "SOUND OFF: press here")
    page.evaluate("delete AudioContext.prototype.currentTime")
    sounding(page)
    assert page.evaluate("contexts.length") > 1


def test_a_loudspeaker_that_is_pulled_out_is_noticed(page):
    page.evaluate("navigator.mediaDevices.enumerateDevices = async () => []")
    page.evaluate("navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")

    silent(page, "SOUND OFF: no loudspeaker is connected")
    page.evaluate("delete navigator.mediaDevices.enumerateDevices")
    expect(page.locator("#soundless")).to_be_hidden()  # without any word of the browser
    sounding(page)


def test_of_a_browser_that_lists_no_loudspeakers_nothing_is_claimed(browser):
    """Telephones do not list them."""
    page = browser.new_page()
    page.add_init_script(
        "navigator.mediaDevices.enumerateDevices = async () => []; delete HTMLMediaElement.prototype.setSinkId;"
    )
    serve(page, BOARD)
    page.keyboard.press("Tab")

    expect(page.locator("#sound")).to_have_text("Sound on")
    expect(page.locator("#soundless")).to_be_hidden()


def test_a_fault_of_its_own_is_said(page):
    page.evaluate("window.GainNode = null; document.getElementById('a').dataset.sound = 'warning'")

    silent(page, "SOUND OFF: reload this page")


@pytest.mark.parametrize("broken", ["delete window.AudioContext", "AudioContext = class { constructor() { throw 0; } }; 0"])
def test_a_browser_without_sound_leaves_the_banner_that_the_server_drew(browser, broken):
    page = browser.new_page()
    page.set_content(BOARD)
    page.evaluate(broken)
    page.evaluate("source => { try { eval(source) } catch {} }", SCRIPT.read_text())

    expect(page.locator("#soundless")).to_have_text("SOUND OFF")
    expect(page.locator("#soundless")).to_be_visible()


def test_each_sound_can_be_tried_and_a_real_one_ends_the_trial(page):
    page.evaluate("document.getElementById('a').dataset.state = 'taken'")
    button = page.locator("#sound")
    expect(button).to_have_text("Sound on")
    page.evaluate("document.documentElement.dataset.button = ''")

    button.click()

    tried = "Test: critical | Test: warning | Test: board trouble | Test: technical | Sound on"
    expect(page.locator("html")).to_have_attribute("data-button", tried)
    page.evaluate("document.documentElement.dataset.button = ''")
    button.click()
    button.click()
    expect(page.locator("html")).to_have_attribute(
        "data-button", re.compile(r"^Test: critical( \| Test: [a-z ]+)* \| Sound on$")
    )
    button.click()
    expect(button).to_contain_text("Test: ")
    page.evaluate("document.getElementById('a').dataset.state = 'raised'")
    expect(button).to_have_text("Sounds: critical")
    button.click()
    expect(button).to_have_text("Sounds: critical")
