"""Real processes: two of them on one ward, writers that race, and a process that is killed in the middle."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from http.client import HTTPException

import pytest
import websockets
from django.utils import timezone

from monitoring.models import Alert, AlertEvent, Vital
from tests.conftest import signed_in
from tests.live.processes import PATIENCE, Server, running, wait_until
from tests.world import item

pytestmark = pytest.mark.django_db(transaction=True)


def send(server: Server, key: str, items: list[dict]) -> int:
    status, _ = server.post("/api/v1/vitals", json.dumps(items).encode(), **{"X-API-Key": key})
    return status


async def first_frame_with(words: str, server: Server, session: str, act: Callable[[], None]) -> str:
    """Watch North at this process, act once the first board is there, and wait for these words."""
    headers = {"Cookie": f"sessionid={session}", "Origin": server.url}
    address = f"ws://127.0.0.1:{server.port}/ws/wards/north/"
    async with websockets.connect(address, additional_headers=headers, max_size=None) as socket, asyncio.timeout(PATIENCE):
        await socket.recv()
        await asyncio.to_thread(act)
        async for frame in socket:
            if words in str(frame):
                return str(frame)
    raise AssertionError("the socket was closed")


def test_a_post_reaches_the_boards_of_its_process(noor, ada, gateway, now):
    session = signed_in(noor).session.session_key
    with running() as server:
        frame = asyncio.run(
            first_frame_with("SpO₂ 84", server, session, lambda: send(server, gateway.key, [item(ada, now, spo2=84)]))
        )

    assert "Ada Byron" in frame


@pytest.mark.redis
def test_a_post_to_one_process_reaches_a_socket_of_the_other(noor, ada, gateway, now):
    session = signed_in(noor).session.session_key
    with running() as one, running() as other:
        frame = asyncio.run(
            first_frame_with("SpO₂ 84", other, session, lambda: send(one, gateway.key, [item(ada, now, spo2=84)]))
        )

    assert "Ada Byron" in frame


@pytest.mark.redis
def test_a_socket_that_hears_nothing_for_twelve_seconds_stays_open(noor, north):
    session = signed_in(noor).session.session_key

    async def still_pulsing(server: Server) -> bool:
        headers = {"Cookie": f"sessionid={session}", "Origin": server.url}
        async with websockets.connect(f"ws://127.0.0.1:{server.port}/ws/wards/north/", additional_headers=headers) as socket:
            await socket.recv()
            started = asyncio.get_running_loop().time()
            async with asyncio.timeout(PATIENCE):
                async for frame in socket:
                    if "pulse" in str(frame) and asyncio.get_running_loop().time() - started > 12:
                        return True
        return False

    with running() as server:
        assert asyncio.run(still_pulsing(server))


def test_two_processes_posting_one_patients_breaches_leave_one_open_alert(ada, gateway):
    start = timezone.now() - timedelta(minutes=5)

    def breaches(server: Server, sensor: str) -> list[int]:
        return [
            send(server, gateway.key, [item(ada, start + timedelta(seconds=place), sensor_id=sensor, spo2=84)])
            for place in range(200)
        ]

    with running() as one, running() as other, ThreadPoolExecutor() as pool:
        answers = [pool.submit(breaches, server, f"M{place}") for place, server in enumerate((one, other))]
        statuses = [status for answer in answers for status in answer.result()]

    assert set(statuses) == {202}
    assert Vital.objects.count() == 400
    alert = Alert.objects.get()
    assert (alert.is_open, alert.count) == (True, 400)
    assert list(AlertEvent.objects.exclude(what="escalated").values_list("what", flat=True)) == ["raised"]


def test_gateways_whose_batches_cross_lose_nothing(ada, ben, gateway):
    """Two writers name the same patients in opposite order: the case that deadlocks when locks have no order."""
    start = timezone.now() - timedelta(minutes=5)

    def batches(server: Server, patients: list, sensor: str) -> list[int]:
        return [
            send(
                server,
                gateway.key,
                [item(each, start + timedelta(seconds=place), sensor_id=sensor, spo2=84 + place % 10) for each in patients],
            )
            for place in range(60)
        ]

    with running() as one, running() as other, ThreadPoolExecutor() as pool:
        forth = pool.submit(batches, one, [ada, ben], "M1")
        back = pool.submit(batches, other, [ben, ada], "M2")
        statuses = forth.result() + back.result()

    assert set(statuses) == {202}
    assert Vital.objects.count() == 240
    for patient in (ada, ben):  # the last readings were 93: back inside, and what was critical waits for a hand
        low = Alert.objects.filter(patient=patient, condition="spo2_low")
        assert low.exists()
        assert not low.open().filter(returned_at=None).exists()


@pytest.mark.parametrize("after", [5, 40])
def test_what_was_answered_202_is_there_after_a_sigkill(ada, gateway, after):
    start = timezone.now() - timedelta(minutes=9)
    answered: list[int] = []
    enough = threading.Event()

    def stream(server: Server) -> None:
        for place in range(2000):
            batch = [item(ada, start + timedelta(milliseconds=200 * place + n), heart_rate=60 + n) for n in range(20)]
            try:
                status = send(server, gateway.key, batch)
            except (OSError, HTTPException):
                return
            assert status == 202
            answered.append(place)
            if len(answered) == after:
                enough.set()

    with running() as server:
        posting = threading.Thread(target=stream, args=(server,))
        posting.start()
        assert enough.wait(PATIENCE)
        server.kill()
        posting.join(PATIENCE)

    stored = set(Vital.objects.values_list("measured_at", flat=True))
    promised = {start + timedelta(milliseconds=200 * place + n) for place in answered for n in range(20)}
    assert len(answered) >= after
    assert promised <= stored
    # A batch is one transaction: nothing is there by half.
    assert len(stored) % 20 == 0


def test_a_process_that_is_told_to_end_while_devices_post_ends_and_loses_nothing(ada, gateway):
    start = timezone.now() - timedelta(minutes=9)
    answered: list[tuple[str, datetime]] = []
    busy = threading.Event()

    def stream(server: Server, lane: int) -> None:
        for place in range(3000):
            at = start + timedelta(milliseconds=100 * place)
            try:
                status = send(server, gateway.key, [item(ada, at, sensor_id=f"lane{lane}", heart_rate=70)])
            except (OSError, HTTPException):
                return
            if status == 202:
                answered.append((f"lane{lane}", at))
            if len(answered) > 40:
                busy.set()

    with running() as server:
        lanes = [threading.Thread(target=stream, args=(server, lane)) for lane in range(6)]
        for lane in lanes:
            lane.start()
        assert busy.wait(PATIENCE)
        server.process.terminate()
        server.process.wait(PATIENCE)
        for lane in lanes:
            lane.join(PATIENCE)

    assert set(answered) <= set(Vital.objects.values_list("sensor_id", "measured_at"))


def test_after_a_sigkill_another_process_goes_on(noor, ada, gateway, now):
    with running() as server:
        assert send(server, gateway.key, [item(ada, now, spo2=84)]) == 202
        server.kill()

    with running() as server:
        assert send(server, gateway.key, [item(ada, now + timedelta(seconds=1), spo2=83)]) == 202
        wait_until(lambda: Alert.objects.open().filter(count=2).exists(), "the same alert goes on")
