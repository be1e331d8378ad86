"""A row and a further item of the same patient, sensor and time: disjoint values are merged, the first of two stays."""

from __future__ import annotations

from typing import Any

from monitoring.clinical.signs import PRESSURES, in_order
from monitoring.models import Vital
from monitoring.services.items import PRESSURE_ORDER, Item, Refused


def put(row: Vital, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, row.status | value if name == "status" else value)


def keep_order(row: Vital, added: dict[str, Any], item: Item) -> None:
    """Pressures that were in order apart may not be so together: what came later is refused."""
    if not in_order({sign: added.get(sign, getattr(row, sign)) for sign in PRESSURES}):
        for sign in PRESSURES:
            if added.pop(sign, None) is not None:
                item.refused.append(Refused("pressure_order", PRESSURE_ORDER, sign.value))


def compare(row: Vital, item: Item) -> tuple[dict[str, Any], bool]:
    """What the item adds to a row that is there, and whether it repeats any of it. Another value of a field is refused."""
    added: dict[str, Any] = {}
    same = False
    for name, value in item.values.items():
        present = getattr(row, name)
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
    return added, same
