"""Observation sets and their scores, as the vectors and the published tables write them."""

from __future__ import annotations

from typing import Any

from monitoring.clinical.scores import columns, news2
from monitoring.clinical.scores.observations import Observations

NORMAL: dict[str, Any] = {
    "respiratory_rate": 16,
    "spo2": 98,
    "on_oxygen": False,
    "systolic_bp": 120,
    "heart_rate": 70,
    "consciousness": "A",
    "body_temp": 37.0,
}


def observed(**changes) -> Observations:
    """A well adult, but for the changes."""
    return Observations(**(NORMAL | changes))


def difference(row: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Where our NEWS2 of a row is not what its columns say: column → (ours, theirs)."""
    cells = {column: row[column] for column in columns.find(list(row), news2.PARTS + news2.ALSO)}
    score = news2.score(columns.read(cells))
    ours = {columns.part_column(field): str(points) for field, points in score.parts.items()}
    ours |= {"total": str(score.total), "band": str(score.band), "single_parameter_3": str(int(score.red))}
    return {name: (ours[name], row[name]) for name in ours if ours[name] != row[name]}
