from collections.abc import Mapping
from typing import Any

import msgspec
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

_encoder = msgspec.json.Encoder()


class JSONRenderer(BaseRenderer):
    """JSON by msgspec: times in UTC with `Z`, absent values null."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return b"" if data is None else _encoder.encode(data)


class AlwaysJSON(BaseContentNegotiation):
    """A reading is never lost to an Accept header: the answer is JSON whatever was asked for."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0] if parsers else None

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> tuple[Any, str]:
        return renderers[0], renderers[0].media_type
