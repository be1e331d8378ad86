from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _nobody_is_hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who opens the event stream in this process says himself when he begins, however slow the machine is."""
    monkeypatch.setattr("monitoring.stream.socket.WAIT", 3600.0)
