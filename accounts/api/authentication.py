"""Who asks: a person signed in with a browser."""

from __future__ import annotations

from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request


class StaffSession(SessionAuthentication):
    """A person signed in with a browser, with Django's CSRF token on what changes something; a stranger is 401."""

    def enforce_csrf(self, request: Request) -> None:
        """Of the plain request: that of the framework would read the body for the token, and refuse it as of no known type."""
        super().enforce_csrf(request._request)  # type: ignore[arg-type]  # Django's check takes either

    def authenticate_header(self, request: Request) -> str:
        return "Session"
