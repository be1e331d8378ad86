"""How long a client that missed a thousand alert events waits for them: `python -m tests.bench.replay [ROUNDS]`.

A daphne process on a test database (DATABASE_URL and REDIS_URL, else embedded), forty patients with alerts, a client on the
loopback. Timed is from opening the connection to the last event, decoded; the first round warms up and does not count. The
last line is one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from datetime import timedelta
from statistics import median

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medql.settings")
django.setup()

import websockets  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts import tokens  # noqa: E402
from accounts.models import Bed, Device, Membership, User, Ward  # noqa: E402
from monitoring.models import Alert, AlertEvent, Patient  # noqa: E402
from monitoring.services import admissions, history, ingestion  # noqa: E402
from tests.live.processes import Server, running  # noqa: E402

MISSED, PATIENTS = 1_000, 40
BOUND_MS = 300


def hospital() -> User:
    """A nurse, and a ward of forty patients whose saturation is low."""
    now = timezone.now()
    ward = Ward.objects.create(slug="north", name="North")
    nurse = User.objects.create_user("noor", "noor@example.org", None, name="Noor")
    Membership.objects.create(user=nurse, ward=ward, role=Membership.Role.NURSE)
    gateway = Device.objects.create(name="GW", kind=Device.Kind.GATEWAY)
    gateway.wards.add(ward)
    items = []
    for position in range(1, PATIENTS + 1):
        bed = Bed.objects.create(ward=ward, name=f"N{position}", position=position)
        patient = Patient.objects.create(patient_id=f"P{position}", name=f"Patient {position}", pregnant=True)
        admissions.admit(patient, bed=bed, by=None, at=now - timedelta(days=1))
        items.append(json.dumps({"patient_id": patient.patient_id, "timestamp": now.isoformat(), "spo2": 84}).encode())
    ingestion.record(items, device=gateway, received_at=now)
    return nurse


def miss(count: int) -> None:
    """So many things happen to the alerts."""
    alerts = list(Alert.objects.open())
    for first in range(0, count, PATIENTS):
        history.tell(alerts[: count - first], AlertEvent.What.SILENCED, by=None, at=timezone.now(), note="2 min")


async def beginning(address: str, headers: dict[str, str]) -> str:
    async with websockets.connect(address, additional_headers=headers, max_size=None) as stream:
        async for text in stream:
            if (frame := json.loads(text))["type"] == "present":
                return str(frame["id"])
    raise SystemExit("the stream was closed")


async def replayed(address: str, headers: dict[str, str]) -> tuple[float, int]:
    """Milliseconds to the last missed event, and how many letters that were."""
    began, events, letters = time.perf_counter(), 0, 0
    async with websockets.connect(address, additional_headers=headers, max_size=None) as stream:
        async for text in stream:
            if json.loads(text)["type"].startswith("ALERT_"):
                events, letters = events + 1, letters + len(text)
            if events == MISSED:
                return (time.perf_counter() - began) * 1_000, letters
    raise SystemExit("the stream was closed")


async def measure(server: Server, nurse: User, rounds: int) -> tuple[list[float], int]:
    token = await asyncio.to_thread(lambda: tokens.sign_in(nurse, at=timezone.now()).access_token)
    address, headers = f"ws://127.0.0.1:{server.port}/ws", {"Authorization": f"Bearer {token}"}
    after = await beginning(address, headers)
    await asyncio.to_thread(miss, MISSED)
    taken = [await replayed(f"{address}?after={after}", headers) for _ in range(rounds + 1)]
    return [ms for ms, _ in taken[1:]], taken[0][1]


def main(rounds: int) -> None:
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        nurse = hospital()
        with running(MEDQL_WATCH="false") as server:
            times, letters = asyncio.run(measure(server, nurse, rounds))
    finally:
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)
    told = {
        "bench": "replay",
        "events": MISSED,
        "engine": connection.vendor,
        "redis": bool(os.environ.get("REDIS_URL")),
        "median_ms": round(median(times), 1),
        "slowest_ms": round(max(times), 1),
        "rounds": rounds,
        "kilobytes": letters // 1_000,
        "bound_ms": BOUND_MS,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
