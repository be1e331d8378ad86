"""What a device may send: one item of a batch, read value by value.

A value that is wrong is refused and every other one stays; an item is refused whole only for its address.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from re import Pattern
from typing import Any, cast

import msgspec

from accounts.fields import PATIENT_ID, SENSOR_ID
from monitoring.clinical.clock import AHEAD
from monitoring.clinical.signs import FACTS, PRESSURES, TYPES, Sign, in_order, other_unit

TOO_OLD = timedelta(days=30)
OLDEST_YEAR = 1900

ALIASES = {"respiration": "respiratory_rate", "temperature_c": "body_temp", "recorded_at": "timestamp"}
ADDRESS = {"patient_id", "sensor_id", "timestamp"}
SIGNS = {name: sign for sign, name in TYPES.items()}  # by the type of a single value
ONE_OF = f"One of {', '.join(SIGNS)}."
PRESSURE_ORDER = "Pressures run systolic ≥ mean ≥ diastolic."
CONSCIOUSNESS = {"A", "C", "V", "P", "U"}
HIGHEST_OXYGEN_FLOW = 80.0
DEVICE_STATUS = {"ok", "fault", "battery_low", "standby"}
SIGN_STATUS = {"ok", "probe_off", "no_signal", "artifact", "calibrating"}
STANDSTILL = {Sign.HEART_RATE: "asystole", Sign.RESPIRATORY_RATE: "apnoea"}
STATUS = {sign.value: SIGN_STATUS | {STANDSTILL[sign]} if sign in STANDSTILL else SIGN_STATUS for sign in Sign} | {
    "device": DEVICE_STATUS
}

NAME_END = re.compile(rb'"\s*:')

ITEM_CODES = {"unknown_patient", "not_admitted", "other_ward", "not_assigned", "future_timestamp", "too_old", "no_values"}


class Refused(Exception):
    """A value, or a whole item, that is not taken. The codes are those of the API contract."""

    def __init__(self, code: str, detail: str, field: str = "") -> None:
        super().__init__(detail)
        self.code, self.detail, self.field = code, detail, field


@dataclass
class Item:
    """One item as read. `values` holds what may be stored, by the name of its column; `refused` is why the rest may not."""

    position: int
    sent: str
    patient_id: str | None = None
    sensor_id: str | None = None
    sign: Sign | None = None  # of one value that was sent with its type
    measured_at: datetime | None = None  # None: the time of receipt
    device_time: datetime | None = None  # what a device said whose clock is wrong
    values: dict[str, Any] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    address_refused: bool = False
    is_repeated: bool = False  # all of it was stored before
    finds_taken: bool = False  # another value was stored long ago for its time

    def refuse_whole(self, refusal: Refused) -> None:
        self.refused, self.address_refused = [refusal], True

    @property
    def is_in_conflict(self) -> bool:
        return any(refusal.code == "conflict" for refusal in self.refused)


def read(position: int, sent: bytes, *, zero_is_absent: bool) -> Item:
    """Read one item from its JSON text. What is wrong is in `refused`; nothing is raised."""
    item = Item(position, sent.decode("utf-8", "replace").replace("\0", "�"))
    try:
        fields = _fields(sent, item)
        item.patient_id = _identifier(fields.pop("patient_id", None), "patient_id", PATIENT_ID)
        item.sensor_id = _identifier(fields.pop("sensor_id", None), "sensor_id", SENSOR_ID)
        item.measured_at = _time(fields.pop("timestamp", None))
    except Refused as refusal:
        item.refuse_whole(refusal)
        return item
    for name, value in fields.items():
        try:
            item.values[name] = value_of(name, value)
        except Refused as refusal:
            item.refused.append(refusal)
    if zero_is_absent:
        _zeros_are_gaps(item.values)
    _keep_pressure_order(item)
    if not item.values and not item.refused:
        item.refuse_whole(Refused("no_values", "The item carries no value and no status."))
    return item


def decode(text: bytes) -> Any:
    """JSON as devices write it. The slower second reader takes NaN, lone surrogates and raw control characters, so that one
    bad value hides no other: they are refused where they stand. Raises ValueError, RecursionError.
    """
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return json.loads(text, strict=False)


def _fields(sent: bytes, item: Item) -> dict[str, Any]:
    """The item's fields by their own names, absent (null) ones left out."""
    try:
        told = decode(sent)
    except (ValueError, RecursionError):
        raise Refused("invalid", "The item cannot be decoded.") from None
    if not isinstance(told, dict):
        raise Refused("invalid", "An item is a JSON object.")
    _refuse_repeated_names(sent, told)
    aliases = ALIASES | _typed(told, item)
    fields: dict[str, Any] = {}
    for sent_name, value in cast(dict[str, Any], told).items():
        name = aliases.get(sent_name, sent_name)
        if value is None and (name in COLUMNS or name in ADDRESS):
            continue
        if name in fields:
            raise Refused("invalid", f"{name} is given twice, under two names.", sent_name)
        fields[name] = value
    return fields


def _typed(told: dict[str, Any], item: Item) -> dict[str, str]:
    """What `value` means beside a `vital_type`. A type that nobody knows is refused together with its value."""
    if "vital_type" not in told:
        return {}
    item.sign = sign_of(told.pop("vital_type"))
    if item.sign is None:
        told.pop("value", None)
        item.refused.append(Refused("invalid", ONE_OF, "vital_type"))
        return {}
    if told.get("value") is None:
        item.refused.append(Refused("invalid", "A vital_type needs its value.", "value"))
    return {"value": item.sign.value}


def sign_of(vital_type: Any) -> Sign | None:
    """The sign of a type as it was sent."""
    return SIGNS.get(vital_type) if isinstance(vital_type, str) else None


def _refuse_repeated_names(sent: bytes, item: dict[str, Any]) -> None:
    """JSON lets the last of two equal names win: a value would be lost without a word. Only suspects are read twice."""
    names = len(item) + sum(len(value) for value in item.values() if isinstance(value, dict))
    if len(NAME_END.findall(sent)) > names:
        json.loads(sent, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise Refused("invalid", f"{_printable(name)} is given twice.", _printable(name))
    return dict(pairs)


def _identifier(value: Any, name: str, pattern: Pattern[str]) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Refused("invalid", f"{name} is 1 to 64 ASCII letters, digits and . _ : - (a sensor's also /).", name)
    return value


def _time(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
        if at.tzinfo is None or at.year < OLDEST_YEAR:
            raise ValueError
        at = at.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise Refused("invalid", "timestamp is an ISO 8601 time with its offset from UTC.", "timestamp") from None
    return at


def check_time(item: Item, *, now: datetime) -> None:
    """Refuse an item from the future or from long ago, its device's clock being corrected where it is known to be wrong."""
    if item.address_refused or item.measured_at is None:
        return
    if item.measured_at - now > AHEAD:
        item.refuse_whole(Refused("future_timestamp", "The time is more than 30 s ahead of ours.", "timestamp"))
    elif now - item.measured_at > TOO_OLD:
        item.refuse_whole(Refused("too_old", "The time is more than 30 days ago.", "timestamp"))


def value_of(name: str, value: Any) -> Any:
    """A value as it may be stored under this name. Raises Refused."""
    reader = COLUMNS.get(name)
    if reader is None:
        raise Refused("unknown_field", "There is no field of this name.", _printable(name))
    return reader(name, value)


def _number(name: str, value: Any) -> float:
    lowest, highest = RANGES[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused("invalid", "This is no number.", name)
    try:
        number = round(float(value), 2)
    except OverflowError:
        number = math.inf
    if not lowest <= number <= highest:
        raise Refused("out_of_range", f"Can be measured from {lowest:g} to {highest:g}.{other_unit(name, number)}", name)
    return number


def _consciousness(name: str, value: Any) -> str:
    if not isinstance(value, str) or value not in CONSCIOUSNESS:
        raise Refused("invalid", "Consciousness is A, C, V, P or U.", name)
    return value


def _printable(name: str) -> str:
    """A name that somebody else chose, as it can be stored and answered."""
    return name[:64].encode("utf-8", "replace").decode().replace("\0", "�")


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Refused("invalid", "This is true or false.", name)
    return value


def _status(name: str, value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or not value:
        raise Refused("invalid", "status is an object: of the device or of a sign, a word each.", name)
    for of, word in value.items():
        words = STATUS.get(of)
        if words is None:
            raise Refused("unknown_field", "A status is of the device or of a sign.", _printable(f"status.{of}"))
        if not isinstance(word, str) or word not in words:
            raise Refused("invalid", f"This status is one of: {', '.join(sorted(words))}.", _printable(f"status.{of}"))
    return dict(value)


RANGES = {sign.value: (facts.lowest, facts.highest) for sign, facts in FACTS.items()} | {
    "oxygen_flow": (0.0, HIGHEST_OXYGEN_FLOW)
}
COLUMNS = {name: _number for name in RANGES} | {
    "consciousness": _consciousness,
    "on_oxygen": _flag,
    "status": _status,
}


def _zeros_are_gaps(values: dict[str, Any]) -> None:
    """A device that writes 0 for "not measured" says "no signal" of that sign."""
    absent = [sign for sign, facts in FACTS.items() if facts.zero_means_absent and values.get(sign) == 0]
    for sign in absent:
        del values[sign]
    if absent:
        values["status"] = {sign.value: "no_signal" for sign in absent} | values.get("status", {})


def _keep_pressure_order(item: Item) -> None:
    """Systolic ≥ mean ≥ diastolic; out of order, it is not known which is wrong: all of them are refused."""
    if in_order(item.values):
        return
    for sign in [sign for sign in PRESSURES if sign in item.values]:
        del item.values[sign]
        item.refused.append(Refused("pressure_order", PRESSURE_ORDER, sign.value))
