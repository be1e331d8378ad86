"""How passwords are hashed: Argon2id, and only a few at a time, so that many who sign in at once neither fill the memory
nor stand before anybody else's request.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher

LONGEST = 256  # letters of a password: beyond that nothing is hashed
PATIENCE = 5.0  # seconds that a hash waits for its turn
_turns = threading.BoundedSemaphore(settings.HASHES_AT_ONCE)


class Busy(Exception):
    """So many passwords are being hashed that this one had to wait too long."""


class Argon2(Argon2PasswordHasher):
    """OWASP's Password Storage Cheat Sheet, first recommendation: Argon2id with 19 MiB, two iterations, one lane.

    The hash itself lets other threads run; a request whose turn has not come waits in its own.
    """

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with _turn():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with _turn():
            return super().verify(password, encoded)


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=PATIENCE):
        raise Busy
    try:
        yield
    finally:
        _turns.release()
