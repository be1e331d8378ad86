"""An application that answers more than a client reads, and one that breaks off; for daphne."""

from __future__ import annotations

import os
from typing import Any

from medql import pacing
from medql.pacing import Paced

PIECE = b"x" * 65_536
PIECES = 1_000

pacing.PATIENCE = float(os.environ.get("PATIENCE", pacing.PATIENCE))
sent = 0


async def _inner(scope: Any, receive: Any, send: Any) -> None:
    global sent  # noqa: PLW0603  (one process)
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/breaks":
        await send({"type": "http.response.body", "body": PIECE, "more_body": True})
        raise RuntimeError("the database went away")
    if scope["path"] == "/flood":
        for _ in range(PIECES):
            await send({"type": "http.response.body", "body": PIECE, "more_body": True})
            sent += 1
    await send({"type": "http.response.body", "body": str(sent).encode()})


application = Paced(_inner)
