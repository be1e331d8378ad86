"""The alarm rule for one sensor once more, by its definition and not by folding: slow, and written apart from the rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitoring.clinical.limits import ADULT, Severity
from monitoring.clinical.signs import Side, Sign

Points = Sequence[tuple[float, float]]  # (second, value), in order

ENOUGH = {Severity.CRITICAL: 1, Severity.WARNING: 4}


def active(sign: Sign, points: Points, side: Side) -> Severity | None:
    """The worst limit that counts as passed after all these values."""
    for severity in (Severity.CRITICAL, Severity.WARNING):
        confirming = list(confirmations(sign, points, side, severity))
        if confirming and not any(_clears(sign, points, at, side, severity) for at in range(confirming[-1] + 1, len(points))):
            return severity
    return None


def confirmations(sign: Sign, points: Points, side: Side, severity: Severity) -> Iterator[int]:
    """The places of the values that confirm an excursion by themselves or with those before them."""
    for at, (second, value) in enumerate(points):
        if not _is_beyond(sign, value, side, severity):
            continue
        runs = (begin for begin in range(at + 1) if _is_run(sign, points[begin : at + 1], side, severity))
        lasted = any(second - points[begin][0] >= 15 and at - begin + 1 >= ENOUGH[severity] for begin in runs)
        if lasted or not _is_continuous(points, at) or _is_grave(sign, value):
            yield at


def _is_run(sign: Sign, points: Points, side: Side, severity: Severity) -> bool:
    """From a value beyond on, none that ends a wait: any that is not beyond, of a critical limit only one that is well."""
    ends = _is_well if severity is Severity.CRITICAL else _is_not_beyond
    return _is_beyond(sign, points[0][1], side, severity) and not any(ends(sign, one, side, severity) for _, one in points)


def _is_not_beyond(sign: Sign, value: float, side: Side, severity: Severity) -> bool:
    return not _is_beyond(sign, value, side, severity)


def _is_grave(sign: Sign, value: float) -> bool:
    return (sign is Sign.SPO2 and value < 80) or (sign is Sign.HEART_RATE and value == 0)


def _clears(sign: Sign, points: Points, at: int, side: Side, severity: Severity) -> bool:
    if not _is_well(sign, points[at][1], side, severity):
        return False
    if not _is_continuous(points, at):
        return True
    return any(
        points[at][0] - points[begin][0] >= 300
        and all(_is_well(sign, one, side, severity) for _, one in points[begin : at + 1])
        for begin in range(at + 1)
    )


def _is_continuous(points: Points, at: int) -> bool:
    """Some three minutes up to this value had no gap of more than 66 s."""
    seconds = [second for second, _ in points[: at + 1]]
    return any(
        seconds[end] - seconds[begin] >= 180
        and all(later - earlier <= 66 for earlier, later in zip(seconds[begin:end], seconds[begin + 1 : end + 1], strict=True))
        for end in range(len(seconds))
        for begin in range(end)
    )


def _is_beyond(sign: Sign, value: float, side: Side, severity: Severity) -> bool:
    limit = getattr(ADULT[sign], f"{severity}_{side}")
    if limit is None:
        return False
    return value < limit if side is Side.LOW else value > limit


def _is_well(sign: Sign, value: float, side: Side, severity: Severity) -> bool:
    limit, margin = getattr(ADULT[sign], f"{severity}_{side}"), ADULT[sign].margin
    return value >= limit + margin if side is Side.LOW else value <= limit - margin
