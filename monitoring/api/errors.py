"""What MedQL's faults are called by the API; never a database message or a trace."""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from accounts.api import errors
from accounts.api.errors import Malformed
from accounts.transactions import WriterBusy

__all__ = ["Busy", "Conflict", "Malformed", "TooLarge", "answer"]

log = logging.getLogger(__name__)


class TooLarge(errors.TooLarge):
    default_detail = "The body is larger than 5 MB, or has more than 5,000 items."


class Busy(exceptions.APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "The database could not take this in time. Send it again: what is stored already is recognised."
    default_code = "busy"
    wait = 2  # seconds


class Conflict(exceptions.APIException):
    """The facts are others than the request takes them for."""

    status_code = status.HTTP_409_CONFLICT


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
    return errors.shaped(problem)
