"""Ports for servers that are yet to come up."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket

from tests.workers import WORKER

# Lower than the ports that a system gives to whoever connects or does not mind, and in each test process others.
_ours = range(10_000 + 1_000 * WORKER, 11_000 + 1_000 * WORKER)
_ports = itertools.islice(itertools.cycle(_ours), os.getpid() % 1_000, None)


def free_port() -> int:
    """A port that nobody else takes while a process that is to listen there comes up, or comes up again."""
    for port in _ports:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("a cycle ends")
