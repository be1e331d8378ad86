"""Keys that open nothing: slowed down by address and written down, both boundedly.

Only a wrong key is sent away: behind the same address other devices may show right ones, and they are never asked about it.
"""

from __future__ import annotations

from datetime import datetime

from limits import RateLimitItemPerMinute

from accounts import audit, origin, rates
from accounts.models import Deed, Device

MINUTE = 60
WRONG = RateLimitItemPerMinute(30)  # from one address; what comes beyond is 429 until the minute is over
WRITTEN = RateLimitItemPerMinute(1)  # of one address and one reason
WRITTEN_IN_ALL = RateLimitItemPerMinute(60)  # of one reason by one process, however many addresses try


def wrong(*, at: datetime) -> None:
    """A key that nobody has. Raises TooFast when its address tried too many."""
    rates.count("wrong_device_keys")
    address = origin.network()
    if rates.hit(WRONG, "wrong key", address, now=at):
        _write_down(address, "wrong_key", at=at)
        return
    _write_down(address, "too_many_wrong_keys", at=at)
    raise rates.TooFast(rates.left(MINUTE, now=at))


def revoked(device: Device, *, at: datetime) -> None:
    """The key of a device that was withdrawn."""
    rates.count("revoked_device_keys")
    _write_down(f"device:{device.name}", "revoked_key", at=at)


def _write_down(who: str, why: str, *, at: datetime) -> None:
    alone = rates.alone()
    window = str(int(at.timestamp()) // MINUTE)
    if alone.hit(WRITTEN, "written", who, why, window) and alone.hit(WRITTEN_IN_ALL, "written", why, window):
        about = who if why == "revoked_key" else ""
        audit.record(Deed.KEY_REFUSED, by=None, at=at, about=about, detail={"why": why})
