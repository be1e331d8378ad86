"""Tables for a spreadsheet, as CSV, written piece by piece however long they are."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from io import StringIO

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

Cell = str | int | float | None


def harmless(cell: Cell) -> Cell:
    """A spreadsheet takes text that begins like a formula for one, and runs it: an apostrophe keeps it text."""
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip(" ")[:1] in {"=", "+", "-", "@", "\t", "\r", "\n"} else cell


def streamed(pieces: Iterable[Sequence[Sequence[Cell]]], *, name: str, request: HttpRequest) -> StreamingHttpResponse:
    """A download that takes the memory of one piece."""
    written = _written(pieces)
    # Django would gather what comes by a plain iterator under ASGI.
    content = _one_by_one(written) if isinstance(request, ASGIRequest) else written
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)


def _written(pieces: Iterable[Sequence[Sequence[Cell]]]) -> Iterator[str]:
    for piece in pieces:
        page = StringIO()
        csv.writer(page).writerows([harmless(cell) for cell in row] for row in piece)
        yield page.getvalue()


async def _one_by_one(written: Iterator[str]) -> AsyncIterator[str]:
    go_on = sync_to_async(lambda: next(written, None))
    while (page := await go_on()) is not None:
        yield page
