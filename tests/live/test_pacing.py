"""Long answers on a real daphne: who reads slowly is waited for, and what breaks off looks like it."""

from __future__ import annotations

import errno
import socket
from datetime import timedelta
from functools import partial
from http.client import HTTPConnection, IncompleteRead
from urllib.parse import urlencode

import pytest

from monitoring import files
from tests.exports.takers import asked as query
from tests.exports.takers import measured
from tests.live.breaking import PIECE, PIECES
from tests.live.processes import PATIENCE, running, wait_until
from tests.live.streams import access_token

CUT = (IncompleteRead, ConnectionResetError)


@pytest.fixture
def server(django_db_setup, django_db_blocker):
    """Each test's own: it counts what it has sent."""
    with django_db_blocker.unblock(), running(application="tests.live.breaking:application") as server:
        yield server


def asked(server, path: str) -> HTTPConnection:
    link = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    link.request("GET", path)
    return link


def test_who_does_not_read_is_waited_for_and_gets_all_of_it(server):
    """What the network takes by itself are a few megabytes."""
    link = asked(server, "/flood")
    wait_until(lambda: int(server.get("/sent")[1]), "the answer has begun")

    waiting = int(server.get("/sent")[1])
    whole = link.getresponse().read()

    assert waiting < PIECES / 2
    assert len(whole) == PIECES * len(PIECE) + len(str(PIECES))


def test_who_goes_away_is_not_waited_for(server):
    link = asked(server, "/flood")
    wait_until(lambda: int(server.get("/sent")[1]) % PIECES, "the answer has begun")

    link.close()

    wait_until(lambda: int(server.get("/sent")[1]) % PIECES == 0, "it goes on, into nothing")


def test_an_answer_that_breaks_off_never_looks_whole(server):
    for _ in range(3):
        with pytest.raises(CUT):
            asked(server, "/breaks").getresponse().read()

    assert server.get("/sent")[0] == 200


def test_who_does_not_read_is_cut_off_in_the_end_and_it_never_looks_whole(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), running(application="tests.live.breaking:application", PATIENCE="0.5") as server:
        for http in ("HTTP/1.1", "HTTP/1.0"):
            with silent(server, f"GET /flood {http}") as link:
                wait_until(lambda: is_cut(link), "the connection is cut off")


@pytest.mark.django_db(transaction=True)
def test_exports_that_nobody_reads_give_their_turns_back(ada, noor, now):
    measured(ada, *(now - timedelta(seconds=each / 2) for each in range(50_000)), heart_rate=80, spo2=97)
    request = f"GET /api/v1/patients/P-ADA/export?{urlencode(query(now))} HTTP/1.1"
    begin = urlencode(query(now, to=now - timedelta(hours=7, minutes=59)))
    token = f"Bearer {access_token(noor)}"

    def another() -> tuple[int, bytes]:
        return server.get(f"/api/v1/patients/P-ADA/export?{begin}", Authorization=token)

    with running(application="tests.live.impatient:application") as server:
        links = [silent(server, request, Authorization=token) for _ in range(files.AT_ONCE)]

        assert another()[0] == 503
        wait_until(lambda: another()[0] == 200, "there is room again")

        for link in links:
            wait_until(partial(is_cut, link), "each is cut off, when its own time is over")


def silent(server, request: str, **headers: str) -> socket.socket:
    """Who asks, and reads the first byte of the answer alone."""
    link = socket.socket()
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    link.settimeout(PATIENCE)
    link.connect(("127.0.0.1", server.port))
    told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    link.sendall(f"{request}\r\nHost: 127.0.0.1\r\n{told}\r\n".encode())
    link.recv(1)
    return link


def is_cut(link: socket.socket) -> bool:
    """Reset: an end that was closed in order would pass for the end of the answer."""
    return link.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNRESET
