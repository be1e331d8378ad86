"""Real web processes on the test's own database."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import IO, Any
from urllib.parse import quote

from django.db import connection

from monitoring.models import WatcherBeat
from tests.ports import free_port

PATIENCE = 60.0  # seconds: of a busy machine, for what is sure to come


@dataclass
class Server:
    """One daphne process."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def post(self, path: str, body: bytes, **headers: str) -> tuple[int, bytes]:
        return self._ask("POST", path, body, {"Content-Type": "application/json"} | headers)

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        return self._ask("GET", path, None, headers)

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        link = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            link.request(method, path, body, headers)
            answer = link.getresponse()
            return answer.status, answer.read()
        finally:
            link.close()

    def freeze(self) -> None:
        """It is there and answers nobody."""
        self.process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)


def database_url(port: int = 0) -> str:
    """The URL of the database that this test writes to, at another port if told."""
    told = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{told['NAME']}"
    password = f":{quote(told['PASSWORD'])}" if told["PASSWORD"] else ""
    return f"mysql://{told['USER']}{password}@{told['HOST']}:{port or told['PORT']}/{told['NAME']}"


@contextlib.contextmanager
def running(
    port: int = 0,
    *,
    log: IO[bytes] | None = None,
    options: Sequence[str] = (),
    application: str = "medql.asgi:application",
    **environment: str,
) -> Iterator[Server]:
    """A daphne process that answers on a port (a free one unless told), until the block ends; unless told else it watches.

    What it says, there and on standard output, goes to `log`. It keeps no log of addresses, as the image does, unless an
    option of daphne says so.
    """
    port = port or free_port()
    command = [sys.executable, "-m", "daphne", "-v", "0", "-b", "127.0.0.1", "-p", str(port), *options]
    process = subprocess.Popen(
        [*command, application],
        env=os.environ | {"DATABASE_URL": database_url(), "MEDQL_WATCH": "true"} | environment,
        stdout=log or subprocess.DEVNULL,
        stderr=log or subprocess.DEVNULL,
    )
    try:
        server = Server(port, process)
        wait_until(lambda: _answers(server), "daphne answers")
        yield server
    finally:
        process.kill()
        process.wait(PATIENCE)


@contextlib.contextmanager
def watching(**environment: str) -> Iterator[subprocess.Popen[str]]:
    """A `manage.py watch` process that has beaten once, until the block ends; `stderr` is its log."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "watch"],
        env=os.environ | {"DATABASE_URL": database_url()} | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_until(lambda: _beats(process), "the watcher beats")
        yield process
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)


def _beats(process: subprocess.Popen[str]) -> bool:
    if process.poll() is not None:
        raise AssertionError(f"the watcher ended with {process.returncode}: {process.communicate()[1]}")
    return WatcherBeat.objects.filter(name__endswith=f":{process.pid}").exists()


def wait_until(true: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Ask until it is so; fails by name when it never is."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if found := true():
            return found
        time.sleep(0.05)
    raise AssertionError(f"in {patience:g} s never: {what}")


def _answers(server: Server) -> bool:
    if server.process.poll() is not None:
        raise AssertionError(f"daphne ended with {server.process.returncode}")
    try:
        return server.get("/health")[0] == 200
    except (OSError, HTTPException):
        return False
