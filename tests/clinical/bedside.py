"""One patient's course, told step by step: what is read, looked at, taken and dismissed, and what the rule says to it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

from monitoring.clinical import alarm
from monitoring.clinical.episode import Episode, Event, Reading, State, What
from monitoring.clinical.limits import ADULT, Limits, Severity
from monitoring.clinical.scores.observations import Observations
from monitoring.clinical.sensor import Sample, Standing
from monitoring.clinical.signs import Sign

START = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
WELL: dict[str, Any] = {
    "heart_rate": 70,
    "spo2": 97,
    "respiratory_rate": 15,
    "systolic_bp": 120,
    "mean_bp": 85,
    "body_temp": 37,
}


def when(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


class Bedside:
    """Seconds count from START. What was read is kept as a database would keep it, and handed back as history."""

    def __init__(self) -> None:
        self.state = State()
        self.limits = dict(ADULT)
        self.patient = Observations()
        self.events: list[Event] = []
        self.stored: dict[alarm.Thread, dict[datetime, Sample]] = {}

    def reads(
        self,
        at: float,
        sensor: str = "M7",
        *,
        arrives: float | None = None,
        closed: bool = False,
        declared: bool = False,
        said=None,
        seen=None,
        **values,
    ) -> Bedside:
        """One reading; `said` are statuses, `seen` what a person observed."""
        reading = Reading(
            sensor, when(at), _by_sign(values), _by_sign(said or {}), seen or {}, closed=closed, declared=declared
        )
        return self.hears([reading], arrives=at if arrives is None else arrives)

    def hears(self, readings: Iterable[Reading], *, arrives: float) -> Bedside:
        readings, now = list(readings), when(arrives)
        history = {
            thread: [sample for at, sample in sorted(self.stored.get(thread, {}).items()) if at > since]
            for thread, since in alarm.unordered(self.state, readings, self.limits).items()
        }
        outcome = alarm.follow(self.state, readings, self.limits, now=now, patient=self.patient, history=history)
        for reading in readings:
            for sign, value in alarm.values(reading, self.limits).items():
                sample = Sample(reading.measured_at, value, now - reading.measured_at <= alarm.LIVE_WINDOW)
                self.stored.setdefault((sign, reading.sensor), {}).setdefault(reading.measured_at, sample)
        return self._went(outcome)

    def steadily(self, begin: float, end: float, sensor: str = "M7", *, every: float = 5, **values) -> Bedside:
        """The same values from begin to end, both included."""
        at = begin
        while at <= end:
            self.reads(at, sensor, **values)
            at += every
        return self

    def watched(self, sensor: str = "M7", *, every: float = 5, **values) -> Bedside:
        """A sensor that counts as continuous at time 0; its last value came one rhythm before."""
        return self.steadily(-every * (1 + ceil(180 / every)), -every, sensor, every=every, **(values or {"spo2": 97}))

    def looks(self, at: float) -> Bedside:
        return self._went(alarm.look(self.state, self.limits, now=when(at), patient=self.patient))

    def waits(self, begin: float, end: float) -> Bedside:
        """Nothing comes; time is looked at whenever the rule asks for it."""
        now = when(begin)
        while (due := alarm.next_look(self.state, self.limits, now)) and due <= when(end):
            now = max(due, now + timedelta(seconds=1))
            self._went(alarm.look(self.state, self.limits, now=now, patient=self.patient))
        return self

    def takes(self, at: float, condition: str = "spo2_low") -> Bedside:
        return self._went(alarm.take(self.state, condition, self.limits, now=when(at)))

    def dismisses(self, at: float, condition: str = "spo2_low") -> Bedside:
        return self._went(alarm.dismiss(self.state, condition, self.limits, now=when(at)))

    def releases(self, at: float, sensor: str = "M7") -> Bedside:
        """A person takes the sensor off."""
        return self._went(alarm.release(self.state, [sensor], self.limits, now=when(at)))

    def limited(self, sign: Sign, *args, **kwargs) -> Bedside:
        self.limits[sign] = Limits(*args, **kwargs)
        return self

    def episode(self, condition: str = "spo2_low") -> Episode:
        return self.state.episodes[condition]

    def is_open(self, condition: str = "spo2_low") -> bool:
        return condition in self.state.episodes and self.episode(condition).is_open

    def active(self, condition: str = "spo2_low") -> Severity | None:
        return alarm.active(self.state, condition)

    def standing(self, sign: Sign = Sign.SPO2, sensor: str = "M7") -> Standing:
        return self.state.standings[sign][sensor]

    def told(self, condition: str = "spo2_low") -> list[str]:
        """What was told of one condition, counted readings aside."""
        return [
            event.what.value for event in self.events if event.episode.condition == condition and event.what is not What.COUNTED
        ]

    def _went(self, outcome: tuple[State, list[Event]]) -> Bedside:
        self.state, events = outcome
        self.events += events
        return self


def _by_sign(values):
    return {Sign(name): value for name, value in values.items()}
