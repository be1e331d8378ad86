"""What an alert says on the board: what led to it and, once that is no longer so, what is true now."""

from __future__ import annotations

import re
from datetime import datetime
from typing import NamedTuple

from monitoring.board.cells import drawn_sensor, source
from monitoring.board.news import News
from monitoring.clinical.episode import State
from monitoring.clinical.limits import Severity, phrase
from monitoring.clinical.scores import news2
from monitoring.clinical.signs import FACTS, Side, Sign, plain
from monitoring.models import Alert

SCORED = re.compile(r"NEWS2 (?:at (least) )?(\d+)(?:: (.*))?$")


class Holder(NamedTuple):
    """The newest value of the sensor that holds an alert; `sensor` is empty when the cell draws that one."""

    value: float
    sensor: str = ""


def holder(alert: Alert, state: State, *, now: datetime) -> Holder | None:
    """Of the sensors that hold the alert in its sign the one that stands worst; None when none does."""
    if not alert.sign:
        return None
    sign, side = Sign(alert.sign), Side(alert.side)
    holding = {name: each.value for name, each in state.standings.get(sign, {}).items() if each.active(side)}
    if not holding:
        return None
    drawn = drawn_sensor(state, sign, now=now)
    worst = min if side is Side.LOW else max
    name = worst(holding, key=lambda name: (holding[name], name == drawn))
    return Holder(holding[name], "" if name == drawn else source(name))


def of_value(alert: Alert, present: float | None) -> str:
    """`MAP 43.7 < 61 mmHg`, and `MAP was 43.7 < 61, now 64.6 mmHg` when the present value is not beyond that limit."""
    if present is None or alert.threshold_breached is None or not alert.sign:
        return alert.message
    sign, side = Sign(alert.sign), Side(alert.side)
    if _is_beyond(alert, present):
        return phrase(sign, side, present, alert.threshold_breached)
    if alert.vital_value is None or alert.vital_value == present:
        return alert.message
    sense = "<" if side is Side.LOW else ">"
    was = f"{plain(alert.vital_value)} {sense} {plain(alert.threshold_breached)}"
    return f"{FACTS[sign].label} was {was}, now {plain(present)} {FACTS[sign].unit}"


def of_value_alone(alert: Alert, present: float | None) -> str:
    """`MAP 43.7` or `MAP was 43.7, now 64.6`."""
    label, first = FACTS[Sign(alert.sign)].label, alert.vital_value
    if present is None:
        return label if first is None else f"{label} {plain(first)}"
    if first is None or first == present or _is_beyond(alert, present):
        return f"{label} {plain(present)}"
    return f"{label} was {plain(first)}, now {plain(present)}"


def _is_beyond(alert: Alert, value: float) -> bool:
    """Beyond the limit that the alert is about; where there is none, nothing is inside."""
    if alert.threshold_breached is None:
        return True
    return value < alert.threshold_breached if alert.side == Side.LOW else value > alert.threshold_breached


def of_score(alert: Alert, present: News | None) -> str:
    """`NEWS2 ≥ 7: RR 25 (3), …` of the parts with points, or `NEWS2 was ≥ 7, now ≥ 2` when it calls for less by now."""
    told = SCORED.match(alert.message)
    if told is None:
        return alert.message
    least, number, rest = told.groups()
    score = f"≥ {number}" if least else number
    if present is None or present.refusal or _calls_for(present) >= Severity(alert.severity).rank:
        parts = [each for each in (rest or "").split(", ") if each.endswith(")")]  # with points; what is missing has none
        return f"NEWS2 {score}" + (": " + ", ".join(parts) if parts else "")
    if alert.severity == Severity.CRITICAL and int(number) < news2.HIGH:
        score = f"≥ {news2.HIGH}"  # its sentence went on with the score, its severity stayed
    return f"NEWS2 was {score}, now {'not known' if present.text == '–' else present.text}"


def _calls_for(present: News) -> int:
    return present.severity.rank if present.severity else 0


def over(alert: Alert) -> str:
    """Of one that has returned: its sign may be beyond on the other side by now, so it is not called inside."""
    return f"no longer {alert.side}" if alert.side else "over"


def note(alert: Alert, present: News) -> str:
    """`NEWS2: RR 36 (3)`: a single 3 in the score that the alert's sign has; that calls nobody apart."""
    if present.note is None or not alert.sign or FACTS[present.note.sign].group != FACTS[Sign(alert.sign)].group:
        return ""
    label = FACTS[present.note.sign].label
    return next(f"NEWS2: {label} {part.value} (3)" for part in present.parts if part.label == label)


def initials(name: str) -> str:
    """Of the first and the last word of a name, for a board that everybody may read: “Ada King Byron” is “A. B.”"""
    parts = name.split()
    return " ".join(f"{part[0].upper()}." for part in dict.fromkeys((parts[0], parts[-1]))) if parts else ""
