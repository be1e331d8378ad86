"""Score a file of observation sets, one a row, and write CSV: what each row scores, and why where it cannot be scored.

Columns by name, others are ignored: docs/scores.md. The answer has one row for each row, in order: its id (column vector, id
or subject_id) and its number, the points of each part, total, band, the missing inputs. A row that cannot be read is not
scored: its error stands in its last column, and the command ends with 1. FILE may be gzipped; - is standard input.
"""

import csv
import gzip
import os
import sys
import zlib
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

from django.core.management.base import BaseCommand, CommandError

from monitoring.clinical.scores import columns, registry
from monitoring.clinical.scores.observations import Impossible
from monitoring.clinical.scores.registry import Strategy
from monitoring.clinical.scores.score import NotApplicable, Score

IDS = ("vector", "id", "subject_id")
GZIP = b"\x1f\x8b"
LONGEST_LINE = 1_000_000  # letters; a file without line ends must not fill the memory
TOLD = 20  # errors that are told on the terminal too
BEYOND_PARTS = ("total", "band", "missing", "at_least", "single_parameter_3", "remarks", "error")


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = []  # it needs no database

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("strategy", help="one of " + ", ".join(registry.names()))
        parser.add_argument("file", metavar="FILE", help="CSV, gzipped or not; - is standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            strategy = registry.strategy(options["strategy"])
        except registry.UnknownStrategy as fault:
            raise CommandError(str(fault)) from None
        try:
            with _source(options["file"]) as source:
                self._score(strategy, csv.reader(_lines(_text(source)), strict=True))
                self.stdout.flush()
        except BrokenPipeError:  # who reads has seen enough, as head does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        except OSError as fault:
            raise CommandError(f"{fault.filename or 'The answer'}: {fault.strerror}.") from None

    def _score(self, strategy: Strategy, rows: Any) -> None:
        read = _read(rows)
        sheet = _sheet(strategy, next(read, []))
        for field in sheet.without_column:
            self.stderr.write(f"No column {columns.WRITTEN[field]}: missing in every row.")
        answer = csv.DictWriter(self.stdout, sheet.header, restval="", lineterminator="\n")
        answer.writeheader()
        count = bad = 0
        for count, row in enumerate(read, start=1):
            written = sheet.scored(row, number=count)
            answer.writerow(written)
            if "error" in written:
                bad += 1
                if bad <= TOLD:
                    self.stderr.write(f"Row {count} (line {rows.line_num}): {written['error']}")
        if bad:
            raise CommandError(f"{bad} of {count} rows were not scored: the last column says why.")


@dataclass(frozen=True, slots=True)
class Sheet:
    """How the rows of one file are read and answered: the places of its columns, the column that names the row."""

    strategy: Strategy
    width: int
    places: dict[str, int]
    id_column: str | None
    id_place: int

    @property
    def header(self) -> list[str]:
        parts = [columns.part_column(field) for field in self.strategy.parts]
        return [*([self.id_column] if self.id_column else []), "row", *parts, *BEYOND_PARTS]

    @property
    def without_column(self) -> list[str]:
        """Fields that would score if the file had them."""
        given = {columns.COLUMNS[column] for column in self.places}
        return [field for field in self.strategy.parts if field not in given]

    def scored(self, row: Sequence[str], *, number: int) -> dict[str, object]:
        """Column → what is written; `error` only where the row was not scored."""
        written: dict[str, object] = {"row": number}
        if self.id_column and self.id_place < len(row):
            written[self.id_column] = row[self.id_place]
        if len(row) != self.width:
            return written | {"error": f"{len(row)} cells under a header of {self.width}."}
        try:
            score = self.strategy.score(columns.read({column: row[place] for column, place in self.places.items()}))
        except (Impossible, NotApplicable) as fault:
            return written | {"error": str(fault)}
        return written | self._told(score)

    def _told(self, score: Score) -> dict[str, object]:
        names = {columns.COLUMNS[column]: column for column in self.places}
        return {columns.part_column(field): points for field, points in score.parts.items()} | {
            "total": "" if score.total is None else score.total,
            "band": score.band or "",
            "missing": " ".join(names.get(field, columns.WRITTEN[field]) for field in score.missing),
            "at_least": score.at_least,
            "single_parameter_3": int(score.red),
            "remarks": "; ".join(score.remarks),
        }


def _sheet(strategy: Strategy, header: Sequence[str]) -> Sheet:
    """Raises CommandError for a header that gives this strategy nothing to read."""
    names = [cell.strip().lower() for cell in header]
    try:
        places = columns.find(header, strategy.reads)
    except columns.Ambiguous as fault:
        raise CommandError(str(fault)) from None
    if not places:
        wanted = ", ".join(column for column, field in columns.COLUMNS.items() if field in strategy.reads)
        raise CommandError(f"The first line names no column that {strategy.name} reads: {wanted}.")
    id_column = next((name for name in IDS if name in names), None)
    return Sheet(strategy, len(header), places, id_column, names.index(id_column) if id_column else 0)


def _source(name: str) -> AbstractContextManager[Any]:
    return nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb")


def _text(source: Any) -> TextIO:
    """The text of a file; gzip is known by its first bytes, whatever the name."""
    packed = source.peek(len(GZIP))[: len(GZIP)] == GZIP
    plain = cast(BinaryIO, gzip.GzipFile(fileobj=source) if packed else source)
    return TextIOWrapper(plain, encoding="utf-8-sig", newline="")


def _lines(file: TextIO) -> Iterator[str]:
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise CommandError(f"A line of {LONGEST_LINE} letters or more is no observation set.")
        yield line


def _read(rows: Any) -> Iterator[list[str]]:
    """Rows without the empty lines. Raises CommandError with the line where the file is no CSV."""
    try:
        for row in rows:
            if row:
                yield row
    except (csv.Error, UnicodeDecodeError, EOFError, OSError, zlib.error) as fault:
        raise CommandError(f"After line {rows.line_num} the file cannot be read: {fault}") from None
