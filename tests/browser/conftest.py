from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, expect, sync_playwright

from tests.strictness import LOUDSPEAKER, chromium

PATIENCE = 60_000  # ms: of a busy machine, for what is sure to come
expect.set_options(timeout=PATIENCE)


@pytest.fixture(autouse=True)
def _hash_of_the_server(settings):
    """The server process knows the real hasher only."""
    settings.PASSWORD_HASHERS = ["accounts.hashing.Argon2"]


# How chromium says that a page wanted what its policy forbids.
FORBIDDEN = ("Content Security Policy", "requires 'Trusted", "Permissions-Policy", "Permissions policy")


@pytest.fixture
def forbidden() -> list[str]:
    """What pages wanted and their policy forbids: nothing, when a test ends."""
    return []


@pytest.fixture
def browser(chrome: Browser, forbidden: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """What a test leaves open is closed after it: a board whose server is gone asks for it again and again."""

    def listen(message: ConsoleMessage) -> None:
        if any(words in message.text for words in FORBIDDEN):
            forbidden.append(f"{message.location['url']}: {message.text}")

    make = chrome.new_context

    def new_context(**wanted: Any) -> BrowserContext:
        context = make(**wanted)
        context.set_default_timeout(PATIENCE)
        context.on("console", listen)
        return context

    monkeypatch.setattr(chrome, "new_context", new_context)
    yield chrome
    for context in chrome.contexts:
        context.close()
    assert forbidden == []


@pytest.fixture(scope="package")
def chrome() -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as play:
        # Playwright's sync API runs in a loop of its own; Django would take that for an async caller.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        chrome = play.chromium.launch(executable_path=chromium(), args=["--no-sandbox", LOUDSPEAKER])
        yield chrome
        chrome.close()
