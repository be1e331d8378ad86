from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.desk import LOUDSPEAKER
from tests.strictness import chromium


@pytest.fixture(autouse=True)
def _slow_hash_of_the_server(settings):
    """The server process knows the real hasher only."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]


@pytest.fixture
def browser(chrome: Browser) -> Iterator[Browser]:
    """What a test leaves open is closed after it: a board whose server is gone asks for it again and again."""
    yield chrome
    for context in chrome.contexts:
        context.close()


@pytest.fixture(scope="package")
def chrome() -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as play:
        # Playwright's sync API runs in a loop of its own; Django would take that for an async caller.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        chrome = play.chromium.launch(executable_path=chromium(), args=["--no-sandbox", LOUDSPEAKER])
        yield chrome
        chrome.close()
