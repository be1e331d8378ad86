"""How who asks is known, as the document tells it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension


class BearerTokenScheme(OpenApiAuthenticationExtension):
    target_class = "accounts.api.authentication.BearerToken"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        told = "The access token of a person from POST /auth/login (3 minutes), or the token of a program."
        return {"type": "http", "scheme": "bearer", "description": told}


class StaffSessionScheme(OpenApiAuthenticationExtension):
    target_class = "accounts.api.authentication.StaffSession"
    name = "browser"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        told = "A person signed in with a browser; what changes something also needs Django's X-CSRFToken."
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME, "description": told}
