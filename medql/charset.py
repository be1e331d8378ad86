"""MedQL reads UTF-8. A form that says to be written in something else is refused, before anybody decodes it."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.utils.decorators import sync_and_async_middleware

FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


@sync_and_async_middleware
def middleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> Any:
            _refuse(request)
            return await get_response(request)

        return answer_async

    def answer(request: HttpRequest) -> Any:
        _refuse(request)
        return get_response(request)

    return answer


def _refuse(request: HttpRequest) -> None:
    """Django would decode a form by any codec that Python has, and fail by those that make no text (`zlib`, `idna` …)."""
    charset = (request.content_params or {}).get("charset", "utf-8")
    if request.content_type in FORMS and not _is_utf8(charset):
        raise BadRequest("Forms are read as UTF-8.")


def _is_utf8(charset: str) -> bool:
    try:
        return codecs.lookup(charset).name == "utf-8"
    except LookupError:
        return False
