"""Which sensor leads an alert: the one that stands worst of those that hold its condition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from monitoring.clinical.episode import Episode, State
from monitoring.clinical.limits import Breach, Limits, Severity
from monitoring.clinical.sensor import Standing
from monitoring.clinical.signs import Side, Sign, members


class Lead(NamedTuple):
    """The sensor that stands worst in a condition; `limit` is the one that its severity is about."""

    severity: Severity
    sign: Sign
    side: Side
    value: float
    limit: float
    at: datetime
    since: datetime

    @property
    def over(self) -> float:
        """How far beyond the limit, as a share of it; not positive while it is on its way back."""
        distance = self.limit - self.value if self.side is Side.LOW else self.value - self.limit
        return distance / max(abs(self.limit), 1.0)

    @property
    def badness(self) -> tuple[int, bool, float]:
        return self.severity.rank, self.over > 0, self.over


def lead_of(state: State, limits: Mapping[Sign, Limits], name: str) -> Lead | None:
    """The worst of what the sensors of a condition hold."""
    leads = (_lead(limits[sign], sign, side, standing) for sign, side, standing in holders(state, name))
    return max(leads, key=lambda lead: lead.badness, default=None)


def _lead(limits: Limits, sign: Sign, side: Side, standing: Standing) -> Lead:
    active = [each for each in standing.excursions if each.side is side and each.is_active]
    worst = max(active, key=lambda each: each.severity.rank)
    limit = getattr(limits, f"{worst.severity}_{side}")
    known = standing.value if limit is None else limit  # the limit was taken away since
    return Lead(worst.severity, sign, side, standing.value, known, standing.measured_at, min(each.since for each in active))


def holders(state: State, name: str) -> Iterator[tuple[Sign, Side, Standing]]:
    """The sensors that hold a condition."""
    for sign, side in members(name):
        for standing in state.standings.get(sign, {}).values():
            if standing.excursions and standing.active(side):
                yield sign, side, standing


def worst_of(one: Severity, other: Severity) -> Severity:
    return max(one, other, key=lambda severity: severity.rank)


def may_ease(episode: Episode) -> bool:
    """What was critical stays critical until somebody has taken it."""
    return episode.acknowledged or episode.severity is not Severity.CRITICAL


def counted(episode: Episode, breach: Breach, at: datetime) -> Episode:
    """One more reading beyond: worst and last move when it is of the sign that leads the episode."""
    more = replace(episode, count=episode.count + 1, unconfirmed=False, last_measured_at=max(episode.last_measured_at, at))
    if breach.sign is not episode.sign:
        return more
    worst = min if breach.side is Side.LOW else max
    known = breach.value if episode.worst_value is None else episode.worst_value  # none: what it stood on was entered in error
    return replace(
        more,
        worst_value=worst(known, breach.value),
        last_value=breach.value if at >= episode.last_measured_at else episode.last_value,
    )


def led_by(lead: Lead, episode: Episode) -> Episode:
    """The episode as this sensor leads it; of another sign, worst and last start anew. One on its way back shows nothing."""
    led = replace(episode, severity=lead.severity)
    if lead.over <= 0:
        return led
    led = replace(led, value=lead.value, limit=lead.limit)
    return led if lead.sign is episode.sign else replace(led, sign=lead.sign, worst_value=lead.value, last_value=lead.value)
