"""Plays patients through the device door over HTTP, as bedside devices would; it knows no database.

The schedule is open-loop: a reading is due at its time whether or not the answers before it have come. One that leaves late
is counted as late and keeps the time at which it was due, as a device stamps what it measured, not when it got through.
"""

import http.client
import json
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from monitoring.demo.figures import UNANSWERED, Tally
from monitoring.demo.recordings import Script
from monitoring.demo.sources import Source

DOOR = "/api/v1/vitals"
PATIENCE = 10.0  # seconds that an answer may take
LINES = 16  # connections at once, at most
BACKLOG = 5_000  # POSTs that may wait for a free connection; what comes then is counted as not sent
LINGER = 10.0  # seconds after the last reading was due in which a backlog may still be sent


@dataclass(frozen=True)
class Plan:
    """What is played: each source's readings in turn, `rate` readings a second over all, `batch` of them a POST."""

    sources: Sequence[Source]
    show: Script
    rate: float
    batch: int = 1
    duration: float = 0  # seconds; 0 is until it is ended

    def posts(self) -> Iterator[tuple[float, list[int]]]:
        """When each POST is due, in seconds from the start, and the places of the sources it sends for."""
        readings = int(self.duration * self.rate + 1e-6)
        first = 0
        while not self.duration or first < readings:
            count = min(self.batch, readings - first) if self.duration else self.batch
            yield first / self.rate, [number % len(self.sources) for number in range(first, first + count)]
            first += count


class Player:
    """Runs a plan in threads of its own from start() to end(); `tally` can be read meanwhile."""

    def __init__(self, url: str, plan: Plan) -> None:
        self.url, self.plan, self.tally = url, plan, Tally()
        self.elapsed = 0.0
        self._ended = threading.Event()
        # Waited for instead of joining the thread: a join that a signal interrupts takes the thread for finished (Python 3.11).
        self._finished = threading.Event()
        self._last_call = float("inf")
        self._waiting: queue.Queue[tuple[float, list[int]] | None] = queue.Queue(BACKLOG)
        self._workers = [threading.Thread(target=self._work, daemon=True) for _ in range(min(LINES, len(plan.sources)))]
        self._clock = threading.Thread(target=self._keep_time, daemon=True)

    def start(self) -> None:
        self._began, self._began_at = time.monotonic(), datetime.now(UTC)
        for worker in self._workers:
            worker.start()
        self._clock.start()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait so long, or to the end of the plan; says whether it still plays."""
        return not self._finished.wait(seconds)

    def end(self) -> Tally:
        """Stop sending, wait for the answers that are under way, and say what it came to."""
        self._ended.set()
        self._finished.wait()
        return self.tally

    def _keep_time(self) -> None:
        for due, places in self.plan.posts():
            if self._ended.wait(max(0.0, self._began + due - time.monotonic())):
                break
            try:
                self._waiting.put_nowait((due, places))
            except queue.Full:
                self.tally.not_sent(len(places))
        else:
            # The last reading stands for its share of the time too: 20 readings at 1/s are 20 s of play.
            self._ended.wait(max(0.0, self._began + self.plan.duration - time.monotonic()))
        self._last_call = time.monotonic() + LINGER
        for _ in self._workers:
            self._waiting.put(None)
        for worker in self._workers:
            worker.join()
        self.elapsed = time.monotonic() - self._began
        self._finished.set()

    def _work(self) -> None:
        line = Line(self.url)
        while (post := self._waiting.get()) is not None:
            due, places = post
            if self._ended.is_set() or time.monotonic() > self._last_call:
                self.tally.not_sent(len(places))
                continue
            body, readings = self._body(due, places)
            if not readings:
                continue  # a minute in which the recording has nothing
            left = time.monotonic()
            status, answer = line.post(body, self.plan.sources[places[0]].key)
            self.tally.answered(readings, status, answer, delay=left - self._began - due, took=time.monotonic() - left)
        line.close()

    def _body(self, due: float, places: Sequence[int]) -> tuple[bytes, int]:
        """The list of items that is due, and how many readings it has."""
        timestamp = (self._began_at + timedelta(seconds=due)).isoformat()
        items: list[dict[str, Any]] = []
        readings = 0
        for place in places:
            source = self.plan.sources[place]
            named = {"patient_id": source.patient_id} if source.patient_id else {}
            shown = self.plan.show(place, due)
            readings += bool(shown)
            items += [
                named | {"sensor_id": source.device + sensor, "timestamp": timestamp} | values
                for sensor, values in shown.items()
            ]
        return json.dumps(items).encode(), readings


class Line:
    """One kept connection to the device door."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = connect(parts.hostname or "127.0.0.1", parts.port, timeout=PATIENCE)
        self._path = parts.path.rstrip("/") + DOOR

    def post(self, body: bytes, key: str) -> tuple[str, dict[str, Any]]:
        """The status and the answer; a kept connection that the server has closed meanwhile is opened once more."""
        for kept in (self._connection.sock is not None, False):
            try:
                return self._post(body, key)
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self._connection.close()
                if not kept:
                    break
            except (OSError, http.client.HTTPException):
                self._connection.close()
                break
        return UNANSWERED, {}

    def close(self) -> None:
        self._connection.close()

    def _post(self, body: bytes, key: str) -> tuple[str, dict[str, Any]]:
        self._connection.request("POST", self._path, body, {"Content-Type": "application/json", "X-API-Key": key})
        response = self._connection.getresponse()
        content = response.read()
        try:
            answer = json.loads(content)
        except ValueError:
            answer = {}
        return str(response.status), answer if isinstance(answer, dict) else {}
