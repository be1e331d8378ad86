"""Vitals and alerts as a file, as the document tells it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view

from accounts.api.schema.words import BUSY, COUNT, TEXT, TIME, TOKEN, UNREADABLE, WAIT, refusals, words
from accounts.workbook import KIND
from monitoring.files import MOST_ROWS, TOTAL, Format
from monitoring.services.exports import LONGEST, What

TAG = ["Exports"]
FROM = OpenApiParameter("from", TIME, required=True, description="The first moment of it, with an offset.")
TO = OpenApiParameter("to", TIME, required=True, description=f"The first moment after it; at most {LONGEST.days} days later.")
ROWS = OpenApiParameter(
    TOTAL, COUNT, OpenApiParameter.HEADER, response=[200], required=True, description="How many rows will come."
)
NAME = OpenApiParameter("Content-Disposition", TEXT, OpenApiParameter.HEADER, response=[200], description="Names the file.")
ABOUT = (
    "The file leaves while it is written. CSV: UTF-8 with heads, times in UTC; its last row has a text in the column `end`; "
    f"a file without it was cut off. XLSX: the rows on its second sheet, at most {MOST_ROWS:,}; a file that was cut off does "
    "not open. Patients are their ids. It is written down who took it."
)
FILE = OpenApiResponse({"type": "string", "format": "binary"}, "The file.")


def of(whose: str) -> Any:
    """The export of a patient or a ward."""
    return extend_schema_view(
        get=extend_schema(
            tags=TAG,
            operation_id=f"export_{whose}",
            summary=f"A {whose}'s vitals or alerts as a file",
            description=ABOUT,
            parameters=[
                WAIT,
                OpenApiParameter("what", words(*What), required=True),
                OpenApiParameter("format", words(*Format), required=True),
                FROM,
                TO,
                ROWS,
                NAME,
            ],
            responses={(200, "text/csv"): FILE, (200, KIND): FILE}
            | refusals(TOKEN | {403: ("permission_denied",), 404: ("not_found",)} | BUSY)
            | UNREADABLE,
        )
    )
