"""Where in the stream somebody is: of each ward he hears the last alert event, as one opaque word."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Annotated

import msgspec

LONGEST = 16_000  # letters: some five hundred wards
NUMBERS = 2**63

# The number and primary key of an alert event. Numbers are given under the ward's lock, so what is behind one is committed.
Position = tuple[int, int]
START: Position = (0, 0)  # of a ward in which nothing has happened yet

# By its own name, as the frames have it: who shows a cursor can be told which ward he lost, and nothing that he does not say.
Slug = Annotated[str, msgspec.Meta(pattern=r"^[-a-zA-Z0-9_]{1,50}\Z")]


class BadCursor(Exception):
    """No cursor of this stream for these eyes: from it nothing can be told without a gap."""


def written(positions: Mapping[str, Position]) -> str:
    """Of each ward, by its slug."""
    return base64.urlsafe_b64encode(msgspec.json.encode(positions)).decode().rstrip("=")


def read(text: str) -> dict[str, Position]:
    """Raises BadCursor for what was never written by `written`; whether it is true is asked of the database."""
    if len(text) > LONGEST:
        raise BadCursor
    try:
        positions = _positions.decode(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise BadCursor from None
    if not positions or not all(0 <= part < NUMBERS for position in positions.values() for part in position):
        raise BadCursor
    return positions


_positions = msgspec.json.Decoder(dict[Slug, Position])
