"""Limits as a body says them: parsed into overrides, or refused field by field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import Any, cast

from accounts.api.bodies import PLAIN
from monitoring.clinical.limits import Limits
from monitoring.clinical.overrides import SIDES, Override
from monitoring.clinical.signs import Sign
from monitoring.models.threshold import Part
from monitoring.services.refusals import Key

NUMBERS = {**{side: side for side in SIDES}, "margin": "margin", "bound_low": "bound_low", "bound_high": "bound_high"}
# What an answer says of limits besides; sent back it is taken, and means nothing but `source`.
ECHOED = frozenset({"source", "by", "at", "night", "off", "set_on", "band"})
KNOWN = frozenset({"sign", "part", "delay_s", "reason", "expires_at", *NUMBERS}) | ECHOED
LONGEST_REASON = 200
REASON = f"A text of at most {LONGEST_REASON} letters, on one line."
LARGEST = 1e6  # beyond any measure; the ranges of the signs are the rules' to hold


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, at which item (none: the body itself) and field."""

    field: str
    detail: str
    index: int | None = None
    sign: str | None = None
    code: str = "invalid"


@dataclass
class Wanted:
    """The overrides that a body asks for, and what of it cannot be read."""

    overrides: dict[Key, Override] = field(default_factory=dict)
    sources: dict[Key, str] = field(default_factory=dict)  # as they were read, of items sent back
    places: dict[Key, int] = field(default_factory=dict)  # which item said it
    problems: list[Problem] = field(default_factory=list)

    def limits(self, shipped: Mapping[Sign, Limits]) -> dict[Sign, Limits]:
        """The limits of the day, for a rule; margins and delays that were left out are the shipped ones."""
        return {sign: wanted.over(shipped[sign]) for (sign, part), wanted in self.overrides.items() if part == Part.ALWAYS}


def read(items: Any, *, reason: str = "") -> Wanted:
    """The items of `limits`; `reason` stands for those that give none."""
    wanted = Wanted()
    if not isinstance(items, list):
        wanted.problems.append(Problem("limits", "A list of limits, each with its sign."))
        return wanted
    for index, item in enumerate(items):
        if isinstance(item, dict):
            _take(wanted, index, cast(dict[str, Any], item), reason)
        else:
            wanted.problems.append(Problem("limits", "Limits are an object with a sign.", index))
    return wanted


def _take(wanted: Wanted, index: int, item: dict[str, Any], reason: str) -> None:
    name = item.get("sign")
    if not isinstance(name, str) or name not in set(Sign):
        wanted.problems.append(Problem("sign", f"One of {', '.join(Sign)}.", index))
        return
    found: dict[str, str] = {unknown: "There is no such field." for unknown in item.keys() - KNOWN}
    part = item.get("part") or Part.ALWAYS.value
    if part not in Part.values:
        found["part"] = "“night”, or left out."
        part = Part.ALWAYS
    override = _override(item, reason, found)
    key = Sign(name), Part(part)
    if key in wanted.overrides:
        found["sign"] = "This sign is given twice."
    for at_field, detail in found.items():
        code = "unknown_field" if at_field not in KNOWN else "invalid"
        wanted.problems.append(Problem(at_field, detail, index, name, code))
    wanted.overrides[key], wanted.places[key] = override, index
    if isinstance(item.get("source"), str):
        wanted.sources[key] = item["source"]


def _override(item: dict[str, Any], reason: str, found: dict[str, str]) -> Override:
    """What an item says; what cannot be read is left empty and named in `found`."""
    numbers: dict[str, float | None] = {}
    for name, attribute in NUMBERS.items():
        numbers[attribute] = _number(item, name, found)
    delay = _number(item, "delay_s", found)
    if delay is not None and not delay.is_integer():
        found["delay_s"] = "Whole seconds."
        delay = None
    return Override(
        **numbers,
        delay=None if delay is None else int(delay),
        reason=_reason(item, reason, found),
        expires_at=_time(item.get("expires_at"), found),
    )


def _number(item: dict[str, Any], name: str, found: dict[str, str]) -> float | None:
    value = item.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not -LARGEST <= value <= LARGEST:
        found[name] = "A number, or null."
        return None
    return float(value)


def _reason(item: dict[str, Any], otherwise: str, found: dict[str, str]) -> str:
    value = item.get("reason")
    if value is None or value == "":
        return otherwise
    if not is_reason(value):
        found["reason"] = REASON
        return ""
    return str(value)


def is_reason(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_REASON and re.fullmatch(PLAIN, value) is not None


def _time(value: Any, found: dict[str, str]) -> datetime | None:
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    found["expires_at"] = "A time with its offset, as 2026-12-01T08:00:00Z."
    return None


def hours(value: Any, problems: list[Problem]) -> tuple[time, time] | None:
    """`{"from": "22:00", "until": "06:00"}` as two times; null is no night."""
    if value is None:
        return None
    times: list[time] = []
    for name in ("from", "until"):
        try:
            times.append(time.fromisoformat(value[name]))
        except (TypeError, KeyError, ValueError):
            problems.append(Problem(f"night.{name}", "A time of the day, as 22:00."))
    if any(at.tzinfo for at in times):
        problems.append(Problem("night", "By the clock of the ward, without an offset."))
    return (times[0], times[1]) if len(times) == 2 else None
