"""The static files are looked for once a process: each test client makes a handler, which would search the disk anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from servestatic.middleware import ServeStaticMiddleware


@pytest.fixture(scope="session", autouse=True)
def _static_files_found_once() -> Iterator[None]:
    look = ServeStaticMiddleware.add_files_from_finders
    found: dict[str, Any] = {}

    def look_once(middleware: ServeStaticMiddleware) -> None:
        if not found:
            look(middleware)
            found.update(middleware.files)
        middleware.files.update(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ServeStaticMiddleware, "add_files_from_finders", look_once)
        yield
