"""The API described by itself: an OpenAPI document at /api/schema, and at /api/docs for people."""

from __future__ import annotations

from functools import cache
from typing import Any

from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import queries
from accounts.api.queries import Nothing
from accounts.api.schema.words import COMPONENTS, UNREADABLE, answer
from medql import examples, policies

ITSELF = {"openapi": "3.1.1", "info": {"title": "MedQL", "version": "1"}, "paths": {}}  # abridged


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
        responses={200: answer({"type": "object", "required": ["openapi"]}, "OpenAPI 3.1.", itself=ITSELF)} | UNREADABLE,
    )
    def get(self, request: Request) -> Response:
        queries.read(request, Nothing)
        return Response(document())


@require_safe
@csp_replace(policies.OF_THE_DESCRIPTION)
def docs(request: HttpRequest) -> HttpResponse:
    """The document to read and to try, drawn by Swagger UI from our own files."""
    return render(request, "docs.html")


def with_components(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """What the resources have named, and an example of everything."""
    result.setdefault("components", {})["schemas"] = dict(sorted(COMPONENTS.items()))
    examples.add(result)
    return result
