"""Several alerts as drawn: bundled where they are many, folded where they are too many, and never left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from monitoring.board.notices import Notice
from monitoring.clinical.limits import Severity
from monitoring.clinical.together import MULTIPLE_SIGNS
from monitoring.models import Alert

MOST = 3  # alerts on a tile before the rest is folded
RAIL_MOST = 2  # of one patient in the rail


@dataclass(frozen=True, slots=True)
class Stack:
    """What is shown of several alerts, and what is folded beneath. Nothing is in neither."""

    shown: tuple[Notice, ...] = ()
    rest: tuple[Notice, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.shown)

    @property
    def count(self) -> int:
        """Of the folded alerts, with those that they bundle."""
        return sum(1 + len(notice.members) for notice in self.rest)

    @property
    def tally(self) -> str:
        """`1 critical, 3 warning; 2 not taken`."""
        folded = [each for notice in self.rest for each in (notice, *notice.members)]
        severities = Counter(each.alert.severity for each in folded)
        told = ", ".join(f"{severities[severity]} {severity}" for severity in Severity if severities[severity])
        waiting = sum(not each.is_taken for each in folded)
        return f"{told}; {waiting} not taken" if waiting else f"{told}; all taken"

    @property
    def classes(self) -> str:
        """As bad as the worst of what is folded, and flashing as long as any of it would."""
        raised = [notice for notice in self.rest if notice.look == "raised" and not notice.is_technical]
        worst = min(raised or self.rest, key=lambda notice: notice.order)
        return f"{worst.alert.severity} {'raised' if raised else 'taken'}"


@dataclass(frozen=True, slots=True)
class Entry:
    """What the rail says of one patient or device: one alert, or several under the worst of them."""

    lead: Notice
    stack: Stack

    @property
    def key(self) -> str:
        return self.lead.alert.subject.replace(":", "-") if self.stack.rest else self.lead.key


def bundled(notices: Sequence[Notice]) -> list[Notice]:
    """The alerts of one patient in their fixed order, several signs at once as one line.

    A sign that got worse after somebody took them together stands on its own again.
    """
    ordered = sorted(notices, key=lambda notice: notice.order)
    head = next((each for each in ordered if each.alert.condition == MULTIPLE_SIGNS and each.look != "returned"), None)
    if head is None:
        return ordered
    members = [each for each in ordered if _is_active_sign(each) and (each.is_taken or not head.is_taken)]
    bundle = replace(head, members=tuple(members))
    lines = [bundle if each is head else each for each in ordered if each not in members]
    return sorted(lines, key=lambda notice: notice.order)


def _is_active_sign(notice: Notice) -> bool:
    alert = notice.alert
    return alert.kind == Alert.Kind.PHYSIOLOGICAL and bool(alert.sign) and notice.look != "returned"


def stack(notices: Sequence[Notice], most: int = MOST) -> Stack:
    return Stack(tuple(notices[:most]), tuple(notices[most:]))


def rail(notices: Iterable[Notice]) -> list[Entry]:
    """The worst first; a patient or device with many alerts has one entry."""
    by_subject: dict[str, list[Notice]] = {}
    for notice in notices:
        by_subject.setdefault(notice.alert.subject, []).append(notice)
    entries = []
    for of_one in by_subject.values():
        lines = sorted(bundled(of_one), key=lambda notice: notice.urgency)
        if len(lines) > RAIL_MOST:
            entries.append(Entry(lines[0], stack(lines, 1)))
        else:
            entries += [Entry(line, Stack((line,))) for line in lines]
    return sorted(entries, key=lambda entry: entry.lead.urgency)
