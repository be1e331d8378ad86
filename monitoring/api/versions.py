"""Optimistic locking at the door: which version was read, and what is told to who read an older one."""

from __future__ import annotations

import re
from typing import Annotated, Any

from msgspec import Meta
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.bodies import fault
from accounts.api.errors import Invalid

Version = Annotated[int, Meta(ge=0, lt=2**53)]
TAG = re.compile(r'"?([0-9]{1,18})"?')  # `"3"`, and 3 from who forgets the quotes


def seen(request: Request, in_body: int | None = None) -> int:
    """The version that was read: `version` of the body or `If-Match`. Raises Invalid where neither says it, or they differ."""
    header = request.headers.get("If-Match")
    tag = TAG.fullmatch(header.strip()) if header is not None else None
    if header is not None and tag is None:
        raise Invalid([fault("If-Match", 'The version that you read, as "3".', "invalid")])
    in_header = int(tag[1]) if tag else None
    if in_body is None and in_header is None:
        raise Invalid([fault("version", "Send the version that you read, here or as If-Match.", "required")])
    if in_body is not None and in_header is not None and in_body != in_header:
        raise Invalid([fault("version", "It is another one than If-Match says.", "invalid")])
    return in_body if in_body is not None else in_header or 0


def tagged(answer: dict[str, Any], version: int, code: int = status.HTTP_200_OK) -> Response:
    """The record with its version as `ETag`."""
    return Response(answer, status=code, headers={"ETag": f'"{version}"'})


def conflict(what: str, *, expected: int, version: int, current: dict[str, Any]) -> Response:
    """409: somebody else changed it since it was read; with the record as it is."""
    body = {
        "detail": f"Somebody else changed {what} since you read it.",
        "code": "version_conflict",
        "expected_version": expected,
        "current_version": version,
        "current": current,
    }
    return Response(body, status=status.HTTP_409_CONFLICT, headers={"ETag": f'"{version}"'})
