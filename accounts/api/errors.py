"""One shape for every error, `{"detail": "a sentence", "code": "snake_case", "errors"?}`, and those that every door has."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rest_framework import exceptions, status
from rest_framework.response import Response


class TooLarge(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."
    default_code = "too_large"


class Malformed(exceptions.APIException):
    status_code = status.HTTP_400_BAD_REQUEST
    default_detail = "The body is neither a list nor an object of JSON, or it is empty."
    default_code = "malformed"


class TooManyRequests(exceptions.APIException):
    """Come again in `wait` seconds. Nothing was taken, and nothing is lost to who keeps what he has."""

    status_code = status.HTTP_429_TOO_MANY_REQUESTS

    def __init__(self, detail: str, code: str, wait: float) -> None:
        super().__init__(detail, code)
        self.wait = wait


class Invalid(exceptions.APIException):
    """Values that are refused, each with its field: the first one is the sentence."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY

    def __init__(self, errors: Sequence[dict[str, Any]]) -> None:
        self.errors = list(errors)
        first = self.errors[0]
        super().__init__(f"{first['field']}: {first['detail']}" if first["field"] else first["detail"], first["code"])


def shaped(problem: exceptions.APIException) -> Response:
    detail = problem.detail if isinstance(problem.detail, str) else problem.default_detail
    code = getattr(problem.detail, "code", problem.default_code)
    body = {"detail": str(detail), "code": str(code)}
    if errors := getattr(problem, "errors", None):
        body["errors"] = errors
    headers = {}
    if wait := getattr(problem, "wait", None):
        headers["Retry-After"] = str(math.ceil(wait))
    if auth_header := getattr(problem, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    return Response(body, status=problem.status_code, headers=headers)
