"""Sensors that send steadily, and the watcher's look at what time has done to them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from monitoring.models import Alert
from monitoring.services import technical
from tests.world import series

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def steady(patient: Any, until: datetime, *, every: float = 10.0, minutes: float = 4, **values: Any) -> list[dict[str, Any]]:
    """Readings that make a sensor continuous; the newest is of `until`."""
    count = int(60 * minutes / every)
    return series(patient, until - timedelta(seconds=every * count), [values] * (count + 1), every)


def watch(now: datetime) -> None:
    """Everything that the watcher's looks find at this time."""
    for step in (technical.end_lost_links, technical.look_around):
        for _ in range(100):
            if not step(now=now):
                break
        else:
            raise AssertionError(f"{step.__name__} finds work for ever")


def told(**where: Any) -> list[tuple[str, str]]:
    """The open alerts, as condition and severity."""
    return sorted(Alert.objects.open().filter(**where).values_list("condition", "severity"))
