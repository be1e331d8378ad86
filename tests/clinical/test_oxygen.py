"""What stands of oxygen at a time, by what was said of it before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.clinical.scores.oxygen import Said, Word

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
STAYS = {1: NOON - 3 * HOUR}


def known(*words: Word, at: datetime, stays=STAYS):
    seen = Said(words, stays).before(at).observations
    return seen.has_oxygen, seen.oxygen_flow


def test_nothing_said_is_not_known():
    assert known(at=NOON) == (None, None)


@pytest.mark.parametrize(
    ("after", "on_oxygen"),
    [(timedelta(0), None), (timedelta(seconds=1), True), (12 * HOUR, True), (12 * HOUR + timedelta(seconds=1), None)],
)
def test_a_word_counts_from_its_moment_for_twelve_hours(after, on_oxygen):
    assert known(Word(NOON, 1, on_oxygen=True), at=NOON + after)[0] is on_oxygen


def test_who_was_taken_off_is_on_air_whatever_flowed_before():
    words = Word(NOON, 1, on_oxygen=True, oxygen_flow=2), Word(NOON + HOUR, 1, on_oxygen=False)

    assert known(*words, at=NOON + 2 * HOUR) == (False, None)
    assert known(*words, at=NOON + HOUR) == (True, 2)


def test_a_word_from_before_its_stay_was_written_down_counts():
    assert known(Word(NOON, 1, on_oxygen=True), at=NOON + HOUR, stays={1: NOON + 2 * HOUR})[0] is True


def test_of_two_at_one_moment_the_one_that_gives_oxygen_counts():
    words = Word(NOON, 1, on_oxygen=True), Word(NOON, 1, on_oxygen=False)

    assert known(*words, at=NOON + HOUR)[0] is True
    assert known(*reversed(words), at=NOON + HOUR)[0] is True


def test_what_was_said_in_a_stay_tells_nothing_of_the_next():
    stays = STAYS | {2: NOON + HOUR}
    word = Word(NOON, 1, on_oxygen=True)

    assert known(word, at=NOON + HOUR, stays=stays)[0] is True
    assert known(word, at=NOON + 2 * HOUR, stays=stays)[0] is None
