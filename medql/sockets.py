"""From where a browser may open a socket: the same rule as for a form that it sends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any

from channels.security.websocket import WebsocketDenier
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

SCHEMES = {"ws": "http", "wss": "https"}


class _Forms(CsrfViewMiddleware):
    """Django's check of a form's origin: scheme, host and port of this very site, or CSRF_TRUSTED_ORIGINS."""

    def knows(self, request: HttpRequest) -> bool:
        return self._origin_verified(request)  # type: ignore[attr-defined]


class SameOrigin:
    """Pages of another site get no socket, nor does who asks for a host that is not ours. A program may send no Origin."""

    def __init__(self, inner: Callable[..., Awaitable[None]]) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        inner = self.inner if is_ours(scope) else WebsocketDenier()
        await inner(scope, receive, send)


def is_ours(scope: dict[str, Any]) -> bool:
    names = [name.lower() for name, _ in scope["headers"]]
    if names.count(b"host") != 1 or names.count(b"origin") > 1:
        return False
    request = ASGIRequest(scope | {"method": "GET", "scheme": SCHEMES[scope.get("scheme", "ws")]}, BytesIO())
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return b"origin" not in names or _Forms(lambda request: HttpResponse()).knows(request)
