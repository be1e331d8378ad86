"""Sealed text: AES-256-GCM under the current key of the ring, bound to the row that it is about.

`v1.<key id>.<base64 of nonce, text and tag>`. `about` is the associated data: moved to another row it opens no more.
"""

from __future__ import annotations

import base64
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from accounts import keyring

VERSION = "v1"
NONCE = 12  # bytes, random: good for 2³² texts under one key
PURPOSE = "sealing"


class Unreadable(Exception):
    """The sealed text was changed, belongs to another row, or its key is not in the ring."""


def seal(text: str, *, about: str) -> str:
    key, nonce = keyring.current(), secrets.token_bytes(NONCE)
    sealed = AESGCM(keyring.derived(key, PURPOSE)).encrypt(nonce, text.encode(), _bound(key.id, about))
    return f"{VERSION}.{key.id}.{base64.b64encode(nonce + sealed).decode()}"


def unseal(sealed: str, *, about: str) -> str:
    """The text again. Raises Unreadable."""
    id = key_id(sealed)
    try:
        whole = _bytes(sealed.split(".")[2])
        cipher = AESGCM(keyring.derived(keyring.by_id(id), PURPOSE))
        return cipher.decrypt(whole[:NONCE], whole[NONCE:], _bound(id, about)).decode()
    except keyring.UnknownKey:
        raise Unreadable(f"Sealed under key {id}, which is not in the ring.") from None
    except (InvalidTag, ValueError):
        raise Unreadable("The sealed text was changed, or belongs to another row.") from None


def key_id(sealed: str) -> str:
    """The id of the key under which this was sealed. Raises Unreadable for what is no sealed text."""
    version, _, rest = sealed.partition(".")
    id, _, text = rest.partition(".")
    if version != VERSION or not keyring.ID.fullmatch(id) or not text:
        raise Unreadable("This is no sealed text.")
    return id


def _bytes(text: str) -> bytes:
    """Only the one way to write these bytes is taken. Raises ValueError."""
    whole = base64.b64decode(text, validate=True)
    if base64.b64encode(whole).decode() != text:
        raise ValueError("written in another way")
    return whole


def _bound(id: str, about: str) -> bytes:
    return f"{VERSION}.{id}.{about}".encode()
