"""Clocks that were set back: what is known moves with them, so that nothing ends by it and nothing waits for an hour."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from monitoring.clinical.episode import State
from monitoring.clinical.sensor import Excursion, Standing

# No value is let in that is more than 30 s ahead of our clock; what is further ahead was said before a clock was set back.
AHEAD = timedelta(minutes=1)


def is_ahead(standing: Standing, now: datetime) -> bool:
    """Its newest value lies in a future that our clock has taken back."""
    return standing.measured_at - now > AHEAD


def put_before(standing: Standing, at: datetime) -> Standing:
    """The standing as if its newest value had come one rhythm before this time: from here it goes on in order."""
    by = standing.measured_at - at + timedelta(seconds=standing.interval or 1)
    return replace(
        standing,
        measured_at=standing.measured_at - by,
        steady_since=standing.steady_since and standing.steady_since - by,
        excursions=tuple(_earlier(each, by) for each in standing.excursions),
        recent=tuple((time - by, value) for time, value in standing.recent),
    )


def follow_clock(state: State, now: datetime) -> None:
    """After our own clock was set back, move what is counted by it: a silence stays as long as it was."""
    seen = [each.seen_at for by_sensor in state.standings.values() for each in by_sensor.values() if each.seen_at]
    if max(seen, default=now) - now <= AHEAD:
        return
    by = max([*seen, *(each.raised_at for each in state.episodes.values() if each.is_open)]) - now
    for by_sensor in state.standings.values():
        for name, each in by_sensor.items():
            by_sensor[name] = replace(each, seen_at=each.seen_at and each.seen_at - by)
    if state.scored:
        excursions = tuple(_earlier(each, by) for each in state.scored.excursions)
        state.scored = replace(state.scored, excursions=excursions, at=state.scored.at and state.scored.at - by)


def _earlier(excursion: Excursion, by: timedelta) -> Excursion:
    return replace(
        excursion,
        since=excursion.since - by,
        beyond_since=excursion.beyond_since and excursion.beyond_since - by,
        inside_since=excursion.inside_since and excursion.inside_since - by,
    )
