"""One shape for every error: `{"detail": "a sentence", "code": "snake_case"}`; never a database message or a trace."""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from monitoring.services.transactions import WriterBusy

log = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 2


class TooLarge(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is larger than 5 MB, or has more than 5,000 items."
    default_code = "too_large"


class Malformed(exceptions.APIException):
    status_code = status.HTTP_400_BAD_REQUEST
    default_detail = "The body is neither a list nor an object of JSON, or it is empty."
    default_code = "malformed"


class Busy(exceptions.APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "The database could not take this in time. Send it again: what is stored already is recognised."
    default_code = "busy"


DatabaseFault = (OperationalError, InterfaceError)
TRANSLATED: dict[type[Exception], type[exceptions.APIException]] = {
    Http404: exceptions.NotFound,
    PermissionDenied: exceptions.PermissionDenied,
    RequestDataTooBig: TooLarge,
    WriterBusy: Busy,
    **dict.fromkeys(DatabaseFault, Busy),  # a device keeps what was answered 503 and sends it again
}


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to an error that a view raised, or None for what nobody expected."""
    known = next((kind for cause, kind in TRANSLATED.items() if isinstance(error, cause)), None)
    if isinstance(error, DatabaseFault):
        log.error("the database failed", exc_info=error)
    problem = known() if known else error
    if not isinstance(problem, exceptions.APIException):
        return None
    set_rollback()
    detail = problem.detail if isinstance(problem.detail, str) else problem.default_detail
    code = getattr(problem.detail, "code", problem.default_code)
    headers = {}
    if isinstance(problem, Busy):
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if auth_header := getattr(problem, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    return Response({"detail": str(detail), "code": str(code)}, status=problem.status_code, headers=headers)
