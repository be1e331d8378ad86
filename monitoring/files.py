"""An export as a file that leaves while it is written, and how to tell that it is whole.

CSV ends with a row that has a text in its last column, `end`: that all is there, and what MedQL is. Each row has every column,
so that no parser stumbles. XLSX is a zip whose directory comes last: what is cut off does not open.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from django.http import HttpRequest, StreamingHttpResponse

from accounts import spreadsheet, workbook
from accounts.models import User
from accounts.spreadsheet import Piece
from accounts.workbook import Sheet
from monitoring.models import Patient
from monitoring.services import exports
from monitoring.services.exports import LONGEST, Export

T = TypeVar("T")

SENTENCE = "MedQL is not a medical device: a secondary display. The bedside monitor and the people at the bed come first."
AT_ONCE = 3  # exports of one process: each keeps a thread and a connection to the database, perhaps for minutes
WAIT = 10  # seconds until it is worth asking again
MOST_ROWS = 1_000_000  # of a spreadsheet, which takes a few more
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
TOTAL = "X-Total-Rows"
END = "end"

_room = threading.BoundedSemaphore(AT_ONCE)


class Format(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"


class Crowded(Exception):
    """As many exports as may be are under way."""


class TooMany(Exception):
    """More rows than a spreadsheet has."""

    def __init__(self, rows: int) -> None:
        super().__init__(
            f"These are {rows:,} rows, and a spreadsheet has room for {MOST_ROWS:,}: shorten the time, or take CSV."
        )


class Turn:
    """One of the exports that may be under way at once. It ends with the answer, also with one that nobody ever reads."""

    def __init__(self) -> None:
        if not _room.acquire(blocking=False):
            raise Crowded
        self.end = weakref.finalize(self, _room.release)


def fault_of(since: datetime, until: datetime, *, now: datetime) -> tuple[str, str] | None:
    """What is wrong with this time, if anything is: the end that is wrong, and why."""
    if since >= now:
        return "from", "It has not come yet."
    if since < EARLIEST:
        return "from", f"Nothing was measured before {EARLIEST.year}."
    if since >= until:
        return "to", "It must come after “from”."
    if until - since > LONGEST:
        return "to", f"At most {LONGEST.days} days at once."
    return None


def answer(export: Export, form: Format, *, request: HttpRequest, by: User, now: datetime) -> StreamingHttpResponse:
    """The export, written down and on its way. Raises Crowded, TooMany, WriterBusy."""
    turn = Turn()
    try:
        if form is Format.XLSX and export.rows > MOST_ROWS:
            raise TooMany(export.rows)
        total = exports.take(export, form=form, by=by, at=now)
    except Exception:
        turn.end()
        raise
    if form is Format.CSV:
        content: Iterator[Any] = spreadsheet.written(_lines(export))
        kind = spreadsheet.CSV
    else:
        content, kind = workbook.written(_sheets(export, by, now)), workbook.KIND
    response = spreadsheet.download(_within(turn, content), name=_name(export, form), kind=kind, request=request)
    response.headers[TOTAL] = str(total)
    return response


def _within(turn: Turn, content: Iterator[T]) -> Iterator[T]:
    try:
        yield from content
    finally:
        turn.end()


def _name(export: Export, form: Format) -> str:
    """`vitals-P-ADA-20261126T0700Z.csv`: a colon or a dot of the id is no good in the name of a file."""
    subject = export.subject
    of = subject.patient_id.replace(":", "-").replace(".", "-") if isinstance(subject, Patient) else subject.slug
    return f"{export.what}-{of}-{export.until.astimezone(UTC):%Y%m%dT%H%MZ}.{form}"


def _lines(export: Export) -> Iterator[Piece]:
    names = [column.name for column in export.columns]
    yield [[*names, END]]
    rows = 0
    for piece in export.pieces():
        rows += len(piece)
        yield [(*row, None) for row in piece]
    yield [[*(None for _ in names), f"End of export: {rows} rows. {SENTENCE}"]]


def _sheets(export: Export, by: User, now: datetime) -> list[Sheet]:
    counted = _Counted(export.pieces)
    return [
        Sheet("About", ["About this export", ""], lambda: [_about(export, by, now, counted.rows)]),
        Sheet(export.what.capitalize(), exports.heads(export.columns), counted),
    ]


class _Counted:
    """Pieces, and how many rows have gone by."""

    def __init__(self, pieces: Callable[[], Iterable[Piece]]) -> None:
        self._pieces, self.rows = pieces, 0

    def __call__(self) -> Iterator[Piece]:
        for piece in self._pieces():
            self.rows += len(piece)
            yield piece


def _about(export: Export, by: User, now: datetime, rows: int) -> Piece:
    subject = export.subject
    of = ("Patient", subject.patient_id) if isinstance(subject, Patient) else ("Ward", subject.slug)
    return [
        of,
        ("What", export.what.value),
        ("From (UTC)", export.since),
        ("Until, not included (UTC)", export.until),
        ("Rows", rows),
        ("Written (UTC)", now),
        ("By", by.login),
        ("Times", "All times are UTC."),
        ("", SENTENCE),
    ]
