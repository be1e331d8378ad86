"""The ward is heard: what calls sounds, in whose hand it is falls quiet, and a board that cannot sound says so in red."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import Session
from monitoring.services import alerts
from tests.browser.desk import Desk, send
from tests.conftest import signed_in
from tests.live.processes import running
from tests.strictness import LOUDSPEAKER, chromium
from tests.world import item, open_alert

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MIDST = timedelta(seconds=1)
# Beside whatever goes to the loudspeaker stands an ear, and writes down the loudest pitch that it hears.
EARS = """
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (to, ...rest) {
    if (to instanceof AudioDestinationNode) {
      const ear = new AnalyserNode(to.context, { fftSize: 4096 });
      connect.call(this, ear);
      listen(ear, new Float32Array(ear.frequencyBinCount));
    }
    return connect.call(this, to, ...rest);
  };
  function listen(ear, spectrum) {
    ear.getFloatFrequencyData(spectrum);
    const loudest = spectrum.indexOf(Math.max(...spectrum));
    const pitch = (loudest * ear.context.sampleRate) / ear.fftSize;
    const known = [294, 330, 392, 440, 523].find((each) => Math.abs(each - pitch) < 12);
    if (spectrum[loudest] > -40 && known) document.documentElement.dataset.heard = known;
    requestAnimationFrame(() => listen(ear, spectrum));
  }
"""
# A loudspeaker that takes its time, and how high the red banner has ever been.
SLOW = """
  AudioContext = class extends AudioContext {
    made = performance.now();
    get state() {
      return performance.now() < this.made + 600 ? "suspended" : super.state;
    }
  };
  window.tallest = 0;
  const measure = () => {
    tallest = Math.max(tallest, document.getElementById("soundless")?.offsetHeight ?? 0);
    requestAnimationFrame(measure);
  };
  measure();
"""


@pytest.fixture
def server(ada, gateway):
    with running() as server:
        yield server


@pytest.fixture
def nurse(browser, server, noor):
    """Noor at her desk; she has pressed something, so her browser lets the board sound."""
    desk = Desk(browser, server)
    desk.page.add_init_script(EARS)
    return desk.sign_in("noor")


@pytest.fixture
def wall(browser, server, noor):
    """A board that nobody has touched."""
    page = with_cookie(browser, server, noor)
    page.goto(f"{server.url}/wards/north/")
    return page


def with_cookie(browser, server, user) -> Page:
    context = browser.new_context()
    context.add_cookies([{"name": "sessionid", "value": signed_in(user).session.session_key, "url": server.url}])
    return context.new_page()


def sounds(page: Page, what: str) -> None:
    """It sounds so; "" is quiet."""
    expect(page.locator("body")).to_have_attribute("data-sounding", what)


def heard(page: Page, pitch: int) -> None:
    """It comes out of the board as well, the one of a blind board after 5 s."""
    expect(page.locator("html")).to_have_attribute("data-heard", f"{pitch}")


def test_what_is_raised_sounds_until_somebody_takes_it(server, nurse, ada, gateway, dora, browser):
    doctor = Desk(browser, server).sign_in("dora@example.org")
    sounds(nurse.page, "")
    expect(nurse.page.locator("#soundless")).to_be_hidden()
    expect(nurse.page.locator("#sound")).to_have_text("Sound on")

    send(server, gateway, item(ada, spo2=84))

    sounds(nurse.page, "critical")
    heard(nurse.page, 523)
    expect(nurse.page.locator("#sound")).to_have_text("Sounds: critical")
    sounds(doctor.page, "critical")
    doctor.tile("N1").locator(".acknowledge").click()
    sounds(nurse.page, "")
    sounds(doctor.page, "")
    assert nurse.complaints + doctor.complaints == []


def test_a_warning_sounds_otherwise_and_what_gets_worse_sounds_again(server, nurse, ada, gateway):
    now = timezone.now()
    send(server, gateway, item(ada, now, spo2=88))
    sounds(nurse.page, "warning")
    heard(nurse.page, 392)
    nurse.tile("N1").locator(".acknowledge").click()
    sounds(nurse.page, "")

    send(server, gateway, item(ada, now + MIDST, spo2=84))

    sounds(nurse.page, "critical")


def test_what_comes_back_after_its_end_sounds_again(server, nurse, ada, gateway):
    now = timezone.now()
    send(server, gateway, item(ada, now, spo2=84))
    nurse.tile("N1").locator(".acknowledge").click()
    send(server, gateway, item(ada, now + MIDST, spo2=97))
    expect(nurse.tile("N1").locator(".alert")).to_have_count(0)
    sounds(nurse.page, "")

    send(server, gateway, item(ada, now + 2 * MIDST, spo2=84))

    sounds(nurse.page, "critical")
    assert open_alert(ada).events.filter(what="reopened").exists()


def test_a_silence_is_quiet_to_its_end_also_without_a_server(server, nurse, ada, gateway):
    now = timezone.now()
    send(server, gateway, item(ada, now, spo2=84))
    sounds(nurse.page, "critical")
    nurse.menu(nurse.tile("N1").locator(".alert")).get_by_role("button", name="5 min").click()
    sounds(nurse.page, "")
    expect(nurse.tile("N1").locator(".acknowledge")).to_be_visible()

    send(server, gateway, item(ada, now + MIDST, spo2=83))
    expect(nurse.tile("N1").locator(".spo2 .value")).to_have_text("83")
    sounds(nurse.page, "")
    server.kill()

    expect(nurse.page.locator("#link")).to_have_text("LINK LOST")
    sounds(nurse.page, "board")
    nurse.later(5 * 60)
    sounds(nurse.page, "critical")


def test_without_a_link_the_alarm_goes_on_and_a_calm_board_has_a_sound_of_its_own(server, browser, nurse, noor, gateway, ada):
    send(server, gateway, item(ada, spo2=84))
    sounds(nurse.page, "critical")
    server.kill()

    expect(nurse.page.locator("#blind")).to_be_visible()
    sounds(nurse.page, "critical")

    alerts.acknowledge(open_alert(ada), by=noor, at=timezone.now())
    with running(port=server.port) as back:
        sounds(nurse.page, "")
        expect(nurse.page.locator("#link")).to_have_text("LIVE")
        back.kill()
        sounds(nurse.page, "board")
        heard(nurse.page, 294)


def test_a_board_whose_person_is_gone_goes_on_sounding_without_names(server, nurse, ada, ben, gateway, dora):
    now = timezone.now()
    send(server, gateway, item(ada, now, spo2=88))
    sounds(nurse.page, "warning")

    Session.objects.update(seen_at=now - timedelta(minutes=16))

    expect(nurse.page.locator("body")).to_have_attribute("data-face", "kiosk")
    sounds(nurse.page, "warning")
    send(server, gateway, item(ben, now, spo2=84))
    sounds(nurse.page, "critical")
    alerts.acknowledge(open_alert(ben), by=dora, at=now)
    alerts.acknowledge(open_alert(ada), by=dora, at=now)
    sounds(nurse.page, "")
    expect(nurse.page.locator("#soundless")).to_be_hidden()


def test_a_board_that_nobody_has_touched_says_so_in_red_until_it_is(server, wall, ada, gateway):
    banner = wall.get_by_role("button", name="SOUND OFF: press here")
    expect(banner).to_be_visible()
    expect(wall.locator("#sound")).to_have_text("Sound off")
    sounds(wall, "")

    banner.click()

    expect(wall.locator("#soundless")).to_be_hidden()
    expect(wall.locator("#sound")).to_have_text("Sound on")


def test_a_board_that_may_sound_never_flashes_red(server, browser, noor):
    nurse = Desk(browser, server)
    nurse.page.add_init_script(SLOW)

    nurse.sign_in("noor")

    expect(nurse.page.locator("#sound")).to_have_text("Sound on")
    assert nurse.page.evaluate("tallest") == 0


def test_a_board_whose_script_never_came_is_red_as_well(server, browser, noor):
    page = with_cookie(browser, server, noor)
    page.route("**/sound*.js", lambda route: route.abort())
    page.goto(f"{server.url}/wards/north/")

    expect(page.locator("#soundless")).to_be_visible()
    expect(page.locator("#soundless")).to_have_text("SOUND OFF")
    expect(page.locator("#link")).to_have_text("LIVE")


@pytest.mark.parametrize("gesture", ["key", "press"])
def test_any_gesture_will_do_and_what_calls_is_heard_then(server, browser, noor, ada, gateway, gesture):
    send(server, gateway, item(ada, spo2=84))
    page = with_cookie(browser, server, noor)
    page.add_init_script(EARS)
    page.goto(f"{server.url}/wards/north/")
    expect(page.locator("#soundless")).to_be_visible()

    page.keyboard.press("Tab") if gesture == "key" else page.locator("#clock").click()

    sounds(page, "critical")
    heard(page, 523)
    expect(page.locator("#soundless")).to_be_hidden()


def test_a_kiosk_may_sound_without_a_gesture(server, chrome, noor, ada, gateway):
    kiosk = chrome.browser_type.launch(
        executable_path=chromium(), args=["--no-sandbox", LOUDSPEAKER, "--autoplay-policy=no-user-gesture-required"]
    )
    try:
        page = with_cookie(kiosk, server, noor)
        said = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(f"{server.url}/wards/north/")
        send(server, gateway, item(ada, spo2=84))

        sounds(page, "critical")
        expect(page.locator("#soundless")).to_be_hidden()
        assert said == []
    finally:
        kiosk.close()
