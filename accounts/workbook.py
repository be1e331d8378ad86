"""Tables as XLSX, written while they leave: ECMA-376 SpreadsheetML in a zip whose directory comes last.

A file that is cut off has no directory, so that no program opens it as if it were whole. All text stands inline, as text: a
spreadsheet runs none of it. Numbers are numbers, times are times in UTC.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape, quoteattr

from accounts.spreadsheet import Cell, Piece, whole

KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 1_048_576  # of one sheet
MOST_LETTERS = 32_767  # of one cell
EPOCH = datetime(1899, 12, 30, tzinfo=UTC)  # day 0 of a spreadsheet
DAY = timedelta(days=1)
LEVEL = 3  # of compression: half the time of 6, a tenth more bytes
PLAIN, TIME, HEAD = 0, 1, 2  # places in STYLES
WIDTH, WIDE = 13, 22  # letters
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # what XML has no way to say

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
SHEETML = "application/vnd.openxmlformats-officedocument.spreadsheetml"
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
BARE = 'numFmtId="0" fontId="0" fillId="0" borderId="0"'
STYLES = (
    f'{XML}<styleSheet xmlns="{MAIN}">'
    r'<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd\ hh:mm:ss"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    f'<cellStyleXfs count="1"><xf {BARE}/></cellStyleXfs><cellXfs count="3"><xf {BARE} xfId="0"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table under its heads. The rows may be made when they are asked for, and only then."""

    title: str
    heads: Sequence[str]
    pieces: Callable[[], Iterable[Piece]]


class _Pipe(io.RawIOBase):
    """Where the zip is written: what has come since it was last emptied."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, content: bytes) -> int:  # type: ignore[override]  # zipfile writes bytes
        self._waiting += content
        return len(content)

    def emptied(self) -> bytes:
        content, self._waiting = bytes(self._waiting), bytearray()
        return content


def written(sheets: Sequence[Sheet]) -> Iterator[bytes]:
    """The workbook, in pieces. The last sheet is written first and shown last, so that the others can tell of it."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as book:
        for place in range(len(sheets), 0, -1):
            with book.open(_member(f"xl/worksheets/sheet{place}.xml"), "w") as part:
                for text in _sheet(sheets[place - 1]):
                    part.write(text.encode())
                    if content := pipe.emptied():
                        yield content
        for name, text in _frame(sheets):
            book.writestr(_member(name), text)
    yield pipe.emptied()


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))  # which says nothing
    member.compress_type = zipfile.ZIP_DEFLATED
    return member


def _frame(sheets: Sequence[Sheet]) -> Iterator[tuple[str, str]]:
    """What tells a spreadsheet which sheets there are."""
    places = range(1, len(sheets) + 1)
    kinds = "".join(
        f'<Override PartName="/xl/worksheets/sheet{place}.xml" ContentType="{SHEETML}.worksheet+xml"/>' for place in places
    )
    yield (
        "[Content_Types].xml",
        f'{XML}<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{SHEETML}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{SHEETML}.styles+xml"/>{kinds}</Types>',
    )
    yield "_rels/.rels", _relations([("officeDocument", "xl/workbook.xml")])
    named = "".join(
        f'<sheet name={quoteattr(sheet.title)} sheetId="{place}" r:id="rId{place}"/>' for place, sheet in enumerate(sheets, 1)
    )
    yield "xl/workbook.xml", f'{XML}<workbook xmlns="{MAIN}" xmlns:r="{DOCUMENT}"><sheets>{named}</sheets></workbook>'
    parts = [("worksheet", f"worksheets/sheet{place}.xml") for place in places]
    yield "xl/_rels/workbook.xml.rels", _relations([*parts, ("styles", "styles.xml")])
    yield "xl/styles.xml", STYLES


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    told = "".join(
        f'<Relationship Id="rId{place}" Type="{DOCUMENT}/{kind}" Target="{target}"/>'
        for place, (kind, target) in enumerate(targets, 1)
    )
    return f'{XML}<Relationships xmlns="{PACKAGE}/relationships">{told}</Relationships>'


def _sheet(sheet: Sheet) -> Iterator[str]:
    widths = "".join(
        f'<col min="{place}" max="{place}" width="{WIDE if "UTC" in head or not head else WIDTH}" customWidth="1"/>'
        for place, head in enumerate(sheet.heads, 1)
    )
    frozen = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    yield (
        f'{XML}<worksheet xmlns="{MAIN}"><sheetViews><sheetView workbookViewId="0">{frozen}</sheetView></sheetViews>'
        f"<cols>{widths}</cols><sheetData>{_row(sheet.heads, HEAD)}"
    )
    for piece in sheet.pieces():
        yield "".join(_row(row) for row in piece)
    yield "</sheetData></worksheet>"


def _row(cells: Sequence[Cell], style: int = PLAIN) -> str:
    return f"<row>{''.join([_cell(cell, style) for cell in cells])}</row>"


def _cell(cell: Cell, style: int) -> str:
    if cell is None or cell == "":
        return "<c/>"
    if isinstance(cell, bool):
        return f'<c t="b"><v>{int(cell)}</v></c>'
    if isinstance(cell, float):
        return f"<c><v>{whole(cell)}</v></c>"
    if isinstance(cell, int):
        return f"<c><v>{cell}</v></c>"
    if isinstance(cell, datetime):
        return f'<c s="{TIME}"><v>{(cell - EPOCH) / DAY!r}</v></c>'
    text = escape(UNPRINTABLE.sub(lambda found: f"\\u{ord(found.group()):04x}", cell[:MOST_LETTERS]))
    styled = f' s="{style}"' if style else ""
    return f'<c t="inlineStr"{styled}><is><t xml:space="preserve">{text}</t></is></c>'
