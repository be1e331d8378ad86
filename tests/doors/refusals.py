"""What the device door refused of a batch."""

from __future__ import annotations

from typing import Any


def rejected(answer: Any) -> list[tuple[str, str | None, bool]]:
    """Code, field, and whether the rest of the item was stored."""
    return [(one["code"], one.get("field"), one["stored"]) for one in answer.json()["rejected"]]
