"""Older standings of a sensor, from which its last minutes are folded again when a reading comes out of order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from monitoring.clinical.episode import State
from monitoring.clinical.limits import Severity
from monitoring.clinical.sensor import Standing
from monitoring.clinical.signs import Side, Sign

LIVE_WINDOW = timedelta(minutes=10)  # an older reading is history: kept and drawn, but it calls nobody
ANCHOR_EVERY = LIVE_WINDOW + timedelta(minutes=1)  # so that one anchor is always older than any reading that is live
REACH = 2 * ANCHOR_EVERY  # how far back a window can begin

Thread = tuple[Sign, str]  # one sensor's values of one sign


def gains(start: Standing | None, without: Sequence[Standing], with_them: Sequence[Standing]) -> dict[Side, Severity]:
    """On each side the worst that held at some time, and did not by what was known before."""
    gained: dict[Side, Severity] = {}
    place, known = 0, start
    for standing in with_them:
        while place < len(without) and without[place].measured_at <= standing.measured_at:
            known = without[place]
            place += 1
        for side in Side:
            now, before = standing.active(side), known.active(side) if known else None
            if now and (before is None or now.rank > before.rank) and (side not in gained or now.rank > gained[side].rank):
                gained[side] = now
    return gained


def start_of(state: State, thread: Thread, at: datetime) -> tuple[Standing | None, datetime]:
    """The newest anchor that is older than this time, and from when the samples after it are."""
    anchors = state.anchors.get(thread[0], {}).get(thread[1], ())
    older = [anchor for anchor in anchors if anchor.measured_at < at]
    if older:
        return older[-1], older[-1].measured_at
    return None, at - REACH


def drop(state: State, thread: Thread, standing: Standing, at: datetime) -> None:
    """Keep the first standing, and then one every ANCHOR_EVERY: the last two."""
    by_sensor = state.anchors.setdefault(thread[0], {})
    anchors = by_sensor.get(thread[1], ())
    if not anchors or at - anchors[-1].measured_at >= ANCHOR_EVERY:
        by_sensor[thread[1]] = (*anchors, standing)[-2:]


def mend(state: State, thread: Thread, folded: Sequence[Standing]) -> None:
    """An anchor behind a reading that came out of order stands elsewhere now."""
    by_time = {standing.measured_at: standing for standing in folded}
    anchors = state.anchors.get(thread[0], {}).get(thread[1], ())
    if anchors:
        mended = tuple(by_time.get(anchor.measured_at, anchor) for anchor in anchors)
        state.anchors[thread[0]][thread[1]] = mended
