"""A board without a server, whose sound is rendered in no time: what it would play, pulse by pulse."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from playwright.sync_api import Browser, Page

SCRIPT = Path(__file__).parents[2] / "static" / "sound.js"
EAR = Path(__file__).with_name("ear.js")
BOARD = """
<button id="sound"></button>
<p id="blind" hidden></p><p id="unwatched" hidden></p><p id="soundless" class="late"><button>SOUND OFF</button></p>
<div class="ward"><aside id="rail"><ul id="sounds" hidden></ul></aside></div>
"""
BETWEEN_BURSTS = 2.0  # seconds: no pause within a burst is so long


@dataclass(frozen=True)
class Pulse:
    """One tone: when it is heard, and when at 90 % of its height; how long it rises; how loud each harmonic is (dB)."""

    begins: float
    ends: float
    reaches90: float
    leaves90: float
    rises: float
    peak: float
    pitch: float
    harmonics: list[tuple[float, float]]


class Rendering:
    """The page, at a time of its own that only moves by `at`."""

    def __init__(self, browser: Browser) -> None:
        self.page: Page = browser.new_page()
        self.page.clock.install(time=0)
        self.page.clock.pause_at(1000)  # else the page finds that its loudspeaker stands still while time passes
        self.page.set_content(BOARD)
        self.page.add_script_tag(path=EAR)
        self.page.add_script_tag(path=SCRIPT)

    def at(self, seconds: float) -> Rendering:
        self.page.evaluate("seconds => loudspeaker.until(seconds)", seconds)
        return self

    def draw(self, key: str, sound: str, state: str = "raised") -> None:
        """The server draws an alert: a new one, or what became of it."""
        self.page.evaluate(
            """([key, sound, state]) => {
              const list = document.getElementById("sounds");
              const row = document.getElementById(key) ?? list.appendChild(document.createElement("li"));
              row.id = key;
              Object.assign(row.dataset, { sound, state });
            }""",
            [key, sound, state],
        )

    def end(self, key: str) -> None:
        self.page.evaluate("key => document.getElementById(key).remove()", key)

    def silence(self, key: str) -> None:
        self.page.evaluate("key => document.getElementById(key).dataset.ends = '1'", key)

    def hide(self, key: str, hidden: bool = True) -> None:
        """board.js has found a silence to be over, or a link lost."""
        self.page.evaluate("([key, hidden]) => (document.getElementById(key).hidden = hidden)", [key, hidden])

    def pulses(self) -> list[Pulse]:
        """All that is heard in the minute that began with the page."""
        return [Pulse(**each) for each in self.page.evaluate("loudspeaker.end()")]

    def bursts(self) -> list[list[Pulse]]:
        return bursts_of(self.pulses())


def bursts_of(pulses: list[Pulse]) -> list[list[Pulse]]:
    found = [pulses[:1]] if pulses else []
    for before, after in pairwise(pulses):
        if after.begins - before.ends > BETWEEN_BURSTS:
            found.append([])
        found[-1].append(after)
    return found
