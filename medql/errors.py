"""What Django answers where no view did: JSON under /api/ and /auth/, as the contract says, Django's own pages elsewhere."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views import defaults

SENTENCES = {
    HTTPStatus.BAD_REQUEST: "The request cannot be understood.",
    HTTPStatus.NOT_FOUND: "There is nothing here.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "MedQL failed, and has written down why. Send it again.",
}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return _json(request, HTTPStatus.BAD_REQUEST) or defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return _json(request, HTTPStatus.NOT_FOUND) or defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    return _json(request, HTTPStatus.INTERNAL_SERVER_ERROR) or defaults.server_error(request)


def _json(request: HttpRequest, status: HTTPStatus) -> JsonResponse | None:
    if not request.path.startswith(("/api/", "/auth/")):
        return None
    return JsonResponse({"detail": SENTENCES[status], "code": status.name.lower()}, status=status)
