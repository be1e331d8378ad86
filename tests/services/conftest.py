from __future__ import annotations

import pytest
import time_machine

from tests.services.alerting import raised
from tests.services.receivers import post_office, receiver


@pytest.fixture
def clock(now):
    """Ours, which stands still until it is shifted."""
    with time_machine.travel(now, tick=False) as clock:
        yield clock


@pytest.fixture
def alert(ada, now):
    """Ada's, critical, and nobody's."""
    return raised(ada, now)


@pytest.fixture
def mail():
    with post_office() as office:
        yield office


@pytest.fixture
def hook():
    with receiver() as seen:
        yield seen
