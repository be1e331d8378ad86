"""What every request passes on its way to a view."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib.sessions.middleware import SessionMiddleware
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts import hashing, sessions
from accounts.transactions import WriterBusy
from accounts.views.answers import refusal

log = logging.getLogger(__name__)


class Sessions(SessionMiddleware):
    """The session of the browser that asks, and whether it is a person who asks."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        sessions.of(request).user_agent = request.headers.get("User-Agent", "")

    def process_view(self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any) -> None:
        request.by_hand = sessions.is_by_hand(request, view)  # type: ignore[attr-defined]

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Only a session that the view asked for is known to be somebody's: nothing is read for the others."""
        if getattr(request, "by_hand", False):
            sessions.of(request).touch(now=timezone.now())
        return super().process_response(request, response)

    def process_exception(self, request: HttpRequest, problem: Exception) -> HttpResponse | None:
        """Nothing was done, and it may be sent again: so many passwords at once, or the database is busy."""
        if isinstance(problem, hashing.Busy):
            sentence = "Many people are signing in at this moment. Try again in a few seconds."
        elif _lost_a_race(problem):
            log.warning("%s lost a race in the database: %r", request.path, problem)
            sentence = "The database is busy. Try again in a few seconds."
        else:
            return None
        return refusal(request, sentence, title="One moment", code="busy", status=503, wait=timedelta(seconds=5))


def _lost_a_race(problem: Exception) -> bool:
    """MySQL: 1205 is a lock that was waited for too long, 1213 a deadlock. WriterBusy has lost as often as it may."""
    if isinstance(problem, OperationalError) and problem.args:
        return problem.args[0] in (1205, 1213) or "database is locked" in str(problem)
    return isinstance(problem, WriterBusy)
