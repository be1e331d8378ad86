"""A road to a server that a test can close and open again."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from tests.ports import free_port


class Road:
    """Carries bytes between a port of its own and a server. Closed, it refuses whoever comes, and cuts who is on it; held, it
    lets everybody in and carries nothing."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._on_it: list[socket.socket] = []
        self.port = free_port()
        self._flows = threading.Event()
        self._flows.set()
        self.open()

    def open(self) -> None:
        self._door = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._let_in, args=(self._door,), daemon=True).start()

    def close(self) -> None:
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        for one in self._on_it:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._on_it.clear()

    def hold(self) -> None:
        self._flows.clear()

    def let_go(self) -> None:
        self._flows.set()

    def _let_in(self, door: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the door was closed
            while True:
                here, _ = door.accept()
                there = socket.create_connection(self._server)
                self._on_it += [here, there]
                for one, other in ((here, there), (there, here)):
                    threading.Thread(target=_carry, args=(one, other, self._flows), daemon=True).start()


def _carry(one: socket.socket, other: socket.socket, flows: threading.Event) -> None:
    with contextlib.suppress(OSError):
        while bytes_ := one.recv(65536):
            flows.wait()
            other.sendall(bytes_)
    for end in (one, other):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def road_to(server: Mapping[str, Any]) -> Iterator[Road]:
    road = Road(server["HOST"], int(server["PORT"]))
    try:
        yield road
    finally:
        road.let_go()
        road.close()
