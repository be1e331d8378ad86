"""The columns of a printed chart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.clinical import columns

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
NONE = timedelta()
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("length", "width", "count"),
    [
        (timedelta(minutes=1), timedelta(minutes=1), 1),
        (8 * HOUR, timedelta(minutes=30), 16),
        (24 * HOUR, HOUR, 24),
        (7 * 24 * HOUR, 8 * HOUR, 22),
        (24 * 24 * HOUR, 24 * HOUR, 25),
    ],
)
def test_a_time_is_cut_into_as_many_columns_as_there_is_room_for(length, width, count):
    found = columns.cut(NOON - length, NOON, offset=NONE)

    assert len(found) == count
    assert max(each.until - each.since for each in found) == width


def test_columns_begin_on_the_hour_of_the_wall_and_leave_no_gap():
    """In Kathmandu, 5:45 ahead of UTC."""
    found = columns.cut(NOON - 24 * HOUR, NOON, offset=timedelta(hours=5, minutes=45))

    assert (found[0].since, found[-1].until) == (NOON - 24 * HOUR, NOON)
    assert [one.until for one in found[:-1]] == [next_one.since for next_one in found[1:]]
    assert {(each.since + timedelta(hours=5, minutes=45)).minute for each in found[1:]} == {0}
    assert len(found) == 25


def test_more_than_there_is_room_for_is_refused():
    with pytest.raises(ValueError, match="too long"):
        columns.cut(NOON - timedelta(days=40), NOON, offset=NONE)


@pytest.mark.parametrize(("count", "lengths"), [(1, [1]), (13, [13]), (17, [9, 8]), (25, [13, 12])])
def test_sheets_share_the_columns(count, lengths):
    found = columns.cut(NOON - count * HOUR, NOON, offset=NONE) if count >= 18 else [None] * count

    assert [len(found[part]) for part in columns.sheets(found)] == lengths
