"""The one entrance: HTTP to Django, sockets to the consumers."""

import asyncio
import os
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.sessions import CookieMiddleware
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medql.settings")
http = get_asgi_application()  # first: it loads the apps that the imports below need

from daphne.ws_protocol import WebSocketProtocol  # noqa: E402
from twisted.web.http import HTTPChannel  # noqa: E402

from accounts.origin import SocketOrigin  # noqa: E402
from medql.pacing import Paced  # noqa: E402
from medql.sockets import SameOrigin  # noqa: E402
from monitoring import realtime, watcher  # noqa: E402
from monitoring.routing import websocket_urlpatterns  # noqa: E402


def _too_long(channel: HTTPChannel, line: bytes) -> None:
    """Answered 400, as whatever else cannot be read; daphne's HTTP would hang up without a word."""
    channel._respondToBadRequestAndDisconnect()


HTTPChannel.lineLengthExceeded = _too_long  # type: ignore[method-assign,assignment]  # daphne leaves no other way in


def _close(socket: WebSocketProtocol, code: int | None = None) -> None:
    """With the codes of a server too (1012, 1013): autobahn's usual way takes only those of an application, and fails."""
    socket.sendCloseFrame(code=code or 1000)


WebSocketProtocol.serverClose = _close

protocols = ProtocolTypeRouter(
    {
        "http": Paced(http),
        "websocket": SocketOrigin(SameOrigin(CookieMiddleware(URLRouter(websocket_urlpatterns)))),
    }
)
watcher.embed()


async def application(scope: Any, receive: Any, send: Any) -> None:
    realtime.serve_from(asyncio.get_running_loop())
    await protocols(scope, receive, send)
