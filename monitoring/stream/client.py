"""A client of the event stream: it comes back by itself, from where it was. An example for who writes another."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

import requests
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

PATIENCE = 10.0  # seconds that an answer may take
SLOWEST = 30.0  # seconds between two attempts
OLD = 150.0  # seconds after which an access token is changed for another
NOT_SIGNED_IN, NOT_FOUND = 4401, 4404


class Refused(Exception):
    """Not to be tried again: the message says why."""


@dataclass
class Token:
    """One that stays: a program's, or a person's for three minutes."""

    text: str

    def bearer(self) -> str:
        return self.text

    def renew(self) -> None:
        raise Refused("The token is not known, expired or revoked, or its session is over.")


@dataclass
class Login:
    """A person with a password: signed in when first asked, and refreshed for as long as the server lets him."""

    url: str
    login: str
    password: str = field(repr=False)
    _access: str = field(default="", repr=False)
    _refresh: str = field(default="", repr=False)
    _at: float = 0.0

    def bearer(self) -> str:
        if not self._access or time.monotonic() - self._at > OLD:
            self.renew()
        return self._access

    def renew(self) -> None:
        """By the refresh token, else by the password once more. Raises Refused."""
        if not (self._refresh and self._ask("refresh-token", {"refresh_token": self._refresh})):
            self._refresh = ""
            if not self._ask("login", {"id": self.login, "password": self.password}):
                raise Refused("Nobody signs in with this login and password.")

    def _ask(self, door: str, body: dict[str, str]) -> bool:
        answer = requests.post(f"{self.url}/auth/{door}", json=body, timeout=PATIENCE)
        if answer.status_code >= 500:
            answer.raise_for_status()
        if answer.status_code != requests.codes.ok:
            return False
        pair = answer.json()
        self._access, self._refresh, self._at = pair["access_token"], pair["refresh_token"], time.monotonic()
        return True


@dataclass
class Client:
    """`after` is the id of the last frame that had one: from there it goes on."""

    url: str
    key: Token | Login
    wards: Sequence[str] = ()
    after: str = ""
    say: Callable[[str], object] = print  # what goes on, for a person

    def frames(self) -> Iterator[str]:
        """Every frame as it was sent, for ever. Raises Refused."""
        pause = 1.0
        while True:
            try:
                for frame in self._until_cut():
                    pause = 1.0
                    yield frame
            except ConnectionClosed as closed:
                self._mind(closed.rcvd.code if closed.rcvd else None)
            except (OSError, InvalidHandshake, requests.RequestException) as fault:
                self.say(f"No stream: {type(fault).__name__}. Again in {pause:g} s.")
            time.sleep(pause)
            pause = min(2 * pause, SLOWEST)

    def _until_cut(self) -> Iterator[str]:
        # Whoever takes everything resumes by the address; else the choice has to come first, and both are frames.
        query = f"?{urlencode({'after': self.after})}" if self.after and not self.wards else ""
        address = f"ws{self.url.removeprefix('http')}/ws{query}"
        headers = {"Authorization": f"Bearer {self.key.bearer()}"}
        with connect(address, additional_headers=headers, open_timeout=PATIENCE, max_size=None) as stream:
            if self.wards:
                self._choose(stream)
            for text in stream:
                frame = str(text)
                self.after = json.loads(frame)["id"] or self.after
                yield frame
            raise ConnectionClosed(stream.protocol.close_rcvd, stream.protocol.close_sent)

    def _choose(self, stream: ClientConnection) -> None:
        stream.send(json.dumps({"type": "subscribe", "wards": list(self.wards)}))
        stream.send(json.dumps({"type": "resume", "after": self.after or None}))

    def _mind(self, code: int | None) -> None:
        if code == NOT_FOUND:
            raise Refused("No ward here is for these eyes.")
        if code == NOT_SIGNED_IN:
            self.key.renew()
        self.say(f"Cut off ({code or 'without a word'}): coming back.")
