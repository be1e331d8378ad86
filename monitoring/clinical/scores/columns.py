"""Observation sets as tables: which column is which input, and how a cell is read. Nothing is guessed."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

from monitoring.clinical.scores.observations import RANGES, Impossible, Observations, impossible

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)
YES_OR_NO = {"1": True, "true": True, "0": False, "false": False}
MONTHS_A_YEAR = 12

# Column → field. Of the names for one field the first is the one that is written.
COLUMNS: dict[str, str] = {
    "respiratory_rate": "respiratory_rate",
    "spo2": "spo2",
    "spo2_scale": "spo2_scale",
    "on_oxygen": "on_oxygen",
    "oxygen_flow": "oxygen_flow",
    "oxygen_percent": "oxygen_percent",
    "respiratory_support": "respiratory_support",
    "systolic_bp": "systolic_bp",
    "pulse": "heart_rate",
    "heart_rate": "heart_rate",
    "consciousness": "consciousness",
    "gcs": "gcs",
    "temperature": "body_temp",
    "body_temp": "body_temp",
    "respiratory_distress": "respiratory_distress",
    "capillary_refill": "capillary_refill",
    "age_months": "age_months",
    "age_years": "age_months",
    "pregnant": "pregnant",
}
WRITTEN: Mapping[str, str] = {field: column for column, field in reversed(COLUMNS.items())}
PART_COLUMNS = {"on_oxygen": "air_or_oxygen_score"}  # as the published data sets name it; the others follow their input


class Ambiguous(ValueError):
    """Two columns give the same input."""


def find(header: Sequence[str], fields: Collection[str]) -> dict[str, int]:
    """Column → its place, of those that give one of the fields; case and blanks around a name do not matter.

    Raises Ambiguous where two columns give one input: neither is more right than the other.
    """
    found: dict[str, int] = {}
    given: dict[str, str] = {}
    for place, column in enumerate(cell.strip().lower() for cell in header):
        field = COLUMNS.get(column)
        if field is None or field not in fields:
            continue
        if field in given:
            raise Ambiguous(f"The columns {given[field]} and {column} both give {field}: take one away.")
        given[field] = column
        found[column] = place
    return found


def part_column(field: str) -> str:
    """The column of a part's points: pulse_score, air_or_oxygen_score."""
    return PART_COLUMNS.get(field, f"{WRITTEN[field]}_score")


def read(cells: Mapping[str, str]) -> Observations:
    """Column → cell, to observations; an empty cell is a missing input, and without a scale the scale is 1.

    Raises Impossible with every fault by column.
    """
    values: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for column, cell in cells.items():
        if text := cell.strip():
            try:
                values[COLUMNS[column]] = _value(column, text)
            except ValueError as fault:
                faults[column] = str(fault)
    columns = {COLUMNS[column]: column for column in cells}
    faults |= {columns[field]: sentence for field, sentence in impossible(values).items()}
    if faults:
        raise Impossible(faults)
    return Observations(**values)


def _value(column: str, text: str) -> Any:
    field = COLUMNS[column]
    if column == "age_years":
        return _number(text) * MONTHS_A_YEAR
    if field in RANGES:
        return _number(text)
    return _READERS[field](text)


def _number(text: str) -> Decimal:
    if not NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is no number.")
    return Decimal(text)


def _scale(text: str) -> int:
    if text not in {"1", "2"}:
        raise ValueError(f"{text!r} is neither 1 nor 2.")
    return int(text)


def _yes_or_no(text: str) -> bool:
    try:
        return YES_OR_NO[text.lower()]
    except KeyError:
        raise ValueError(f"{text!r} is none of 0, 1, true, false.") from None


_READERS: Mapping[str, Callable[[str], Any]] = {
    "on_oxygen": _yes_or_no,
    "pregnant": _yes_or_no,
    "spo2_scale": _scale,
    "consciousness": str.upper,
    "respiratory_distress": str.lower,
    "respiratory_support": str.lower,
}
