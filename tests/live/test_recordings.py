"""Thirty recorded patients (PhysioNet/CinC Challenge 2009), a day each, through the real door: the clock is handed down.

Ten of them are played on SQLite, twenty on MariaDB: a day of ten takes two minutes.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection

import pytest
import time_machine
from django.db import connection

from accounts import keys
from accounts.models import Bed, Device, Ward
from monitoring.clinical.limits import ADULT, Severity
from monitoring.clinical.signs import FACTS, Sign
from monitoring.models import Alert, Patient, RejectedVital, Vital
from monitoring.services import admissions, technical
from monitoring.services.ingestion import MOST_ITEMS
from tests.live.processes import PATIENCE
from tests.strictness import RECORDINGS

pytestmark = [pytest.mark.recordings, pytest.mark.django_db(transaction=True)]

START = datetime(2026, 1, 10, tzinfo=UTC)
FIRST_MINUTE = -1200
MINUTE = timedelta(minutes=1)
WARDS = 3  # of ten patients, so that they can be played at the same time
PLAYED = {"sqlite": [0], "mysql": [1, 2]}[connection.vendor]
LOWEST_MEAN = ADULT[Sign.MEAN_BP].critical_low or 0
SENSORS = {
    "monitor": {"HR": "heart_rate", "RESP": "respiratory_rate", "SpO2": "spo2"},
    "pleth": {"PULSE": "heart_rate"},
    "art": {"ABPSys": "systolic_bp", "ABPMean": "mean_bp", "ABPDias": "diastolic_bp"},
    "cuff": {"NBPSys": "systolic_bp", "NBPMean": "mean_bp", "NBPDias": "diastolic_bp"},
}
FALLING = ("systolic_bp", "mean_bp", "diastolic_bp")

Key = tuple[str, datetime, str]


def minutes(records: Collection[str]) -> list[tuple[datetime, list[dict]]]:
    """The recordings minute by minute: all items of these patients of one minute, as their devices would send them."""
    by_minute: dict[int, list[dict]] = defaultdict(list)
    with gzip.open(RECORDINGS / "vitals" / "challenge2009_1min.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            if row["record"] in records:
                by_minute[int(row["minute"])] += items(row)
    return [(clock(minute), by_minute[minute]) for minute in sorted(by_minute)]


def items(row: dict[str, str]) -> Iterator[dict]:
    address = {"patient_id": row["record"], "timestamp": clock(int(row["minute"])).isoformat()}
    for sensor, columns in SENSORS.items():
        values = {field: float(row[column]) for column, field in columns.items() if row[column]}
        if values:
            yield address | {"sensor_id": sensor} | values


def clock(minute: int) -> datetime:
    return START + timedelta(minutes=minute - FIRST_MINUTE)


def valid(item: dict) -> dict[str, float]:
    """What of an item a device that writes 0 for "not measured" means as values: in range, pressures in order."""
    values = {
        name: round(value, 2)
        for name, value in item.items()
        if name in set(Sign) and value != 0 and FACTS[Sign(name)].lowest <= value <= FACTS[Sign(name)].highest
    }
    present = [values[name] for name in FALLING if name in values]
    if present != sorted(present, reverse=True):
        values = {name: value for name, value in values.items() if name not in FALLING}
    return values


class Door:
    """One keep-alive connection of a gateway."""

    def __init__(self, address: str, key: str) -> None:
        self.link = HTTPConnection(address.removeprefix("http://"), timeout=PATIENCE)
        self.headers = {"X-API-Key": key, "Content-Type": "application/json"}

    def post(self, texts: list[str]) -> dict:
        self.link.request("POST", "/api/v1/vitals", f"[{','.join(texts)}]", self.headers)
        answer = self.link.getresponse()
        body = answer.read()
        assert answer.status in (202, 400), body
        told: dict = json.loads(body)
        return told


@pytest.fixture(params=PLAYED)
def records(request) -> list[str]:
    """Every third of the recorded patients."""
    with open(RECORDINGS / "vitals" / "challenge2009_records.csv") as file:
        return [row["record"] for row in csv.DictReader(file)][request.param :: WARDS]


@pytest.fixture
def ward(db, records) -> Ward:
    """Each of them in a bed, before the first recorded minute."""
    ward = Ward.objects.create(slug="icu", name="ICU")
    for place, record in enumerate(records, start=1):
        bed = Bed.objects.create(ward=ward, name=str(place), position=place)
        patient = Patient.objects.create(patient_id=record, name=f"Recorded {place}")
        admissions.admit(patient, bed=bed, by=None, at=START - timedelta(hours=1))
    return ward


class Pressures:
    """Whose mean pressure, by one sensor, has been under the critical limit, and since when."""

    def __init__(self) -> None:
        self.low_since: dict[tuple[str, str], datetime] = {}

    def read(self, batch: list[dict], at: datetime) -> set[str]:
        """Of whom one sensor says so now, and has said nothing else for the last minute: longer than any delay."""
        lasting = set()
        for item in batch:
            patient, sensor = item["patient_id"], item["sensor_id"]
            mean = valid(item).get("mean_bp")
            if mean is not None and mean < LOWEST_MEAN:
                since = self.low_since.setdefault((patient, sensor), at)
                lasting |= {patient} if at - since >= MINUTE else set()
            elif mean is not None:
                self.low_since.pop((patient, sensor), None)
        return lasting


def test_a_recorded_day_is_kept_and_every_lasting_low_pressure_alarms(ward, records, live_server):
    gateway = Device.objects.create(name="GW", kind=Device.Kind.GATEWAY, zero_is_absent=True)
    gateway.wards.add(ward)
    door = Door(live_server.url, keys.issue(gateway))
    recorded = minutes(records)
    pressures = Pressures()
    told: Counter[str] = Counter()

    with time_machine.travel(START, tick=False) as time:
        for at, batch in recorded:
            time.move_to(at)
            answer = door.post([json.dumps(item) for item in batch]) if batch else {}
            told.update(stored=answer.get("stored", 0), refused=len(answer.get("rejected", [])))
            while technical.look_around(now=at):
                told["looks"] += 1
            low = pressures.read(batch, at)
            told["low minutes"] += len(low)
            assert low <= alarming(), at

        sent = {(item["patient_id"], item["timestamp"], item["sensor_id"]): item for _, batch in recorded for item in batch}
        check_stored(sent)
        check_quarantine(sent)
        check_second_sending(door, recorded, told["stored"])
    print(f"\n{len(sent)} items, {', '.join(f'{count} {what}' for what, count in told.items())}")
    assert told["low minutes"] > 0


def alarming() -> set[str]:
    """Who has a critically low pressure by what his sensors say now: an alert that waits to be taken is not enough."""
    low = Alert.objects.open().filter(condition="blood_pressure_low", severity=Severity.CRITICAL.value, returned_at=None)
    return set(low.values_list("patient__patient_id", flat=True))


def check_stored(sent: dict) -> None:
    """Every valid value reads back equal, and nothing else is there."""
    columns = [sign.value for sign in Sign]
    stored = {
        (patient, at.isoformat(), sensor): {
            name: value for name, value in zip(columns, values, strict=True) if value is not None
        }
        for patient, at, sensor, *values in Vital.objects.values_list(
            "patient__patient_id", "measured_at", "sensor_id", *columns
        ).iterator()
    }
    expected = {key: valid(item) for key, item in sent.items()}
    assert {key: values for key, values in stored.items() if values} == {k: v for k, v in expected.items() if v}
    assert stored.keys() <= sent.keys()


def check_quarantine(sent: dict) -> None:
    """What was refused is there as it was sent: every value that is neither valid nor a device's zero."""
    refused: dict[str, set[str]] = defaultdict(set)
    for item in sent.values():
        kept = valid(item)
        if lost := {name for name in item if name in set(Sign) and name not in kept and item[name] != 0}:
            refused[json.dumps(item)] |= lost
    quarantine: dict[str, set[str]] = defaultdict(set)
    for text, field in RejectedVital.objects.values_list("item", "field"):
        quarantine[text].add(field)
    assert quarantine == refused


def check_second_sending(door: Door, recorded: list, stored: int) -> None:
    """All of it once more: nothing new, nothing doubled, every row recognised."""
    rows = Vital.objects.count()
    assert rows == stored
    open_before = set(Alert.objects.values_list("pk", "is_open", "count"))
    again: Counter[str] = Counter()
    texts = [json.dumps(item) for _, batch in recorded for item in batch]
    for first in range(0, len(texts), MOST_ITEMS):
        answer = door.post(texts[first : first + MOST_ITEMS])
        again.update(stored=answer["stored"], duplicates=answer["duplicates"])
    assert (again["stored"], again["duplicates"]) == (0, rows)
    assert Vital.objects.count() == rows
    assert set(Alert.objects.values_list("pk", "is_open", "count")) == open_before
