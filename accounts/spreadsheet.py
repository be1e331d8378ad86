"""Tables for a spreadsheet, written piece by piece however long they are: as CSV here, as XLSX in accounts/workbook.py."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from io import StringIO
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

Cell = str | int | float | bool | datetime | None
Piece = Sequence[Sequence[Cell]]
CSV = "text/csv; charset=utf-8"


def harmless(cell: Cell) -> Cell:
    """A spreadsheet takes text that begins like a formula for one, and runs it: an apostrophe keeps it text."""
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip(" ")[:1] in {"=", "+", "-", "@", "\t", "\r", "\n"} else cell


def spelt(cell: Cell) -> Cell:
    """As it stands in CSV: times in UTC with `Z`, a yes or no as JSON has it, whole numbers without a point."""
    return _SPELLINGS.get(type(cell), harmless)(cell)


def whole(number: float) -> int | float:
    """97 and not 97.0."""
    return int(number) if number.is_integer() else number


def _in_utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


# By the kind itself: a long export asks some million times.
_SPELLINGS: dict[type, Callable[[Any], Cell]] = {
    bool: lambda yes: "true" if yes else "false",
    float: whole,
    datetime: _in_utc,
}


def streamed(pieces: Iterable[Piece], *, name: str, request: HttpRequest) -> StreamingHttpResponse:
    """CSV as a download that takes the memory of one piece."""
    return download(written(pieces), name=name, kind=CSV, request=request)


def written(pieces: Iterable[Piece]) -> Iterator[str]:
    for piece in pieces:
        page = StringIO()
        csv.writer(page).writerows([spelt(cell) for cell in row] for row in piece)
        yield page.getvalue()


def download(content: Iterator[Any], *, name: str, kind: str, request: HttpRequest) -> StreamingHttpResponse:
    """What is written while it leaves, to be kept under this name."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    # Django would gather what comes by a plain iterator under ASGI.
    stream = _OneByOne(content) if isinstance(request, ASGIRequest) else content
    return StreamingHttpResponse(stream, content_type=kind, headers=headers)


class _OneByOne:
    """Pieces that are made in the thread of the request, each when the one before has left."""

    def __init__(self, pieces: Iterator[Any]) -> None:
        self._next = sync_to_async(lambda: next(pieces, None))
        self.close = getattr(pieces, "close", int)  # Django calls it when the answer is closed, whole or not

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        piece = await self._next()
        if piece is None:
            raise StopAsyncIteration
        return piece
