"""The recorded patients of the demo: an excerpt of the PhysioNet/CinC Challenge 2009 (ATTRIBUTION.md beside this file)."""

import csv
import gzip
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

EXCERPT = Path(__file__).with_name("challenge2009_excerpt.csv.gz")

# Which sensor of the bedside device measured a column, named by what is added to the device's name, and as which sign.
SENSORS: Mapping[str, Mapping[str, str]] = {
    "": {"HR": "heart_rate", "RESP": "respiratory_rate", "SpO2": "spo2"},
    "/art": {"ABPSys": "systolic_bp", "ABPMean": "mean_bp", "ABPDias": "diastolic_bp"},
    "/cuff": {"NBPSys": "systolic_bp", "NBPMean": "mean_bp", "NBPDias": "diastolic_bp"},
}

Shown = dict[str, dict[str, float]]  # what a patient's sensors show at one time: sensor → sign → value
Script = Callable[[int, float], Shown]  # what patient number n (from 0) shows after so many seconds of play


@dataclass(frozen=True)
class Recording:
    """One recorded patient, minute by minute."""

    name: str
    minutes: Sequence[Shown]


def load(path: Path = EXCERPT) -> list[Recording]:
    """The recordings in the order of the file."""
    minutes: dict[str, list[Shown]] = {}
    with gzip.open(path, "rt", encoding="ascii", newline="") as lines:
        for row in csv.DictReader(lines):
            minutes.setdefault(row["record"], []).append(_shown(row))
    return [Recording(name, shown) for name, shown in minutes.items()]


def _shown(row: Mapping[str, str]) -> Shown:
    """One recorded minute: empty cells are left out, zeros are sent as they were recorded."""
    shown = {
        sensor: {sign: float(row[column]) for column, sign in columns.items() if row[column]}
        for sensor, columns in SENSORS.items()
    }
    return {sensor: values for sensor, values in shown.items() if values}


def played(recordings: Sequence[Recording], *, speed: float) -> Script:
    """Plays `speed` recorded minutes a second and begins again at the end; more patients than recordings share them."""

    def show(place: int, seconds: float) -> Shown:
        minutes = recordings[place % len(recordings)].minutes
        # A due time is a fraction: without the grain of salt its minute could round down to the one before.
        return minutes[int(seconds * speed + 1e-6) % len(minutes)]

    return show
