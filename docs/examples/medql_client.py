"""A client of MedQL's API in one file, typed: to read, to copy, to begin with.

It signs in, renews its token when that has expired, waits when it is told to, walks through pages, says which version it
read, and follows the event stream through every cut without losing or doubling an event. It needs `httpx`, `msgspec` and
`websockets`.

    python medql_client.py http://127.0.0.1:8000 nurse demo-nurse DEMO-01

looks at a patient, takes the alerts that are open, and prints the next ten events.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

import httpx
import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

T = TypeVar("T")
TRIES = 5
LONGEST_PAUSE = 30.0  # seconds between two tries to reach the stream
NOWHERE = 4404  # the close code for somebody who may hear no ward
OVER = ("token_expired", "session_over")  # a token of three minutes, a session of an hour: another one for the refresh token


class Alert(msgspec.Struct):
    """The part of an alert that this client reads; what else it has is left alone."""

    id: str
    severity: str
    state: str
    message: str
    version: int
    patient_id: str | None = None
    ward: str | None = None
    bed: str | None = None


class Patient(msgspec.Struct):
    patient_id: str
    name: str
    version: int
    ward: str | None = None
    bed: str | None = None


class Stored(msgspec.Struct):
    """A value that was written down."""

    id: str
    patient_id: str
    recorded_at: datetime
    vital_type: str
    value: float
    version: int


class Minute(msgspec.Struct):
    """One step of a thinned history; a sign is `{min, mean, max, count}`, or null."""

    timestamp: datetime
    heart_rate: dict[str, float] | None = None
    spo2: dict[str, float] | None = None


class Event(msgspec.Struct):
    """A frame of the stream. `id` is the cursor after it; frames that are not kept have none."""

    type: str
    id: str | None = None
    ward: str | None = None
    patient_id: str | None = None
    timestamp: datetime | None = None
    data: dict[str, Any] = {}


class Refused(Exception):
    """An answer of 4xx or 5xx: `code` for programs, `detail` for people, `errors` field by field."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {body.get('code')}: {body.get('detail')}")
        self.status, self.code, self.errors = status, body.get("code", ""), body.get("errors", [])


class Conflict(Refused):
    """Somebody else changed the record since it was read; `current` is the record as it is."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(status, body)
        self.current: dict[str, Any] = body["current"]
        self.current_version: int = body["current_version"]


class MedQL:
    """One person's session. `with MedQL(url, login, password) as medql: …`"""

    def __init__(self, url: str, login: str, password: str) -> None:
        self.url = url.rstrip("/")
        self._link = httpx.Client(base_url=self.url, timeout=20, follow_redirects=False)
        self._take(self._link.post("/auth/login", json={"id": login, "password": password}))

    def __enter__(self) -> MedQL:
        return self

    def __exit__(self, *_: object) -> None:
        self._link.close()

    def patients(self, **asked: str) -> Iterator[Patient]:
        """`ward`, `q`, `mine`: page by page, as they are read."""
        return self._pages("/api/v1/patients", Patient, asked)

    def patient(self, patient_id: str) -> Patient:
        return self._get(f"/api/v1/patients/{patient_id}", Patient)

    def rename(self, patient: Patient, name: str) -> Patient:
        """Raises Conflict when somebody else changed the patient since he was read."""
        told = {"If-Match": f'"{patient.version}"'}
        return self._send("PATCH", f"/api/v1/patients/{patient.patient_id}", Patient, {"name": name}, told)

    def record(self, patient_id: str, vital_type: str, value: float, at: datetime) -> Stored:
        """Write down one value: `HR`, `RR`, `SBP`, `DBP`, `MBP` (/min, mmHg), `SpO2` (%), `BT` (°C)."""
        body = {"patient_id": patient_id, "vital_type": vital_type, "value": value, "recorded_at": at.isoformat()}
        return self._send("POST", "/api/v1/vitals", Stored, body)

    def minutes(self, patient_id: str, *, hours: int) -> list[Minute]:
        now = datetime.now(UTC)
        asked = {"start_time": (now - timedelta(hours=hours)).isoformat(), "end_time": now.isoformat(), "resolution": "1m"}
        return self._get(f"/api/v1/patients/{patient_id}/history", list[Minute], asked)

    def open_alerts(self, **asked: str) -> Iterator[Alert]:
        """`severity`, `patient_id`, `ward`."""
        return self._pages("/api/v1/alerts", Alert, asked)

    def acknowledge(self, alert: Alert) -> Alert:
        """Raises Refused (409) when it is worse by now than what was shown. Twice is no error: the first hand stays."""
        return self._send("POST", f"/api/v1/alerts/{alert.id}/acknowledge", Alert, {"severity_shown": alert.severity})

    async def events(self, after: str | None = None) -> AsyncIterator[Event]:
        """The event stream for ever: after a cut it goes on behind the last event that was seen.

        Raises Refused when nobody is signed in any more, ConnectionClosed (4404) for who may hear no ward.
        """
        pause = 0.5
        while True:
            try:
                async with connect(await asyncio.to_thread(self._stream, after), max_size=2**24) as socket:
                    async for frame in socket:
                        event, pause = msgspec.json.decode(frame, type=Event), 0.5
                        after = event.id or after
                        yield event
            except ConnectionClosed as closed:
                if closed.rcvd and closed.rcvd.code == NOWHERE:
                    raise
            except (OSError, httpx.TransportError, InvalidHandshake):
                pass  # it is not there just now
            except Refused as refused:
                if refused.status < 500 and refused.status != 429:
                    raise
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _stream(self, after: str | None) -> str:
        """The address from where we were, with a ticket: good once, for half a minute."""
        ticket = self._send("POST", "/auth/ws-ticket", dict[str, Any])["ticket"]
        asked = {"ticket": ticket, "after": after} if after else {"ticket": ticket}
        return f"ws{self.url.removeprefix('http')}/ws?{urlencode(asked)}"

    def _pages(self, path: str, row: type[T], asked: dict[str, str]) -> Iterator[T]:
        address: str | None = str(httpx.URL(path, params=asked))
        while address:
            page = self._get(address, dict[str, Any])
            yield from msgspec.convert(page["results"], list[row])  # type: ignore[valid-type]
            address = page["next"]

    def _get(self, path: str, kind: type[T], asked: dict[str, str] | None = None) -> T:
        return msgspec.json.decode(self._ask("GET", path, params=asked).content, type=kind)

    def _send(
        self, method: str, path: str, kind: type[T], body: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> T:
        answer = self._ask(method, path, json=body, headers=headers)
        return msgspec.json.decode(answer.content, type=kind)

    def _ask(self, method: str, path: str, **told: Any) -> httpx.Response:
        """Again with a new token when it has expired, and again later when MedQL says so; every verb here may be sent twice."""
        for _ in range(TRIES):
            answer = self._link.request(method, path, **told)
            if answer.status_code == 401 and answer.json()["code"] in OVER:
                self._take(self._link.post("/auth/refresh-token", json={"refresh_token": self._refresh}))
            elif answer.status_code in (429, 503):
                time.sleep(float(answer.headers["Retry-After"]))
            else:
                break
        return _good(answer)

    def _take(self, answer: httpx.Response) -> None:
        pair = _good(answer).json()
        self._refresh = pair["refresh_token"]
        self._link.headers["Authorization"] = f"Bearer {pair['access_token']}"


def _good(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    body = answer.json()
    raise (Conflict if body.get("code") == "version_conflict" else Refused)(answer.status_code, body)


async def main(url: str, login: str, password: str, patient_id: str) -> None:
    with MedQL(url, login, password) as medql:
        patient = medql.patient(patient_id)
        print(f"{patient.patient_id} lies in {patient.ward}, bed {patient.bed}")
        print(f"{len(medql.minutes(patient_id, hours=1))} minutes of the last hour")
        stored = medql.record(patient_id, "BT", 37.2, datetime.now(UTC))
        print(f"written down: {stored.vital_type} {stored.value} (version {stored.version})")
        for alert in medql.open_alerts(patient_id=patient_id):
            print(f"{alert.severity}: {alert.message} -> {medql.acknowledge(alert).state}")
        seen = 0
        async for event in medql.events():
            print(event.type, event.ward or "", event.patient_id or "", event.data.get("message", ""))
            seen += 1
            if seen == 10:
                return


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit("usage: medql_client.py URL LOGIN PASSWORD PATIENT_ID")
    try:
        asyncio.run(main(*sys.argv[1:]))
    except Refused as refused:
        sys.exit(str(refused))
