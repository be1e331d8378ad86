"""A row and a further item of the same patient, sensor and time: disjoint values are merged, the first of two stays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from monitoring.clinical.signs import PRESSURES, in_order
from monitoring.models import Vital, VitalChange
from monitoring.services.items import PRESSURE_ORDER, Item, Refused

IN_ERROR = "What this sensor measured at this time was marked as entered in error; nothing is added to it."

Former = Mapping[int, Mapping[str, Sequence[Any]]]  # by row and field


def put(row: Vital, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, row.status | value if name == "status" else value)


def keep_order(row: Vital, added: dict[str, Any], item: Item) -> None:
    """Pressures that were in order apart may not be so together: what came later is refused."""
    if not in_order({sign: added.get(sign, getattr(row, sign)) for sign in PRESSURES}):
        for sign in PRESSURES:
            if added.pop(sign, None) is not None:
                item.refused.append(Refused("pressure_order", PRESSURE_ORDER, sign.value))


def former_values(rows: Iterable[Vital]) -> Former:
    """What rows said before they were corrected. One query, and none where nothing was changed since it was stored."""
    changed = [row.pk for row in rows if row.version > 1]
    found: dict[int, dict[str, list[Any]]] = {}
    if changed:
        for key, was in VitalChange.objects.filter(vital__in=changed).values_list("vital", "was"):
            for name, value in was.items():
                found.setdefault(key, {}).setdefault(name, []).append(value)
    return found


def compare(row: Vital, item: Item, former: Former) -> tuple[dict[str, Any], bool]:
    """What the item adds to a row that is there, and whether it repeats any of it. Another value of a field is refused.

    What a person has put right since is no news: the device only sends again what it had sent.
    """
    added: dict[str, Any] = {}
    same = False
    corrected = former.get(row.pk, {})
    for name, value in item.values.items():
        present = getattr(row, name)
        if value in corrected.get(name, ()):
            same = True
            continue
        if name == "status":
            missing = {of: word for of, word in value.items() if of not in present}
            clash = any(present.get(of, word) != word for of, word in value.items())
            if missing:
                added["status"] = missing
            same = same or len(missing) < len(value)
        else:
            clash = present not in (None, "", value)
            if present in (None, ""):
                added[name] = value
            same = same or present == value
        if clash:
            item.refused.append(Refused("conflict", "Another value is stored for this sensor and time; it stays.", name))
    if row.erroneous_at:
        item.refused += [Refused("conflict", IN_ERROR, name) for name in added]
        added = {}
    return added, same
