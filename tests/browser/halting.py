"""The application that stands still in the midst of an export; for daphne."""

from __future__ import annotations

import asyncio
from typing import Any

from medql import asgi

PIECES = 2


async def application(scope: Any, receive: Any, send: Any) -> None:
    left = PIECES

    async def halting(message: Any) -> None:
        nonlocal left
        await send(message)
        left -= bool(message.get("more_body"))
        if not left:
            await asyncio.Event().wait()

    is_export = scope["type"] == "http" and scope["path"].endswith("/export/")
    await asgi.application(scope, receive, halting if is_export else send)
