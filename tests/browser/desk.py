"""A browser of one person, as the tests of the pages use it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.conftest import PASSWORD
from tests.live.processes import Server


class Desk:
    """A browser of one person, with what its console said."""

    def __init__(self, browser: Browser, server: Server, width: int = 1600, height: int = 900) -> None:
        self.server = server
        self.page: Page = browser.new_context(viewport={"width": width, "height": height}).new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def sign_in(self, login: str) -> Desk:
        self.page.goto(self.server.url)
        self.page.get_by_label("Login or e-mail").fill(login)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.locator("#link")).to_have_text("LIVE")
        return self

    def tile(self, bed: str):
        return self.page.get_by_role("article", name=f"Bed {bed}")

    def later(self, seconds: int) -> None:
        """This much time passes for the page; where its server answers, it soon knows better."""
        self.page.evaluate("ms => { const now = Date.now; Date.now = () => now() + ms; }", 1000 * seconds)

    def menu(self, alert):
        """Open what else can be done with an alert."""
        alert.locator("> .hand > .menu > summary").click()
        return alert.locator("> .hand > .menu .deeds")

    def too_wide(self) -> list[str]:
        """What runs off the side: of the page, or of its cell on a tile."""
        return self.page.evaluate(
            """() => [
              ...(document.documentElement.scrollWidth > innerWidth ? ["page"] : []),
              ...[...document.querySelectorAll(".sign, .tile, .alert")]
                .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.id || e.className),
            ]"""
        )


def send(server: Server, monitor, *items: dict) -> None:
    status, _ = server.post("/api/v1/vitals", json.dumps(items).encode(), **{"X-API-Key": monitor.key})
    assert status == 202


def keep(desk: Desk, name: str, *, whole: bool = False) -> None:
    """A picture of what is seen, in the folder MEDQL_PICTURES if there is one."""
    if folder := os.environ.get("MEDQL_PICTURES"):
        desk.page.screenshot(path=Path(folder) / f"{name}.png", full_page=whole)
