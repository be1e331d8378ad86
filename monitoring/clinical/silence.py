"""A sensor that fell silent: "cannot measure", never "normal". It ends no alert, and is told itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from monitoring.clinical.episode import Call, Kind, State
from monitoring.clinical.limits import Severity
from monitoring.clinical.sensor import FRESH, Standing
from monitoring.clinical.signs import FACTS, Sign

NO_DATA = "no_data"
BY_HAND = "manual"  # the sensor of entries by hand: people keep no schedule
PERSON = "@"  # before the name of who entered it; no device's sensor has it
PRESSURES = FACTS[Sign.MEAN_BP].group
SILENT_AFTER = timedelta(minutes=2)  # or four of the sensor's rhythms
OFTEN = timedelta(minutes=15)  # a cuff that measures at least so often stands in for a continuous sensor
# A slow cuff speaks for hours. A look that lies further ahead than minutes is taken for one of a clock that was set back.
LONGEST_PAUSE = timedelta(minutes=9)


def silent_after(standing: Standing) -> timedelta:
    """How long nothing may come from a continuous sensor before somebody is told."""
    return max(SILENT_AFTER, 4 * timedelta(seconds=standing.interval or 0))


def silent(state: State, now: datetime) -> Iterator[tuple[Sign, str]]:
    """Of each group of signs that somebody is to measure and nobody measures now: the sign and sensor heard last."""
    for expected, until in _awaited(state):
        if until <= now:
            _, sign, name = max(expected)
            yield sign, name


def told(state: State, now: datetime) -> set[tuple[Sign, str]]:
    """The signs and sensors that the open alert names; none is open: none."""
    episode = state.episodes.get(NO_DATA)
    return set(silent(state, now)) if episode and episode.is_open else set()


def _awaited(state: State) -> Iterator[tuple[list[tuple[datetime, Sign, str]], datetime]]:
    """Each group of signs that somebody is to measure: who, and when the last that speaks for it will be silent."""
    groups: dict[str, list[tuple[datetime, Sign, str, Standing]]] = {}
    for sign, by_sensor in state.standings.items():
        heard = groups.setdefault(FACTS[sign].group, [])
        heard += [(standing.measured_at, sign, name, standing) for name, standing in by_sensor.items()]
    for heard in groups.values():
        due = [each for each in heard if _is_due(*each[1:]) and not _stands_by(state, each[2], each[0])]
        continuous = [each for each in due if each[3].continuous]
        if expected := continuous or due:
            longest = OFTEN if continuous else timedelta.max
            yield [each[:3] for each in expected], max(_speaks_until(*each[2:], longest) for each in heard)


def _is_due(sign: Sign, name: str, standing: Standing) -> bool:
    """Something is to come from it: from a continuous sensor, and from a cuff that has measured at set times."""
    if _is_by_hand(name):
        return False
    return standing.continuous or (standing.scheduled and FACTS[sign].group == PRESSURES)


def _is_by_hand(name: str) -> bool:
    """`manual`, `manual:@noor:HR` of who typed a single value, or `cuff-1:@noor:SBP` of who read it there."""
    return name == BY_HAND or name.startswith(f"{BY_HAND}:") or PERSON in name


def _stands_by(state: State, sensor: str, since: datetime) -> bool:
    word = state.devices.get(sensor)
    return word is not None and word.status == "standby" and word.said_at >= since


def _speaks_until(name: str, standing: Standing, longest: timedelta = timedelta.max) -> datetime:
    """How long a sensor's newest value says that its sign is measured; a cuff's only where its rhythm is no longer than this.

    A spot check, a round by hand or a rare cuff is a look in passing: it stands in for nothing that was lost.
    """
    if standing.continuous:
        return _seen(standing) + silent_after(standing)
    if standing.scheduled and not _is_by_hand(name) and timedelta(seconds=max(standing.paces)) <= longest:
        return _seen(standing) + standing.old_after
    has_begun = standing.steady_since is not None and standing.steady_since < standing.measured_at
    return _seen(standing) + (FRESH if has_begun else timedelta())


def next_look(state: State, now: datetime) -> datetime | None:
    """When the next group of signs will have been silent for too long, if nothing comes; or LONGEST_PAUSE ahead."""
    seen = [_seen(standing) for by_sensor in state.standings.values() for standing in by_sensor.values()]
    furthest = max([now, *seen]) + LONGEST_PAUSE
    return min((min(until, furthest) for _, until in _awaited(state) if until > now), default=None)


def grey_at(state: State) -> datetime | None:
    """When the last of the continuous sensors will be old, or was; None: none is expected to send."""
    return max((_seen(standing) + standing.old_after for standing in _expected(state)), default=None)


def heard_at(state: State) -> datetime | None:
    """When we last heard one of the continuous sensors, by our clock; None: none is expected to send."""
    return max((_seen(standing) for standing in _expected(state)), default=None)


def _expected(state: State) -> Iterator[Standing]:
    """The continuous sensors, but those on standby."""
    for by_sensor in state.standings.values():
        for name, standing in by_sensor.items():
            if standing.continuous and not _is_by_hand(name) and not _stands_by(state, name, standing.measured_at):
                yield standing


def _seen(standing: Standing) -> datetime:
    return standing.seen_at or standing.measured_at


def expect_no_more(state: State, now: datetime) -> None:
    """Somebody knows that these sensors are off: they are missed again only after they have sent steadily again."""
    for sign, by_sensor in state.standings.items():
        for name, standing in by_sensor.items():
            if _is_due(sign, name, standing) and _speaks_until(name, standing) <= now:
                by_sensor[name] = replace(standing, continuous=False, steady_since=None, paces=())


def call(state: State, now: datetime) -> Call | None:
    """One call for all the signs that are lost, naming them, their sensors, and what those say instead."""
    lost = list(silent(state, now))
    if not lost:
        return None
    signs: dict[str, list[str]] = {}
    for sign, name in lost:
        signs.setdefault(_where_and_why(state, sign, name), []).append(FACTS[sign].label)
    said = "; ".join(sorted(f"{', '.join(labels)} ({where})" for where, labels in signs.items()))
    groups = frozenset(FACTS[sign].group for sign, _ in lost)
    return Call(Kind.TECHNICAL, Severity.WARNING, f"cannot measure: {said}"[:200], groups)


def _where_and_why(state: State, sign: Sign, name: str) -> str:
    """The sensor, and what it says instead of a value."""
    word = state.words.get(sign, {}).get(name)
    standing = state.standings[sign][name]
    why = word.status.replace("_", " ") if word and word.said_at >= standing.measured_at else _lack(standing)
    return f"{name}, {why}"


def _lack(standing: Standing) -> str:
    return "cuff overdue" if standing.scheduled else "no data"
