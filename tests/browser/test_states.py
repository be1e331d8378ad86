"""The board with an alert in every state, and in a storm: on a wall, a desk and a phone nothing is cut off.

MEDQL_PICTURES=FOLDER keeps what was seen.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.utils import timezone

from tests.browser import states
from tests.browser.desk import Desk, keep
from tests.browser.states import Stage
from tests.live.processes import running

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIZES = {"wall": (1920, 1080), "desk": (1366, 768), "phone": (390, 844)}
SCENES = {"calm": (states.calm, 12), "states": (states.every_state, 12), "storm": (states.storm, 40)}


@pytest.mark.parametrize("scene", SCENES)
def test_nothing_runs_off_the_side(browser, north, noor, dora, scene):
    play, beds = SCENES[scene]
    with running() as server:
        stage = Stage.build(north, noor, dora, beds=beds, now=timezone.now())
        apart(lambda: play(stage))
        for name, (width, height) in SIZES.items():
            desk = Desk(browser, server, width, height).sign_in("noor")
            keep(desk, f"{scene}-{name}", whole=name == "phone")

            assert desk.too_wide() == []
            assert desk.complaints == []


def apart(play: Callable[[], object]) -> None:
    """In a thread of its own: Playwright's has a loop, in which the door of the devices cannot be opened."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(play).result()
        pool.submit(connections.close_all).result()
