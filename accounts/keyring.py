"""The keys with which MedQL seals what it keeps: a ring, of which the first is current and the others only open.

`MEDQL_KEYS="id:base64,olderid:base64"`, read once when the settings are.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

LENGTH = 32  # bytes: AES-256
FEWEST_DIFFERENT = 16  # bytes: of 32 random ones about 30 differ; a typed or counted key has fewer
ID = re.compile(r"[A-Za-z0-9_-]{1,16}")


class UnknownKey(LookupError):
    """The ring has no key with this id."""


class BadRing(ValueError):
    """MEDQL_KEYS cannot be what somebody meant; the sentence never holds a key."""


@dataclass(frozen=True, slots=True)
class Key:
    id: str
    secret: bytes = field(repr=False)


def read(text: str) -> tuple[Key, ...]:
    """The ring that this text describes. Raises BadRing."""
    keys = tuple(_key(place, entry.strip()) for place, entry in enumerate(text.split(","), 1))
    if len({key.id.lower() for key in keys}) < len(keys):  # SQLite looks for a and A alike
        raise BadRing("MEDQL_KEYS has two keys of one id: nobody could say which of them sealed what.")
    if len({key.secret for key in keys}) < len(keys):
        raise BadRing("MEDQL_KEYS has one key under two ids: a rotation to it would change nothing.")
    return keys


def _key(place: int, entry: str) -> Key:
    name, _, text = entry.partition(":")
    if not ID.fullmatch(name):
        raise BadRing(f"Key {place} of MEDQL_KEYS has no id: write id:base64, the id of 1 to 16 letters, digits, _ and -.")
    try:
        secret = base64.b64decode(_padded(text.translate(str.maketrans("-_", "+/"))), validate=True)
    except binascii.Error:
        raise BadRing(f"Key {name} of MEDQL_KEYS is no base64.") from None
    if len(secret) != LENGTH:
        raise BadRing(f"Key {name} of MEDQL_KEYS has {len(secret)} bytes instead of {LENGTH}.")
    if len(set(secret)) < FEWEST_DIFFERENT:
        raise BadRing(f"Key {name} of MEDQL_KEYS is not random: make one with openssl rand -base64 32.")
    return Key(name, secret)


def _padded(text: str) -> str:
    bare = text.rstrip("=")
    return bare + "=" * (-len(bare) % 4)


def ring() -> tuple[Key, ...]:
    """The current key, then those that only open."""
    keys: tuple[Key, ...] = settings.KEY_RING
    return keys


def current() -> Key:
    """The key that seals from now on."""
    return ring()[0]


def by_id(id: str) -> Key:
    """The key that sealed under this id. Raises UnknownKey."""
    for key in ring():
        if key.id == id:
            return key
    raise UnknownKey(id)


@lru_cache(maxsize=64)
def derived(key: Key, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose (HKDF-SHA256): what signs tokens opens no sealed text, and the other way round."""
    return HKDF(algorithm=SHA256(), length=LENGTH, salt=None, info=f"medql:{purpose}".encode()).derive(key.secret)
