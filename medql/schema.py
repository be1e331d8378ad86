"""The API described by itself: an OpenAPI document at /api/schema."""

from __future__ import annotations

from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.schema.words import COMPONENTS, answer

Endpoints = list[tuple[str, str, str, Any]]


@cache
def document() -> dict[str, Any]:
    """The same for everybody, so it is made once."""
    return SchemaGenerator().get_schema(public=True)


class SchemaView(APIView):
    """Open to everybody: it tells of doors, and opens none."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="schema",
        tags=["Description"],
        summary="This document",
        responses={200: answer({"type": "object", "required": ["openapi"]}, "OpenAPI 3.1.")},
    )
    def get(self, request: Request) -> Response:
        return Response(document())


def without_slash(endpoints: Endpoints) -> Endpoints:
    """Where a slash at the end may be or not, the document has the address without."""
    return [(path.rstrip("/"), regex, method, view) for path, regex, method, view in endpoints]


def with_components(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """What the resources have named."""
    result.setdefault("components", {})["schemas"] = dict(sorted(COMPONENTS.items()))
    return result
