"""Take the pictures of docs/ from a running demo: `make demo`, then `.venv/bin/python -m tests.browser.pictures [URL]`.

Waits for a calm ward and for one in alarm, and takes each on a wall screen and on a phone.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.strictness import LOUDSPEAKER, chromium

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
SIZES = {"wall": (1920, 1080), "phone": (390, 844)}
PATIENCE = 600.0


def main(url: str) -> None:
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as play:
        chrome = play.chromium.launch(executable_path=chromium(), args=["--no-sandbox", LOUDSPEAKER])
        pages = {
            name: signed_in(chrome.new_page(viewport={"width": width, "height": height}), url)
            for name, (width, height) in SIZES.items()
        }
        take(pages, "calm", lambda alerts: alerts == 0)
        take(pages, "alarm", lambda alerts: alerts >= 2)
        chrome.close()


def signed_in(page: Page, url: str) -> Page:
    page.goto(url)
    page.fill("#id_username", "nurse")
    page.fill("#id_password", "demo-nurse")
    page.click("button[type=submit]")
    page.wait_for_selector("#link[data-state=live]")
    return page


def take(pages: dict[str, Page], mood: str, wanted) -> None:
    wall = pages["wall"]
    deadline = time.monotonic() + PATIENCE
    while not wanted(wall.locator("#rail .alert").count()):
        if time.monotonic() > deadline:
            raise SystemExit(f"The ward was never {mood}.")
        wall.wait_for_timeout(500)
    for name, page in pages.items():
        page.screenshot(path=FOLDER / f"{mood}-{name}.png")
        print(FOLDER / f"{mood}-{name}.png")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000/")
