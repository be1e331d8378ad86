"""The one entrance: HTTP to Django, sockets to the consumers."""

import asyncio
import os
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import OriginValidator
from channels.sessions import CookieMiddleware
from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medql.settings")
http = get_asgi_application()  # first: it loads the apps that the imports below need

from accounts.origin import SocketOrigin  # noqa: E402
from monitoring import realtime, watcher  # noqa: E402
from monitoring.routing import websocket_urlpatterns  # noqa: E402


class SameSite(OriginValidator):
    """Pages of another site get no socket. A program sends no Origin, which no browser leaves out."""

    def valid_origin(self, parsed_origin: Any) -> bool:
        return parsed_origin is None or super().valid_origin(parsed_origin)


protocols = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": SocketOrigin(SameSite(CookieMiddleware(URLRouter(websocket_urlpatterns)), settings.ALLOWED_HOSTS)),
    }
)
watcher.embed()


async def application(scope: Any, receive: Any, send: Any) -> None:
    realtime.serve_from(asyncio.get_running_loop())
    await protocols(scope, receive, send)
