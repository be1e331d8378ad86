"""What the environment must say, or MedQL does not start: what makes no sense or protects nothing is refused by name.

No sentence here shows what was said of a secret.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ImproperlyConfigured

DEVICE_RATES = {"monitor": 50, "gateway": 1000, "kiosk": 5, "pillbox": 5}
HIGHEST_RATE = 10_000
FEWEST_DIFFERENT = 8  # letters: hexadecimal digits of 16 random bytes have about 14
SAID_ALOUD = ("insecure", "changeme", "change-me", "example", "password", "not-secret")
HERE = {"", "localhost", "127.0.0.1", "::1", "[::1]"}
MAKE_ONE = "Make one with: openssl rand -hex 32"
VAPID_BYTES = 32


def rates(told: Sequence[str]) -> dict[str, int]:
    """Requests a second by kind of device: those told, each as `kind=rate`, over those of MedQL itself."""
    found = dict(DEVICE_RATES)
    for each in told:
        kind, _, rate = each.partition("=")
        if kind not in DEVICE_RATES or not (rate.isdecimal() and 1 <= int(rate[:6]) <= HIGHEST_RATE):
            raise ImproperlyConfigured(
                f"MEDQL_DEVICE_RATES says {each}: write kind=requests a second, of {', '.join(DEVICE_RATES)}, "
                f"each 1 to {HIGHEST_RATE}, with commas between."
            )
        found[kind] = int(rate)
    return found


def secret(name: str, told: str, *, shortest: int) -> str:
    """A secret that nobody guesses and nobody has read somewhere; one that is not given is the caller's care."""
    if not told:
        return told
    if len(told) < shortest:
        raise ImproperlyConfigured(f"{name} has fewer than {shortest} letters. {MAKE_ONE}")
    if len(set(told)) < FEWEST_DIFFERENT or any(word in told.lower() for word in SAID_ALOUD):
        raise ImproperlyConfigured(f"{name} can be guessed: it is an example, or hardly varies. {MAKE_ONE}")
    return told


def vapid(key: str, subject: str) -> str:
    """The key of web push, and whom a push service may turn to."""
    if not key:
        return key
    try:
        found = base64.b64decode(key + "=" * (-len(key) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != VAPID_BYTES or len(set(found)) < FEWEST_DIFFERENT:
        raise ImproperlyConfigured("VAPID_PRIVATE_KEY is no key for web push. How to make one: docs/running.md")
    if not subject.startswith(("mailto:", "https:")):
        raise ImproperlyConfigured("VAPID_SUBJECT is neither a mailto: nor an https: address.")
    return key


def is_elsewhere(database: Mapping[str, Any]) -> bool:
    """Whether the database runs on another machine: a file, a socket and the loopback are this one."""
    host = str(database.get("HOST", ""))
    return host not in HERE and not host.startswith("/")


def database(told: Mapping[str, Any], given: Mapping[str, str]) -> None:
    """A database elsewhere is a real one: it has a password, and what signs and seals comes from the environment."""
    if not is_elsewhere(told):
        return
    if told.get("PASSWORD", "") in ("", told.get("USER", "")):
        raise ImproperlyConfigured(f"DATABASE_URL names a server elsewhere, and no password or the user's name. {MAKE_ONE}")
    for name, value in given.items():
        if not value:
            raise ImproperlyConfigured(f"DATABASE_URL names a server elsewhere, but {name} is not in the environment.")


def only_here(name: str, *, hosts: Sequence[str], https: bool, database: Mapping[str, Any]) -> None:
    """DEBUG shows the code to whoever makes it fail, and the demo its passwords: neither leaves this machine."""
    away = [host for host in hosts if host not in HERE and not host.endswith(".localhost")]
    reasons = {
        f"ALLOWED_HOSTS names {', '.join(away)}": away,
        "MEDQL_HTTPS is set": https,
        "the database is elsewhere": is_elsewhere(database),
    }
    for reason, holds in reasons.items():
        if holds:
            raise ImproperlyConfigured(f"{name} is for this machine alone, and {reason}.")
