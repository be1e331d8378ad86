"""What every request passes on its way to a view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts import sessions


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
