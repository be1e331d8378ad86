"""What is answered where no view did: JSON under /api/ and /auth/, as the contract says, a page of the house elsewhere.

The pages are drawn without the request: whoever has no session, or no database, can still be told.
"""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string

PAGE = "accounts/sentence.html"
API = ("/api/", "/auth/")
FORGED = "This page is out of date: load it again, and press once more."
SENTENCES = {
    HTTPStatus.BAD_REQUEST: "The request cannot be understood.",
    HTTPStatus.FORBIDDEN: "This is not yours to do.",
    HTTPStatus.NOT_FOUND: "There is nothing here.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "MedQL failed, and has written down why. Send it again.",
}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return _answer(request, HTTPStatus.BAD_REQUEST)


def refused(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return _answer(request, HTTPStatus.FORBIDDEN)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return _answer(request, HTTPStatus.NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponseBase:
    return _answer(request, HTTPStatus.INTERNAL_SERVER_ERROR)


def forged(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """A form without its token: of another site, or of a page from before somebody signed in anew."""
    return _answer(request, HTTPStatus.FORBIDDEN, sentence=FORGED, code="csrf_failed")


def _answer(request: HttpRequest, status: HTTPStatus, *, sentence: str = "", code: str = "") -> HttpResponseBase:
    sentence = sentence or SENTENCES[status]
    if request.path.startswith(API):
        return JsonResponse({"detail": sentence, "code": code or status.name.lower()}, status=status)
    if request.headers.get("HX-Request"):  # a board writes the sentence, and keeps what it shows
        return HttpResponse(sentence, status=status, content_type="text/plain", headers={"HX-Reswap": "none"})
    page = render_to_string(PAGE, {"title": status.phrase, "sentence": sentence})
    return HttpResponse(page, status=status)
