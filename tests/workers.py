"""Several test processes at once: each has a database of its own by pytest-django, and here a Redis of its own.

Loaded before the settings are (`-p` in pyproject.toml).
"""

from __future__ import annotations

import os

import pytest

WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))

WORKER = 0  # the number of this process

if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    WORKER = int(worker.removeprefix("gw"))
    os.environ["REDIS_PREFIX"] = f"medql-{worker}"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each process begins with a recorded day, which takes minutes: left to the end, one process would play them all."""
    long = [item for item in items if item.get_closest_marker("recordings") and item.get_closest_marker("django_db")]
    short = [item for item in items if item not in long]
    share = len(short) // WORKERS
    for place, item in enumerate(long):
        short.insert(place % WORKERS * (share + 1), item)
    items[:] = short
