"""E-mail about one's own account: at once where the sender waits for the answer, else by a thread beside the requests."""

from __future__ import annotations

import logging
import smtplib
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import connections

log = logging.getLogger(__name__)

PATIENCE = 4  # seconds for the mail server
MOST_WAITING = 100

_waiting = threading.BoundedSemaphore(MOST_WAITING)
_postman = ThreadPoolExecutor(max_workers=2, thread_name_prefix="letters")


class Unsent(Exception):
    """The letter did not leave."""


class Full(Exception):
    """Too many letters wait already."""


def can_send() -> bool:
    return bool(settings.EMAIL_URL)


def send(address: str, subject: str, body: str) -> None:
    """Raises Unsent."""
    letter = EmailMessage(subject, body, settings.DEFAULT_FROM_EMAIL, [address])
    try:
        letter.connection = get_connection(timeout=PATIENCE)
        letter.send()
    except (smtplib.SMTPException, OSError) as fault:
        raise Unsent(type(fault).__name__) from fault


def later(work: Callable[[], None]) -> Future[None]:
    """Do it beside the request, whose answer then says nothing of it, not even by its time. Raises Full."""
    if not _waiting.acquire(blocking=False):
        raise Full
    return _postman.submit(copy_context().run, _do, work)


def _do(work: Callable[[], None]) -> None:
    try:
        work()
    except Unsent as fault:
        log.error("a letter about an account was not sent: %s", fault)
    except Exception:
        log.exception("a letter about an account was not written")
    finally:
        _waiting.release()
        connections.close_all()
