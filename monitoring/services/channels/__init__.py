"""The ways out of the house: e-mail, web push, webhook. (In MedQL itself a message has arrived when its row is written.)

A channel's `prepare` reads what it needs and gives back a `Sending`; that runs without any database and says in words why
it failed. No call waits longer than PATIENCE for the network.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings

from monitoring.clinical.escalation import Way

PATIENCE = 4.0  # seconds for one call to the network


class Failed(Exception):
    """The message did not arrive, and why: a sentence for whoever looks after deliveries, without any secret."""


def _nothing() -> None:
    """Most channels have nothing to tidy."""


@dataclass(frozen=True, slots=True)
class Sending:
    """A message that is ready: `run` sends it, `after` writes what was learnt on the way."""

    run: Callable[[], None]
    after: Callable[[], None] = _nothing


def available(way: Way) -> bool:
    """Whether this installation can speak in this way at all."""
    needs = {Way.EMAIL: settings.EMAIL_URL, Way.PUSH: settings.VAPID_PRIVATE_KEY}
    return bool(needs.get(way, True))


def in_words(error: OSError) -> str:
    """What the network said, without addresses."""
    sentences: dict[type[OSError], str] = {
        TimeoutError: f"no answer within {PATIENCE:g} s",
        socket.gaierror: "the name of the host is not known",
        ConnectionRefusedError: "nobody listens there",
        ssl.SSLCertVerificationError: "its certificate is not trusted",
        ssl.SSLError: "TLS failed",
        ConnectionError: "the connection broke",
    }
    for kind, sentence in sentences.items():
        if isinstance(error, kind):
            return sentence
    return error.strerror or "the network failed"
