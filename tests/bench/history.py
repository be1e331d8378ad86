"""How long a patient's history takes: `python -m tests.bench.history [--vitals N] [--requests N]`, on MySQL or MariaDB.

Fills a database of its own with ten million readings (patients who sent one a second for a day, and one who sent one a minute
for thirty days), sums their minutes up by the watcher's own step, and asks the API for them through Django's test client, as a
program with its token: everything from the request to the bytes of the answer, but for the network and for connecting to the
database. Each patient asked for is another one by chance. The database is dropped in the end. The last line is one of JSON.
"""

# ruff: noqa: I001  (the database comes before all of MedQL)
from __future__ import annotations

from tests.bench import database

import argparse
import json
import os
import platform
import time
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import median, quantiles
from typing import Any

from django.db import connection
from django.test import Client

from accounts import service_tokens
from accounts.models import ServiceToken, User, Ward
from monitoring.models import Admission, Minute, Patient, Placement, UnreadSpan, Vital
from monitoring.services import summaries

TARGET = 50.0  # milliseconds: a day of one patient by the minute
DAYS = 30  # of the patient whose hours are asked for
DAY, HOUR, MINUTE, SECOND = (timedelta(**{unit: 1}) for unit in ("days", "hours", "minutes", "seconds"))
A_DAY = DAY // SECOND

# A reading of each of these patients for each number: what a bedside monitor sends, a little different each time.
READINGS = """
INSERT INTO monitoring_vital
  (patient_id, admission_id, sensor_id, measured_at, received_at, late, heart_rate, spo2, respiratory_rate,
   systolic_bp, diastolic_bp, mean_bp, body_temp, consciousness, status, version)
SELECT stay.patient_id, stay.id, 'M', %(since)s + INTERVAL number.n * %(every)s SECOND,
  %(since)s + INTERVAL number.n * %(every)s SECOND, 0,
  60 + (number.n * 7 + stay.id * 13) %% 60, 90 + (number.n * 3 + stay.id) %% 100 / 10, 10 + (number.n + stay.id) %% 15,
  120 + (number.n * 11) %% 40, 60 + (number.n * 5) %% 20, 90 + (number.n * 3) %% 20, 36 + (number.n + stay.id) %% 20 / 10,
  '', '{}', 1
FROM monitoring_admission stay CROSS JOIN bench_number number
WHERE stay.patient_id IN %(patients)s AND number.n < %(count)s ORDER BY
"""
BY_PATIENT, AS_THEY_CAME = "stay.patient_id, number.n", "number.n, stay.patient_id"


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--vitals", type=int, default=10_000_000)
    given.add_argument("--requests", type=int, default=200)
    asked = given.parse_args()
    with database.made():
        now = datetime.now(UTC).replace(microsecond=0)
        patients = admitted(max(2, round((asked.vitals - DAYS * 1440) / A_DAY) + 1), now)
        seeded, filled = filled_up(patients, now)
        count = Vital.objects.count()
        print(f"{count} vitals in {seeded:.0f} s, {Minute.objects.count()} minutes of them in {filled:.0f} s", flush=True)
        figures = {"vitals": count, "patients": len(patients), "seed_s": round(seeded), "fill_s": round(filled)}
        print(json.dumps(figures | asked_for(patients, now, asked.requests) | {"target_ms": TARGET} | where()))


def admitted(count: int, now: datetime) -> list[Patient]:
    """All in one large ward; the first for a month."""
    ward = Ward.objects.create(slug="bench", name="Bench")
    patients = [Patient.objects.create(patient_id=f"P{place:05d}", name="Nobody") for place in range(count)]
    for place, patient in enumerate(patients):
        at = now - (DAYS if place == 0 else 1) * DAY
        stay = Admission.objects.create(patient=patient, admitted_at=at)
        bed = ward.beds.create(name=f"B{place}", position=place)
        Placement.objects.create(admission=stay, bed=bed, started_at=at)
        summaries.begin(patient, at=at)
    return patients


def filled_up(patients: list[Patient], now: datetime) -> tuple[float, float]:
    """Seconds for the readings, and for their minutes.

    Hour after hour, so that a patient's day lies as scattered as it would. The last hour comes as it is lived: reading after
    reading, when what was before is summed up.
    """
    month, *others = (patient.pk for patient in patients)
    with connection.cursor() as cursor:
        began = time.monotonic()
        cursor.execute("CREATE TABLE bench_number (n INT PRIMARY KEY)")
        cursor.executemany("INSERT INTO bench_number VALUES (%s)", [(number,) for number in range(DAYS * 1440)])
        one: dict[str, Any] = {"since": plain(now - DAYS * DAY), "every": 60, "patients": (month,), "count": DAYS * 1440}
        cursor.execute(READINGS + BY_PATIENT, one)
        filled = 0.0
        for hour in range(24, 0, -1):
            filled += sum_up(now - HOUR) if hour == 1 else 0.0
            all_of_them: dict[str, Any] = {"since": plain(now - hour * HOUR), "every": 1, "patients": tuple(others)}
            cursor.execute(READINGS + (BY_PATIENT if hour > 1 else AS_THEY_CAME), all_of_them | {"count": 3600})
            print(f"{25 - hour} of 24 hours are there", flush=True)
        filled += sum_up(now)
    return time.monotonic() - began - filled, filled


def plain(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")


def sum_up(now: datetime) -> float:
    """By the watcher's step, one thread, but so much at once that a minute of waiting will do; in seconds."""
    summaries.PIECE = 6 * HOUR
    began = time.monotonic()
    UnreadSpan.objects.update(look_at=now)
    while summaries.fill(now=now):
        pass
    return time.monotonic() - began


def asked_for(patients: list[Patient], now: datetime, requests: int) -> dict[str, Any]:
    root = User.objects.create_superuser("root", "root@example.org", "correct horse battery", name="Root")
    token = service_tokens.issue(ServiceToken(name="bench"), wards=list(Ward.objects.all()), by=root, at=now)
    client = Client(headers={"Authorization": f"Bearer {token}"})
    chance, (month, *others) = Random(4), (patient.patient_id for patient in patients)
    day = {"start_time": (now - DAY).isoformat(), "end_time": now.isoformat()}
    a_month = {"start_time": (now - DAYS * DAY).isoformat(), "end_time": now.isoformat()}
    questions: dict[str, tuple[list[str], str, dict[str, Any], int]] = {
        "day_by_minute": (others, "history", day | {"resolution": "1m"}, 1440),
        "newest_1000_raw": (others, "history", {"limit": 1000}, 1000),
        "month_by_hour": ([month], "history", a_month | {"resolution": "1h"}, DAYS * 24),
        "day_of_scores": (others, "scores", {"from": day["start_time"], "to": day["end_time"], "every": 5}, 287),
    }
    figures: dict[str, Any] = {}
    for name, (whom, what, query, least) in questions.items():
        addresses = [f"/api/v1/patients/{chance.choice(whom)}/{what}" for _ in range(requests)]
        taken = [timed(client, address, query, least) for address in addresses]
        times, work = ([each[place] for each in taken] for place in range(2))
        centiles = quantiles(times, n=100)
        told = {"ms": median(times), "p10_ms": centiles[9], "p95_ms": centiles[94], "own_cpu_ms": median(work)}
        figures |= {f"{name}_{unit}": round(value, 1) for unit, value in told.items()}
        print(name, *(f"{unit} {value:.1f}" for unit, value in told.items()), f"n {requests}", flush=True)
    return figures


def timed(client: Client, address: str, query: dict[str, Any], least: int) -> tuple[float, float]:
    """In milliseconds, and how many of them this process worked: the rest is the database, or a machine that is busy.

    An answer with less than is there would be no answer.
    """
    began, worked = time.perf_counter(), time.process_time()
    answer = client.get(address, query)
    took, work = 1000 * (time.perf_counter() - began), 1000 * (time.process_time() - worked)
    assert answer.status_code == 200, answer.content[:500]
    told = answer.json()
    assert least <= len(told if isinstance(told, list) else told["points"]) <= least + 1, answer.content[:500]
    return took, work


def where() -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT VERSION()")
        load = [round(each, 1) for each in os.getloadavg()]
        return {"server": cursor.fetchone()[0], "python": platform.python_version(), "cpus": os.cpu_count(), "load": load}


if __name__ == "__main__":
    main()
