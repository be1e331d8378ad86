"""What a client may say, one frame of JSON each; anything else is answered with an error, and the socket stays."""

from __future__ import annotations

import time

import msgspec

LARGEST = 32_000  # letters of a frame
BURST, EACH_SECOND = 30, 10.0  # frames
PATIENCE = 300  # frames beyond that, and the socket is closed


class Ping(msgspec.Struct, tag_field="type", tag="ping", forbid_unknown_fields=True):
    pass


class Subscribe(msgspec.Struct, tag_field="type", tag="subscribe", forbid_unknown_fields=True):
    wards: list[str] = []
    patients: list[str] = []


class Unsubscribe(msgspec.Struct, tag_field="type", tag="unsubscribe", forbid_unknown_fields=True):
    wards: list[str] = []
    patients: list[str] = []


class Resume(msgspec.Struct, tag_field="type", tag="resume", forbid_unknown_fields=True):
    """`after` is the id of the last frame that had one; without it one begins with the present state."""

    after: str | None = None


Asked = Ping | Subscribe | Unsubscribe | Resume


class Wrong(Exception):
    """Nothing that a client may say."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


def read(text: str | None) -> Asked:
    """Raises Wrong."""
    if text is None:
        raise Wrong("bad_frame", "Frames are text, in JSON.")
    if len(text) > LARGEST:
        raise Wrong("too_large", f"A frame has at most {LARGEST} letters.")
    try:
        return _asked.decode(text)
    except msgspec.ValidationError as error:
        raise Wrong("bad_frame", f"{error}.") from None
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise Wrong("bad_frame", "This is no JSON.") from None


_asked = msgspec.json.Decoder(Asked)


class Pace:
    """How fast a client speaks."""

    def __init__(self) -> None:
        self._left, self._at = float(BURST), time.monotonic()
        self.beyond = 0  # frames that were too many, since it last kept the pace

    def takes(self) -> bool:
        """Whether one frame more is in time."""
        now = time.monotonic()
        self._left = min(float(BURST), self._left + (now - self._at) * EACH_SECOND)
        self._at = now
        if self._left < 1:
            self.beyond += 1
            return False
        self._left -= 1
        if self._left > BURST / 2:
            self.beyond = 0
        return True
