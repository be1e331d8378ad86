"""Who sends for whom: the devices of a play and their keys."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """One patient, and the device that sends for this patient. Without a patient's id the server knows whom it is on."""

    patient_id: str
    device: str
    key: str


def patient_id(number: int) -> str:
    """The id of a simulated patient: P00001."""
    return f"P{number:05}"


def of_gateway(key: str, *, patients: int, start_id: int) -> list[Source]:
    """One gateway that sends for many patients, each by a sensor of its own."""
    return [Source(patient_id(number), f"sim-{number:05}", key) for number in range(start_id, start_id + patients)]


def read(path: Path) -> list[Source]:
    """The monitors of a keys file: {"DEMO-01": {"device": "M-ICU-1", "key": "…"}} or {"P00001": "…"}."""
    sources = []
    for patient, entry in json.loads(path.read_text()).items():
        named = {"device": f"monitor-{patient}", "key": entry} if isinstance(entry, str) else entry
        sources.append(Source(patient, named["device"], named["key"]))
    return sources


def write(path: Path, sources: Sequence[Source]) -> None:
    """A keys file that only its owner can read, from its first byte on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({source.patient_id: {"device": source.device, "key": source.key} for source in sources}, file, indent=1)
