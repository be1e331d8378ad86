"""The demo's own web process: daphne on the loopback, begun and ended with the demo."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType

HOST = "127.0.0.1"
COMES_UP_WITHIN = 30.0  # seconds
ENDS_WITHIN = 8.0
TOLD_LINES = 12  # of the log, when the process died


class DidNotComeUp(Exception):
    """The web process could not be started, or has died; the sentence says why."""


class Server:
    """Use it with `with`: at the end the process is gone, whatever happened."""

    def __init__(self, port: int, *, log: Path) -> None:
        self.port, self.log = port, log
        self.url = f"http://{HOST}:{port}"
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Server:
        must_be_free(self.port)
        command = [sys.executable, "-m", "daphne", "-v", "0", "-b", HOST, "-p", str(self.port), "medql.asgi:application"]
        with self.log.open("wb") as log:
            # It watches in a thread of its own, whatever the database: the demo is one web process.
            # A process group of its own: Ctrl-C at the terminal reaches the demo alone, which ends things in order.
            self._child = subprocess.Popen(  # noqa: S603  (our own interpreter)
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
                env=os.environ | {"MEDQL_DEMO": "1", "MEDQL_WATCH": "1"},
            )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
            try:
                self._child.wait(ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        if not self.log.stat().st_size:
            self.log.unlink()  # it had nothing to say

    def wait_until_it_answers(self) -> None:
        """Raises DidNotComeUp."""
        deadline = time.monotonic() + COMES_UP_WITHIN
        while not self._answers():
            self.must_live(patience=0.1)
            if time.monotonic() > deadline:
                raise DidNotComeUp(f"{self.url}/health did not answer within {COMES_UP_WITHIN:.0f} s; see {self.log}.")

    def must_live(self, *, patience: float = 0.0) -> None:
        """Raises DidNotComeUp with the last lines of its log when the process has died, or dies within `patience` seconds."""
        if self._child is None:
            return
        try:
            code = self._child.wait(patience)
        except subprocess.TimeoutExpired:
            return
        told = "\n".join(self.log.read_text(errors="replace").splitlines()[-TOLD_LINES:])
        raise DidNotComeUp(f"The web process ended with code {code}. The end of {self.log}:\n{told}")

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=2) as response:  # noqa: S310  (our own address)
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def must_be_free(port: int) -> None:
    """Raises DidNotComeUp: another program's answer must not be taken for ours."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise DidNotComeUp(
                f"Port {port} cannot be used ({error.strerror}). "
                "Choose another: PORT=8001 make demo, or manage.py demo --port 8001."
            ) from None
