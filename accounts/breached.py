"""Passwords that were found in breaches, asked offline: the file "ordered by hash" of Have I Been Pwned.

Each line is the SHA-1 of a password in upper-case hex, a colon, and how often it was found. The whole file has tens of
gigabytes; about forty short reads find a line.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

DIGITS = 40  # of a SHA-1 in hex
SAMPLES = 200  # places at which the order is looked at


class Unusable(Exception):
    """The file cannot be searched; the message says why."""


def holds(path: Path | str, password: str) -> bool:
    """Whether this password was found in a breach. Raises OSError where the file cannot be read."""
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    with open(path, "rb") as file:
        low, high = 0, file.seek(0, os.SEEK_END)
        while low < high:  # the line, if it is there, begins at or after low and before high
            middle = (low + high) // 2
            line = _line_at(file, middle)
            if not line or line[:DIGITS] > wanted:
                high = middle
            elif line[:DIGITS] == wanted:
                return True
            else:
                low = file.tell()
        return False


def examine(path: Path | str) -> None:
    """Raise Unusable when it is not such a file, or is not in order at one of many places."""
    try:
        with open(path, "rb") as file:
            end = file.seek(0, os.SEEK_END)
            lines = [_line_at(file, end * place // SAMPLES) for place in range(SAMPLES)]
    except OSError as error:
        raise Unusable(f"it cannot be read: {error.strerror}") from error
    hashes = [_hash_of(line) for line in lines if line]
    if not hashes:
        raise Unusable("it is empty")
    if hashes != sorted(hashes):
        raise Unusable("it is not ordered by hash")


def _hash_of(line: bytes) -> bytes:
    digits, colon, _ = line.partition(b":")
    if len(digits) != DIGITS or not colon or digits.strip(b"0123456789ABCDEF"):
        raise Unusable("it has lines that are no SHA-1 in upper-case hex with a colon behind")
    return digits


def _line_at(file: BinaryIO, place: int) -> bytes:
    """The first line that begins at this place or after it; nothing behind the last one."""
    file.seek(max(place - 1, 0))
    if place:
        file.readline()
    return file.readline()
