"""Device keys in real web processes: what one revokes the others drop within 5 s, and what Redis does costs no reading."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from accounts import keys, rates
from accounts.models import Device, DeviceKey
from monitoring.models import Vital
from tests.live.processes import PATIENCE, Server, running, wait_until
from tests.live.roads import road_to
from tests.world import item

pytestmark = pytest.mark.django_db(transaction=True)

WITHIN = 5.0  # seconds: the promise
TOKEN = "of these tests alone"


def send(server: Server, key: str, items: list[dict]) -> int:
    status, _ = server.post("/api/v1/vitals", json.dumps(items).encode(), **{"X-API-Key": key})
    return status


class Stream:
    """A gateway that posts to a process without a pause, from a thread of its own, and keeps each answer with its time."""

    def __init__(self, server: Server, key: str, patient, lane: str) -> None:
        self.server, self.key, self.patient, self.lane = server, key, patient, lane
        self.answers: list[tuple[float, int]] = []
        self.start = timezone.now() - timedelta(minutes=9)
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._post)

    def __enter__(self) -> Stream:
        self.thread.start()
        return self

    def __exit__(self, *fault: object) -> None:
        self.ended.set()
        self.thread.join()

    def _post(self) -> None:
        place = 0
        while not self.ended.is_set():
            at = self.start + timedelta(milliseconds=10 * place)
            left = time.monotonic()  # before the server may look at it
            status = send(self.server, self.key, [item(self.patient, at, sensor_id=self.lane, spo2=97)])
            self.answers.append((left, status))
            place += 1

    def took(self) -> int:
        return sum(status == 202 for _, status in list(self.answers))

    def refused(self) -> bool:
        return bool(self.answers) and self.answers[-1][1] == 403


def test_a_key_revoked_elsewhere_opens_no_process_five_seconds_later(ada, gateway):
    with (
        running() as one,
        running() as other,
        Stream(one, gateway.key, ada, "one") as first,
        Stream(other, gateway.key, ada, "other") as second,
    ):
        wait_until(lambda: min(first.took(), second.took()) > 5, "both processes take it")

        keys.revoke(gateway.device, at=timezone.now(), by=None)
        revoked_at = time.monotonic()

        wait_until(lambda: first.refused() and second.refused(), "both refuse it")

    for stream in (first, second):
        statuses = [status for _, status in stream.answers]
        assert set(statuses) == {202, 403}
        assert statuses == sorted(statuses)  # once refused, never taken again
        assert max(left for left, status in stream.answers if status == 202) < revoked_at + WITHIN
    assert Vital.objects.count() == first.took() + second.took()  # what was answered 202 is there, and nothing else


def test_a_device_switched_off_elsewhere_is_shut_out_as_soon(ada, gateway):
    with running() as server, Stream(server, gateway.key, ada, "lane") as stream:
        wait_until(lambda: stream.took() > 5, "it is taken")

        Device.objects.update(is_active=False)
        switched_off_at = time.monotonic()

        wait_until(stream.refused, "it is refused")
    assert max(left for left, status in stream.answers if status == 202) < switched_off_at + WITHIN


def test_a_change_of_keys_while_readings_come_loses_none(ada, gateway):
    with running() as server, Stream(server, gateway.key, ada, "old") as old:
        wait_until(lambda: old.took() > 5, "the old key is taken")
        new = keys.rotate(gateway.device, at=timezone.now(), by=None)
        with Stream(server, new, ada, "new") as stream:
            wait_until(lambda: stream.took() > 20, "the new key is taken")
    assert {status for _, status in old.answers + stream.answers} == {202}


def test_last_used_is_noted_once_by_however_many_threads(ada, gateway):
    began = timezone.now()
    with running() as server:
        lanes = [Stream(server, gateway.key, ada, f"lane{lane}") for lane in range(4)]
        with lanes[0], lanes[1], lanes[2], lanes[3]:
            wait_until(lambda: all(lane.took() > 20 for lane in lanes), "all are taken")
        used_at = DeviceKey.objects.get().used_at

        assert send(server, gateway.key, [item(ada, spo2=97)]) == 202
    again = DeviceKey.objects.get().used_at
    assert again == used_at or again - used_at >= keys.NOTED_EVERY
    assert used_at >= began


@contextmanager
def _road_to_redis():
    parts = urlsplit(os.environ["REDIS_URL"])
    with road_to({"HOST": parts.hostname, "PORT": parts.port or 6379}) as road:
        yield road, f"redis://127.0.0.1:{road.port}{parts.path}"


@pytest.mark.redis
def test_two_processes_count_a_devices_requests_together(ada, gateway):
    Device.objects.update(requests_per_second=1)
    with running(METRICS_TOKEN=TOKEN) as one, running(METRICS_TOKEN=TOKEN) as other:

        def sent_in_one_window():
            before, alone = _window(), _counted_alone(one) + _counted_alone(other)
            wait_until(lambda: _window() > before, "a window begins")
            begun = _window()
            codes = Counter(send(server, gateway.key, [item(ada, spo2=97)]) for _ in range(7) for server in (one, other))
            counted_together = _counted_alone(one) + _counted_alone(other) == alone  # Redis has answered in time
            return codes if counted_together and _window() == begun else None

        codes = wait_until(sent_in_one_window, "all leave in one window", patience=5 * PATIENCE)
    assert codes == {202: 10, 429: 4}


def _window() -> int:
    return int(timezone.now().timestamp()) // rates.WINDOW


def _counted_alone(server: Server) -> float:
    status, text = server.get("/metrics", Authorization=f"Bearer {TOKEN}")
    assert status == 200
    (line,) = [line for line in text.decode().splitlines() if line.startswith("medql_requests_counted_alone_total")]
    return float(line.split()[1])


@pytest.mark.redis
def test_while_redis_is_away_every_reading_is_taken(ada, gateway):
    with _road_to_redis() as (road, address), running(REDIS_URL=address, METRICS_TOKEN=TOKEN) as server:
        with Stream(server, gateway.key, ada, "lane") as stream:
            wait_until(lambda: stream.took() > 5, "readings are taken")
            road.close()
            before = stream.took()
            wait_until(lambda: stream.took() > before + 50, "and without Redis too")
            road.open()
            before = stream.took()
            wait_until(lambda: stream.took() > before + 50, "and when it is back")
        assert _counted_alone(server) > 0

    assert {status for _, status in stream.answers} == {202}


@pytest.mark.redis
def test_a_redis_that_hangs_keeps_few_readings_waiting_and_none_out(ada, gateway):
    with (
        _road_to_redis() as (road, address),
        running(REDIS_URL=address) as server,
        Stream(server, gateway.key, ada, "lane") as stream,
    ):
        wait_until(lambda: stream.took() > 5, "readings are taken")
        road.hold()
        before = stream.took()
        wait_until(lambda: stream.took() > before + 50, "and while Redis hangs")
        road.let_go()
    assert {status for _, status in stream.answers} == {202}
