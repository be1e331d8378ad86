"""The event stream of real processes: cut at random, two of them, slow readers, and a restart."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
import threading
from base64 import b64encode
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import websockets
from django.db import connection, transaction
from django.utils import timezone
from websockets.asyncio.client import ClientConnection

from accounts import audit, tokens
from accounts.models import AuditEntry, User
from monitoring import guard
from monitoring.models import AlertEvent
from monitoring.services import history
from tests.live.processes import PATIENCE, Server, running, wait_until
from tests.live.streams import ALERTS, access_token
from tests.world import item, open_alert, unscored

pytestmark = pytest.mark.django_db(transaction=True)

EVENTS, CUTS = 2_000, 50
What = AlertEvent.What


def address(server: Server, query: str = "") -> str:
    return f"ws://127.0.0.1:{server.port}/ws?{query}"


def bearer(user: User) -> dict[str, Any]:
    return {"additional_headers": {"Authorization": f"Bearer {access_token(user)}"}, "max_size": None}


async def next_of(stream: ClientConnection, *types: str, within: float = PATIENCE) -> dict[str, Any]:
    async with asyncio.timeout(within):
        async for text in stream:
            frame: dict[str, Any] = json.loads(text)
            if frame["type"] in types:
                return frame
    raise AssertionError("the socket was closed")


@pytest.fixture
def alert(ada, gateway, now) -> Any:
    unscored(ada)
    gateway.post([item(ada, now, spo2=84)])
    return open_alert(ada)


def happen(alert: Any, count: int, begin: int = 0) -> None:
    """This many things happen to an alert, ten in each transaction."""
    for first in range(begin, begin + count, 10):
        with transaction.atomic():
            for number in range(first, min(first + 10, begin + count)):
                history.tell([alert], What.SILENCED, by=None, at=timezone.now(), note=str(number))


class Client:
    """A program that is cut now and then, and comes back with the last id that it had."""

    def __init__(self, server: Server, user: User) -> None:
        self.server, self.told = server, bearer(user)
        self.notes: list[str] = []
        self.last, self.cuts = "", 0

    def has_had(self, count: int) -> bool:
        return len(self.notes) >= count

    async def hear(self, until: str) -> None:
        while until not in self.notes:
            query = f"after={self.last}" if self.last else ""
            async with websockets.connect(address(self.server, query), **self.told) as stream:
                await self._hear_for_a_while(stream, until)
                if until not in self.notes:
                    self.cuts += 1
                    stream.transport.abort()

    async def _hear_for_a_while(self, stream: ClientConnection, until: str) -> None:
        left = random.randint(1, EVENTS // CUTS - 1) if self.cuts < CUTS else EVENTS
        async for text in stream:
            frame = json.loads(text)
            assert frame["type"] != "gap"
            self.last = frame["id"] or self.last
            if frame["type"] in ALERTS:
                self.notes.append(frame["data"]["event"]["note"])
                left -= 1
            if left <= 0 or until in self.notes:
                return


def test_a_client_that_is_cut_fifty_times_has_every_event_once_and_in_order(noor, alert):
    with running() as server:
        client = Client(server, noor)

        async def cut_and_resume() -> None:
            writing = asyncio.create_task(asyncio.to_thread(_written, alert, client))
            first = asyncio.create_task(client.hear(until=str(EVENTS - 1)))
            async with asyncio.timeout(240):  # of a busy machine
                await asyncio.gather(writing, first)

        async def begin() -> None:
            async with websockets.connect(address(server), **client.told) as stream:
                client.last = (await next_of(stream, "present"))["id"]

        asyncio.run(begin())
        asyncio.run(cut_and_resume())

    assert client.notes == [str(number) for number in range(EVENTS)]
    assert client.cuts >= CUTS


def _written(alert: Any, client: Client) -> None:
    """Never so far ahead of the client that it would be told of a gap."""
    try:
        for first in range(0, EVENTS, 100):
            wait_until(partial(client.has_had, first - 600), "the client keeps up", patience=200)
            happen(alert, 100, first)
    finally:
        connection.close()


def test_of_two_writers_the_one_with_the_earlier_number_commits_first(noor, alert):
    """Numbers are given under the ward's row lock: a later one waits, so a cursor has nothing behind it that comes late."""
    numbered, go_on = threading.Event(), threading.Event()
    done: list[str] = []

    def slow() -> None:
        with transaction.atomic():
            history.tell([alert], What.SILENCED, by=None, at=timezone.now(), note="slow")
            numbered.set()
            assert go_on.wait(PATIENCE)
        done.append("slow")
        connection.close()

    def quick() -> None:
        assert numbered.wait(PATIENCE)
        with transaction.atomic():
            history.tell([alert], What.SILENCED, by=None, at=timezone.now(), note="quick")
        done.append("quick")
        connection.close()

    async def listen(server: Server) -> list[str]:
        async with websockets.connect(address(server), **told) as stream:
            await next_of(stream, "present")
            writers = [threading.Thread(target=each) for each in (slow, quick)]
            for each in writers:
                each.start()
            await asyncio.to_thread(numbered.wait, PATIENCE)
            await asyncio.sleep(1)  # in which the quick one would have been told
            assert done == []
            go_on.set()
            notes = [(await next_of(stream, *ALERTS))["data"]["event"]["note"] for _ in range(2)]
            for each in writers:
                await asyncio.to_thread(each.join, PATIENCE)
            return notes

    told = bearer(noor)
    with running() as server:
        assert asyncio.run(listen(server)) == ["slow", "quick"]


@pytest.mark.parametrize("missed", [1_000, 1_001])
def test_a_thousand_missed_events_are_replayed_and_one_more_is_a_gap(noor, alert, missed):
    told = bearer(noor)

    async def begin(server: Server) -> str:
        async with websockets.connect(address(server), **told) as stream:
            return str((await next_of(stream, "present"))["id"])

    async def come_back(server: Server, after: str) -> list[str]:
        async with websockets.connect(address(server, f"after={after}"), **told) as stream:
            types: list[str] = []
            while not types or types[-1] != "present":
                types.append((await next_of(stream, *ALERTS, "gap", "present"))["type"])
            return types

    with running() as server:
        after = asyncio.run(begin(server))
        happen(alert, missed)
        types = asyncio.run(come_back(server, after))

    assert types == (["ALERT_UPDATED"] * 1_000 if missed == 1_000 else ["gap"]) + ["present"]


@pytest.mark.redis
def test_what_is_posted_to_one_process_is_heard_at_the_other(noor, ada, gateway, now):
    told = bearer(noor)

    async def hear(one: Server, other: Server) -> tuple[dict, dict]:
        async with websockets.connect(address(other), **told) as stream:
            await next_of(stream, "present")
            body = json.dumps([item(ada, now, spo2=84)]).encode()
            status, _ = await asyncio.to_thread(one.post, "/api/v1/vitals", body, **{"X-API-Key": gateway.key})
            assert status == 202
            return await next_of(stream, "ALERT_NEW"), await next_of(stream, "VITAL_NEW")

    with running() as one, running() as other:
        raised, vital = asyncio.run(hear(one, other))
    assert (raised["patient_id"], vital["data"]["spo2"]) == ("P-ADA", 84)


def test_who_signs_out_is_closed_within_ten_seconds(noor, north):
    told = bearer(noor)

    async def hear(server: Server) -> int | None:
        async with websockets.connect(address(server), **told) as stream:
            await next_of(stream, "present")
            await asyncio.to_thread(_signed_out, noor)
            async with asyncio.timeout(PATIENCE):
                await stream.wait_closed()
            return stream.close_code

    with running() as server:
        assert asyncio.run(hear(server)) == 4401
    assert 2 * guard.EVERY < 10  # seconds: the promise, and the last look had just begun


def _signed_out(user: User) -> None:
    tokens.sign_out(user, at=timezone.now())
    connection.close()


def test_a_token_in_the_address_is_in_no_log(noor, north, tmp_path):
    token = access_token(noor)

    async def hear(server: Server) -> None:
        async with websockets.connect(address(server, f"token={token}")) as stream:
            await next_of(stream, "present")

    log = tmp_path / "log"
    with log.open("ab") as said_by, running(log=said_by, options=["--access-log", "-"], LOG_LEVEL="DEBUG") as server:
        asyncio.run(hear(server))
        wait_until(lambda: b"WSDISCONNECT /ws" in log.read_bytes(), "the socket is in the log")
    said = log.read_bytes()
    assert b"WSCONNECT /ws" in said
    assert token.encode() not in said and token.split(".")[2].encode() not in said
    audit.flush()
    assert token not in str(list(AuditEntry.objects.values()))


def test_a_process_that_ends_says_that_it_comes_again(noor, north):
    told = bearer(noor)

    async def hear(server: Server) -> int | None:
        async with websockets.connect(address(server), **told) as stream:
            await next_of(stream, "present")
            server.process.terminate()
            async with asyncio.timeout(PATIENCE):
                await stream.wait_closed()
            return stream.close_code

    with running() as server:
        assert asyncio.run(hear(server)) == 1012


def test_who_does_not_read_is_closed_and_slows_nobody(noor, ada, gateway):
    """He opens and reads nothing. What the system's buffers do not take waits in a bounded outbox; then he is sent away."""
    told, start = bearer(noor), timezone.now() - timedelta(minutes=9)

    async def hear(server: Server) -> bool:
        async with websockets.connect(address(server), **told) as quick:
            await next_of(quick, "present")
            with await asyncio.to_thread(_deaf, server, told["additional_headers"]["Authorization"]) as deaf:
                await asyncio.sleep(2)  # who says nothing begins after a second: by then he is live
                for first in range(0, MOST_SENT, 1_000):
                    times = [start + timedelta(milliseconds=first + place) for place in range(1_000)]
                    body = json.dumps([item(ada, at, heart_rate=70) for at in times]).encode()
                    assert (await asyncio.to_thread(server.post, "/api/v1/vitals", body, **{"X-API-Key": gateway.key}))[
                        0
                    ] == 202
                    await _all_come(quick, 1_000)
                    if server_has_let_go(deaf):
                        return True
        return False

    with running(options=["--ping-interval", "3600"]) as server:  # else daphne closes who does not answer its pings
        assert asyncio.run(hear(server))


MOST_SENT = 40_000


async def _all_come(stream: ClientConnection, count: int) -> None:
    """Wait until so many vitals have come."""
    while count > 0:
        frame = await next_of(stream, "VITAL_NEW")
        count -= len(frame["data"].get("vitals", [1]))


def _deaf(server: Server, authorization: str) -> socket.socket:
    """A client that shakes hands, and takes as little as its system allows."""
    link = socket.socket()
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    link.connect(("127.0.0.1", server.port))
    key = b64encode(b"0123456789abcdef").decode()
    asked = ["GET /ws HTTP/1.1", f"Host: 127.0.0.1:{server.port}", "Upgrade: websocket", "Connection: Upgrade"]
    asked += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", f"Authorization: {authorization}", "", ""]
    link.sendall("\r\n".join(asked).encode())
    return link


def server_has_let_go(link: socket.socket) -> bool:
    """As the kernel tells it: the connection is in no state to send any more."""
    (state,) = struct.unpack_from("B", link.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1))
    return bool(state != ESTABLISHED)


ESTABLISHED = 1
