"""The one place where a lost race is tried again."""

import functools
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from django.db import IntegrityError, OperationalError, connection, transaction

P = ParamSpec("P")
R = TypeVar("R")

log = logging.getLogger(__name__)

TRIES = 5
# MySQL: 1205 lock wait timeout, 1213 deadlock; 1062: another writer was first with the same key, and is seen on the next try.
LOST_RACES = {1205, 1213, 1062}
LONGEST_WAIT = 5.0  # seconds for a turn
_turn = threading.Lock()


class WriterBusy(Exception):
    """The database could not take the write in time; try again later."""


def retried(verb: Callable[P, R]) -> Callable[P, R]:
    """Run a verb in one transaction, again when it lost a race: at most TRIES times, with jitter. Raises WriterBusy.

    Inside another transaction it runs as a part of that one, whose owner tries again.
    """

    @functools.wraps(verb)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if transaction.get_connection().in_atomic_block:
            return verb(*args, **kwargs)
        for attempt in range(1, TRIES + 1):
            try:
                with _own_turn(), transaction.atomic():
                    return verb(*args, **kwargs)
            except (OperationalError, IntegrityError) as error:
                if not _lost_a_race(error):
                    raise
                log.warning("%s lost a race, try %d of %d: %s", verb.__name__, attempt, TRIES, error)
                if attempt == TRIES and isinstance(error, IntegrityError):
                    raise  # no race after all: a rule that this write breaks every time
                time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311  (spreads the writers, hides nothing)
        raise WriterBusy

    return run


@contextmanager
def _own_turn() -> Iterator[None]:
    """A writer's turn. SQLite has one writer at a time, and those who find it busy sleep longer and longer: here they queue."""
    if connection.vendor != "sqlite":
        yield
        return
    if not _turn.acquire(timeout=LONGEST_WAIT):
        raise OperationalError("database is locked: too many writers wait for it")
    try:
        yield
    finally:
        _turn.release()


def _lost_a_race(error: Exception) -> bool:
    if error.args and error.args[0] in LOST_RACES:
        return True
    sentence = str(error)
    return "database is locked" in sentence or "UNIQUE constraint failed" in sentence
