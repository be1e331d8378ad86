"""What every answer wears. None of this asks anybody, so under ASGI none of it changes the thread."""

from __future__ import annotations

from typing import Any

from asgiref.sync import iscoroutinefunction
from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from medql import policies

FRESH = {200, 206, 304}
ADMINISTRATION = ("/admin/", "/load/")


class Policy(CSPMiddleware):
    """django-csp's, which would wait for a thread twice to read a setting."""

    async def __acall__(self, request: HttpRequest) -> Any:
        self.process_request(request)
        answer: Any = self.get_response(request)
        return self.process_response(request, await answer)

    def get_policy_parts(self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if request.path.startswith(ADMINISTRATION) and not report_only:
            parts.replace = policies.OF_THE_ADMINISTRATION | (parts.replace or {})
        return parts


@sync_and_async_middleware
def worn_by_all(get_response: Any) -> Any:
    """No answer is kept by a browser or a proxy, framed, or read by a page of another site; MedQL's own files may be kept."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            return _marked(request, await get_response(request))

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        return _marked(request, get_response(request))

    return answer


def _marked(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["X-Frame-Options"] = settings.X_FRAME_OPTIONS
    is_file = request.path.startswith(settings.STATIC_URL) and response.status_code in FRESH
    if not is_file and "no-store" not in response.get("Cache-Control", ""):
        response.headers["Cache-Control"] = "no-store"
    return response
