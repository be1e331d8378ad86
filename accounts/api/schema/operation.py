"""An operation as the document tells it, where the generator would leave something out."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema

from accounts.api.schema.words import MayBeEmpty


class Operation(AutoSchema):
    """A body is needed, unless its description says that it may be empty."""

    def _get_request_body(self, direction: str = "request") -> dict[str, Any] | None:
        told: dict[str, Any] | None = super()._get_request_body(direction)
        if told is None:
            return None
        return told | {"required": not isinstance(self.get_request_serializer(), MayBeEmpty)}
