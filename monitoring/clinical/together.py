"""Two signs at once: worse than either, and one call instead of two."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import combinations

from monitoring.clinical.episode import Call, Episode, Kind, State
from monitoring.clinical.limits import DELAY, Severity, phrase
from monitoring.clinical.signs import FACTS

MULTIPLE_SIGNS = "multiple_signs"
ENOUGH = 2  # distinct signs
TOGETHER = timedelta(seconds=DELAY)  # both have to stand beyond for so long


def members(state: State) -> list[Episode]:
    """The active alerts of single signs."""
    signs = [each for each in state.episodes.values() if each.kind is Kind.PHYSIOLOGICAL and each.sign]
    return [episode for episode in signs if episode.is_active]


def call(state: State) -> Call | None:
    """Critical as soon as two distinct signs are beyond at once, until fewer than two of them have an active alert."""
    bundled = sorted(members(state), key=lambda episode: (-episode.severity.rank, episode.raised_at, episode.condition))
    going_on = MULTIPLE_SIGNS in state.episodes and state.episodes[MULTIPLE_SIGNS].is_active
    if len({FACTS[episode.sign].group for episode in bundled if episode.sign}) < ENOUGH:
        return None
    if not going_on and not _beyond_together(state):
        return None
    return Call(Kind.PHYSIOLOGICAL, Severity.CRITICAL, " · ".join(_said(episode) for episode in bundled)[:200])


def _beyond_together(state: State) -> bool:
    """Sensors of two signs have stood beyond at the same time for the delay. A spot value stands for as long as it is fresh."""
    spans: dict[str, list[tuple[datetime, datetime]]] = {}
    for sign, by_sensor in state.standings.items():
        for standing in by_sensor.values():
            begun = [each.beyond_since for each in standing.excursions if each.is_active and each.beyond_since]
            if begun:
                until = standing.measured_at if standing.continuous else standing.old_at
                spans.setdefault(FACTS[sign].group, []).append((min(begun), until))
    return any(
        min(one_end, other_end) - max(one_begin, other_begin) >= TOGETHER
        for one, other in combinations(spans.values(), 2)
        for one_begin, one_end in one
        for other_begin, other_end in other
    )


def _said(episode: Episode) -> str:
    assert episode.sign and episode.side and episode.value is not None and episode.limit is not None
    return phrase(episode.sign, episode.side, episode.value, episode.limit)
