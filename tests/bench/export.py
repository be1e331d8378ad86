"""What a long export costs: rows a second, and the memory of the process that writes it.

`.venv/bin/python -m tests.bench.export [ROWS]` stores a patient's readings of one a second in a test database (DATABASE_URL as
ever), starts a daphne process, takes them as CSV, as CSV by a client that pauses, and as XLSX: a line of JSON for each.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from itertools import islice
from urllib.parse import urlencode

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medql.settings")

import django

django.setup()

from django.db import connection  # noqa: E402

from accounts import tokens  # noqa: E402
from accounts.models import Bed, Membership, User, Ward  # noqa: E402
from monitoring import sql  # noqa: E402
from monitoring.models import Admission, Patient, Vital  # noqa: E402
from monitoring.services import admissions  # noqa: E402
from tests.live.processes import Server, running  # noqa: E402

ROWS = 1_000_000
PIECE = 65_536
PAUSE = 20.0  # seconds in which the client reads nothing
PATIENT = "P-BENCH"


def main(rows: int) -> None:
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        now = datetime.now(UTC).replace(microsecond=0)
        nurse = _filled(rows, now)
        for form, pause in (("csv", 0.0), ("csv", PAUSE), ("xlsx", 0.0)):
            with running(MEDQL_WATCH="false") as server:
                key = tokens.sign_in(nurse, at=datetime.now(UTC)).access_token
                print(json.dumps(_taken(server, key, form, rows, now, pause)), flush=True)
    finally:
        connection.creation.destroy_test_db(str(connection.settings_dict["NAME"]), verbosity=0)


def _filled(rows: int, now: datetime) -> User:
    """A patient with so many readings, and his nurse."""
    ward = Ward.objects.create(slug="bench", name="Bench")
    bed = Bed.objects.create(ward=ward, name="B1", position=1)
    nurse = User.objects.create_user("bench", "bench@example.org", "correct horse battery", name="Bench")
    Membership.objects.create(user=nurse, ward=ward, role=Membership.Role.NURSE)
    patient = Patient.objects.create(patient_id=PATIENT, name="Bench")
    admissions.admit(patient, bed=bed, by=None, at=now - timedelta(seconds=rows + 1))
    readings = _readings(patient, rows, now)
    while some := list(islice(readings, 10_000)):
        sql.insert(some)
    return nurse


def _readings(patient: Patient, rows: int, now: datetime) -> Iterator[Vital]:
    stay = Admission.objects.get(patient=patient)
    for back in range(rows, 0, -1):
        at = now - timedelta(seconds=back)
        values = {"heart_rate": 60 + back % 40, "spo2": 90 + back % 10, "respiratory_rate": 12 + back % 9}
        pressures = {"systolic_bp": 110 + back % 30, "mean_bp": 80 + back % 20, "diastolic_bp": 60 + back % 15}
        yield Vital(
            patient=patient, admission=stay, sensor_id="M1", measured_at=at, received_at=at, status={}, **values, **pressures
        )


def _taken(server: Server, key: str, form: str, rows: int, now: datetime, pause: float) -> dict[str, object]:
    before, began = _resident(server, "VmRSS"), time.perf_counter()
    link = HTTPConnection("127.0.0.1", server.port, timeout=600)
    asked = {"what": "vitals", "format": form, "from": (now - timedelta(seconds=rows)).isoformat(), "to": now.isoformat()}
    link.request("GET", f"/api/v1/patients/{PATIENT}/export?{urlencode(asked)}", headers={"Authorization": f"Bearer {key}"})
    answer = link.getresponse()
    assert answer.status == 200, answer.read()
    first, total = time.perf_counter() - began, 0
    time.sleep(pause)
    while piece := answer.read(PIECE):
        total += len(piece)
    took = time.perf_counter() - began
    return {
        "format": form,
        "engine": connection.vendor,
        "client_pauses_s": pause,
        "rows": int(answer.headers["X-Total-Rows"]),
        "mb": round(total / 1e6, 1),
        "seconds": round(took, 1),
        "first_byte_s": round(first, 2),
        "rows_per_s": round(rows / took),
        "rss_before_mb": round(before / 1024),
        "peak_rss_mb": round(_resident(server, "VmHWM") / 1024),
    }


def _resident(server: Server, which: str) -> int:
    """In kB."""
    with open(f"/proc/{server.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(which))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
