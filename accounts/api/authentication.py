"""Who asks: a person with an access token, a program with its token, or a person signed in with a browser."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts import access, audit, service_tokens, tokens
from accounts.access import Permission
from accounts.access_tokens import Expired, WrongToken
from accounts.models import ServiceToken, TokenSession, User


class BearerToken(BaseAuthentication):
    """`Authorization: Bearer` with a person's access token or a program's: who sends one is known by it, or 401."""

    def authenticate(self, request: Request) -> tuple[User, TokenSession] | tuple[ServiceToken, ServiceToken] | None:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        text, now = text.strip(), timezone.now()
        try:
            if service_tokens.is_one(text):
                program = service_tokens.bearer(text, now=now)
                return program, program
            session = tokens.bearer(text, now=now)
            return session.user, session
        except WrongToken as wrong:
            if type(wrong) is not Expired:  # which happens to everybody every three minutes
                audit.refused(by=None, at=now, about="token", detail={"why": wrong.code})
            raise AuthenticationFailed(wrong.sentence, code=wrong.code) from None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class StaffSession(SessionAuthentication):
    """A person signed in with a browser, with Django's CSRF token on what changes something; a stranger is 401."""

    def enforce_csrf(self, request: Request) -> None:
        """Of the plain request: that of the framework would read the body for the token, and refuse it as of no known type."""
        super().enforce_csrf(request._request)  # type: ignore[arg-type]  # Django's check takes either

    def authenticate_header(self, request: Request) -> str:
        return "Session"


class IsAllowed(BasePermission):
    """Whose role allows in some ward what the view needs, of a set one of it; which ward is asked where the row is found."""

    message = "Your role may not do this."

    def has_permission(self, request: Request, view: Any) -> bool:
        who, needed = request.user, view.needs_to.get(request.method, view.needs)
        if not isinstance(who, User | ServiceToken):
            return False
        roles = access.roles_anywhere(who)
        return any(access.holds(roles, each) for each in ([needed] if isinstance(needed, Permission) else needed))
