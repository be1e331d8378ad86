"""A line of the log, as the settings make it."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

import pytest
from django.conf import settings


@pytest.fixture
def formatter() -> logging.Formatter:
    told = dict(settings.LOGGING["formatters"]["line"])
    module, _, name = told.pop("()").rpartition(".")
    made: logging.Formatter = getattr(sys.modules[module], name)(told["format"], style=told["style"])
    return made


def line(formatter: logging.Formatter, message: str, *args: object) -> str:
    record = logging.LogRecord("medql", logging.WARNING, "", 0, message, args, None)
    record.created, record.msecs = datetime(2026, 7, 1, 12, 30, tzinfo=UTC).timestamp(), 7.0
    return formatter.format(record)


def test_its_time_is_utc_wherever_the_hospital_is(formatter, settings):
    settings.TIME_ZONE = "Asia/Kolkata"

    assert line(formatter, "well") == "2026-07-01T12:30:00.007Z WARNING medql well"


@pytest.mark.parametrize("forged", ["\n2026-07-01 ERROR all is lost", "\r", "\x1b[2J", "\u202e", "\u2028", "\x00"])
def test_what_somebody_typed_begins_no_line_and_hides_none(formatter, forged):
    written = line(formatter, "Not Found: %s", f"/nothing{forged}/here")

    assert written.isprintable()
    assert "/nothing\\" in written


def test_a_traceback_keeps_its_lines(formatter):
    try:
        raise ValueError("two\nlines")
    except ValueError:
        record = logging.LogRecord("medql", logging.ERROR, "", 0, "failed", (), sys.exc_info())

    assert len(formatter.format(record).splitlines()) > 3
