"""Answers that every door may have to give: in JSON to programs, as a page to people."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

PROGRAMS = ("/api/", "/auth/")


def refusal(
    request: HttpRequest, sentence: str, *, title: str, code: str, status: int, wait: timedelta | None = None
) -> HttpResponse:
    """One sentence that says what is wrong; `wait` is when it is worth asking again."""
    headers = {"Retry-After": str(math.ceil(wait.total_seconds()))} if wait is not None else {}
    if request.path.startswith(PROGRAMS):
        return JsonResponse({"detail": sentence, "code": code}, status=status, headers=headers)
    answer = render(request, "accounts/sentence.html", {"title": title, "sentence": sentence}, status=status)
    for name, value in headers.items():
        answer.headers[name] = value
    return answer


def minutes(until: datetime, now: datetime) -> int:
    return max(1, math.ceil((until - now) / timedelta(minutes=1)))
