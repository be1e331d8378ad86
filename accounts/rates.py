"""How often somebody may come, counted in Redis for all web processes together, or in memory where there is no Redis.

While Redis is away each process counts for itself: no reading waits for Redis, and none is refused because of it.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections import Counter
from datetime import datetime
from typing import Any

from django.conf import settings
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter
from redis.backoff import NoBackoff
from redis.retry import Retry

from accounts.models import Device

log = logging.getLogger(__name__)

WINDOW = 10  # seconds over which a device's requests are counted: the longest that one is sent away for
PATIENCE = 0.25  # seconds for Redis
LEFT_ALONE = 5.0  # seconds in which a Redis that did not answer is not asked again

counted: Counter[str] = Counter()  # what /metrics shows of this process
_lock = threading.Lock()


class TooFast(Exception):
    """Too many requests; in `retry_after` seconds the next is taken."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"again in {retry_after} s")
        self.retry_after = retry_after


def take(device: Device, *, now: datetime) -> None:
    """Count a request of the device. Raises TooFast."""
    a_second = device.requests_per_second or settings.DEVICE_RATES[device.kind]
    if not hit(RateLimitItemPerSecond(a_second * WINDOW, WINDOW), "device", str(device.pk), now=now):
        count("device_requests_limited")
        raise TooFast(left(WINDOW, now=now))


def hit(limit: RateLimitItem, *who: str, now: datetime) -> bool:
    """Count one more; false when that is more than the limit.

    The number of the window is part of the name, so that a clock that is set back leaves nobody shut out for as long.
    """
    name = (*who, str(int(now.timestamp()) // limit.get_expiry()))
    together = shared()
    if together and _redis.may_be_asked():
        try:
            return together.hit(limit, *name)
        except StorageError as fault:
            _redis.did_not_answer(fault)
    if together:
        count("requests_counted_alone")
    return alone().hit(limit, *name)


def left(window: int, *, now: datetime) -> int:
    """Whole seconds to the end of the window."""
    return window - int(now.timestamp()) % window


def count(what: str) -> None:
    with _lock:
        counted[what] += 1


class _Redis:
    """Whether Redis is worth asking."""

    def __init__(self) -> None:
        self.away_until = 0.0

    def may_be_asked(self) -> bool:
        return time.monotonic() >= self.away_until

    def did_not_answer(self, fault: StorageError) -> None:
        self.away_until = time.monotonic() + LEFT_ALONE
        log.warning("Redis does not count requests (%s): for %g s this process counts alone", fault, LEFT_ALONE)


_redis = _Redis()


@functools.cache
def alone() -> FixedWindowRateLimiter:
    """What this process counts for itself."""
    return FixedWindowRateLimiter(MemoryStorage())


@functools.cache
def shared() -> FixedWindowRateLimiter | None:
    """What all web processes count together; none without Redis."""
    if not settings.REDIS_URL:
        return None
    address = settings.REDIS_URL.replace("unix://", "redis+unix://", 1)
    patience: dict[str, Any] = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
    patience["retry"] = Retry(NoBackoff(), 1)  # once: a kept connection may have been closed by a Redis that restarted
    prefix = f"{settings.REDIS_PREFIX}.rates"
    return FixedWindowRateLimiter(RedisStorage(address, key_prefix=prefix, wrap_exceptions=True, **patience))
