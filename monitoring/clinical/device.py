"""What a device says of itself: a fault, an empty battery, standby. Each is one condition of the patient it is on."""

from __future__ import annotations

from collections.abc import Iterator

from monitoring.clinical.episode import Call, Kind, State
from monitoring.clinical.limits import Severity

STANDBY = "standby"
# Condition, severity, and what a nurse reads of the sensor.
TOLD = {
    "fault": ("device_fault", Severity.WARNING, "device fault"),
    "battery_low": ("battery_low", Severity.INFO, "battery low"),
    STANDBY: (STANDBY, Severity.INFO, "standby, measures nothing"),
}


def calls(state: State) -> Iterator[tuple[str, Call | None]]:
    """Each condition, and whether it is there now."""
    for status, (name, severity, words) in TOLD.items():
        said = sorted(sensor for sensor, word in state.devices.items() if word.status == status)
        told = Call(Kind.TECHNICAL, severity, f"{', '.join(said)}: {words}"[:200], frozenset(said))
        yield name, told if said else None


def forget(state: State, condition: str) -> None:
    """A person ended this condition: it is there again when a device says so again."""
    for status, (name, _, _) in TOLD.items():
        if name == condition:
            for sensor in [sensor for sensor, word in state.devices.items() if word.status == status]:
                del state.devices[sensor]
