"""The alarm load on recorded patients: `python -m tests.bench.alarm_load DIR`.

DIR holds `challenge2009_1min.csv.gz` and `challenge2009_records.csv` (PhysioNet/CinC Challenge 2009). Every patient's day runs
through the alarm rule with the shipped adult limits, in time order, and time is looked at when the rule asks for it. Zeros are
absent; a critical alert is acknowledged 5 minutes after it last called. The last line is one line of JSON.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitoring.clinical import alarm
from monitoring.clinical.episode import Event, Reading, State, What
from monitoring.clinical.limits import ADULT, Severity
from monitoring.clinical.signs import FACTS, Sign, in_order

START = datetime(2026, 1, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TAKEN_AFTER = timedelta(minutes=5)
SENSORS: Mapping[str, Mapping[str, Sign]] = {
    "monitor": {"HR": Sign.HEART_RATE, "RESP": Sign.RESPIRATORY_RATE, "SpO2": Sign.SPO2},
    "pleth": {"PULSE": Sign.HEART_RATE},
    "art": {"ABPSys": Sign.SYSTOLIC_BP, "ABPMean": Sign.MEAN_BP, "ABPDias": Sign.DIASTOLIC_BP},
    "cuff": {"NBPSys": Sign.SYSTOLIC_BP, "NBPMean": Sign.MEAN_BP, "NBPDias": Sign.DIASTOLIC_BP},
}
COUNTED = (What.RAISED, What.RERAISED, What.REOPENED)
# The data set's definition of an acute hypotensive episode: 30 minutes in which 90 % of the mean pressures are 60 mmHg or less.
EPISODE, SHARE, LOW = 30, 0.9, 60.0
CAUGHT_WITHIN = 2  # minutes after its onset
FORECAST = 60  # the labelled episode begins within an hour after T0

Row = Mapping[str, str]


@dataclass
class Patient:
    """One record and what the rule made of it."""

    rows: list[Row]
    state: State = field(default_factory=State)
    told: list[Event] = field(default_factory=list)
    critical_at: set[int] = field(default_factory=set)  # minutes in which a low pressure was active and critical
    looked: datetime = START - timedelta(days=2)
    waiting: dict[str, datetime] = field(default_factory=dict)  # critical alerts nobody has taken, and since when they call

    def run(self) -> None:
        for row in self.rows:
            minute = int(row["minute"])
            now = START + minute * MINUTE
            self.pass_time(now)
            self.hear(*alarm.follow(self.state, readings(row, now), ADULT, now=now))
            if alarm.active(self.state, "blood_pressure_low") is Severity.CRITICAL:
                self.critical_at.add(minute)
        self.pass_time(now + MINUTE)

    def pass_time(self, until: datetime) -> None:
        """Everything that falls due before the next minute, in its order."""
        while due := [(at, name) for at, name in self.due() if at < until]:
            at, name = min(due)
            if name:
                self.hear(*alarm.take(self.state, name, ADULT, now=at))
                self.waiting.pop(name, None)
            else:
                self.looked = at
                self.hear(*alarm.look(self.state, ADULT, now=at))

    def due(self) -> Iterator[tuple[datetime, str]]:
        for name, since in self.waiting.items():
            yield since + TAKEN_AFTER, name
        if look := alarm.next_look(self.state, ADULT, self.looked):
            yield look, ""

    def hear(self, state: State, events: list[Event]) -> None:
        self.state = state
        for event in events:
            if event.what in COUNTED or event.what in (What.RISEN, What.RETURNED, What.RESOLVED, What.EASED, What.RECORDED):
                self.told.append(event)
            episode = event.episode
            if not episode.is_open or episode.acknowledged or episode.severity is not Severity.CRITICAL:
                self.waiting.pop(episode.condition, None)
            elif event.what in COUNTED or event.what is What.RISEN:
                self.waiting[episode.condition] = event.at


def readings(row: Row, now: datetime) -> list[Reading]:
    """What each sensor says in one minute; 0 is "no signal", and pressures that are out of order are refused."""
    said = []
    for sensor, columns in SENSORS.items():
        cells = {sign: float(row[column]) for column, sign in columns.items() if row.get(column)}
        values = {sign: value for sign, value in cells.items() if value != 0 and value <= FACTS[sign].highest}
        statuses = {sign: "no_signal" for sign, value in cells.items() if value == 0}
        if not in_order(values):
            values = {}
        if values or statuses:
            said.append(Reading(sensor, now, values, statuses))
    return said


def onset(rows: list[Row]) -> int | None:
    """The minute in which the labelled episode begins."""
    mean = {int(row["minute"]): float(row["ABPMean"]) for row in rows if row["ABPMean"] and float(row["ABPMean"]) != 0}
    for minute in range(FORECAST + 1):
        window = [mean[at] for at in range(minute, minute + EPISODE) if at in mean]
        low = sum(value <= LOW for value in window)
        if mean.get(minute, LOW + 1) <= LOW and window and low >= SHARE * len(window):
            return minute
    return None


def main(folder: Path) -> None:
    by_record: dict[str, list[Row]] = defaultdict(list)
    with gzip.open(folder / "challenge2009_1min.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            by_record[row["record"]].append(row)
    with (folder / "challenge2009_records.csv").open() as file:
        labelled = {row["record"] for row in csv.DictReader(file) if row["acute_hypotensive_episode_after_t0"] == "yes"}
    kinds: Counter[tuple[str, str, str]] = Counter()
    told: Counter[What] = Counter()
    delays: list[int | None] = []
    minutes = 0
    for record, rows in sorted(by_record.items()):
        patient = Patient(sorted(rows, key=lambda row: int(row["minute"])))
        patient.run()
        minutes += len(rows)
        for event in patient.told:
            if event.episode.severity is not Severity.INFO:
                told[event.what] += 1
                kinds[event.what.value, event.episode.kind.value, f"{event.episode.condition} {event.episode.severity}"] += 1
        if record in labelled and (begins := onset(rows)) is not None:
            later = [minute - begins for minute in sorted(patient.critical_at) if minute >= begins]
            delays.append(later[0] if later else None)
    days = minutes / (24 * 60)
    for (what, kind, name), count in sorted(kinds.items()):
        print(f"{what:<10} {kind:<14} {name:<34} {count:>5} {count / days:>7.2f} per patient-day")
    print(f"besides, open alerts that got worse: {told[What.RISEN] / days:.2f} per patient-day")
    print(json.dumps(summary(len(by_record), days, told, delays)))


def summary(patients: int, days: float, told: Counter[What], delays: list[int | None]) -> dict[str, float | None]:
    caught = [delay for delay in delays if delay is not None and delay <= CAUGHT_WITHIN]
    known = [delay for delay in delays if delay is not None]
    return {
        "patients": patients,
        "patient_days": round(days, 2),
        "raised": told[What.RAISED],
        "reraised": told[What.RERAISED],
        "reopened": told[What.REOPENED],
        "per_patient_day": round(sum(told[what] for what in COUNTED) / days, 2),
        "episodes": len(delays),
        "episodes_caught": len(caught),
        "worst_delay_minutes": max(known) if known and len(known) == len(delays) else None,
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
