"""The dry run of limits: exact figures from handmade series."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.clinical.episode import Kind, Reading, What
from monitoring.clinical.limits import ADULT, Limits, Severity
from monitoring.clinical.preview import Count, Spell, compare, run
from monitoring.clinical.scores.observations import Observations
from monitoring.clinical.sensor import CLEAR_TIME
from monitoring.clinical.signs import Sign

START = datetime(2026, 1, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)
CALM = (97, 310)  # in which a sensor is established and an excursion ends
NO_SCORE = Observations(pregnant=True)  # NEWS2 is not for use in pregnancy: signs alone
CRITICAL, WARNING = Severity.CRITICAL, Severity.WARNING


def spo2(*stretches: tuple[float, int]) -> list[tuple[datetime, list[Reading]]]:
    """One value a second: each of these for so many seconds."""
    values = [value for value, seconds in stretches for _ in range(seconds)]
    times = [START + place * SECOND for place in range(len(values))]
    return [(at, [Reading("pleth", at, {Sign.SPO2: value})]) for at, value in zip(times, values, strict=True)]


def by(arrivals, since=START, **limits):
    """The run of these arrivals by adult limits, but for those of the saturation."""
    changed = {**ADULT, Sign.SPO2: Limits(**({"critical_low": 85, "warning_low": 90, "margin": 2, "delay": 15} | limits))}
    return run(arrivals, lambda now: changed, since=since, until=arrivals[-1][0], patient=NO_SCORE)


def compared(arrivals, since=START, **limits):
    return compare(by(arrivals, since).spells, by(arrivals, since, **limits).spells, since=since)


# Four excursions: to 89 twice, to 87, to 82.
DAY = spo2(CALM, (89, 40), CALM, (87, 40), CALM, (89, 40), CALM, (82, 40), CALM)


def test_what_a_run_called_for_is_counted_by_kind_and_severity():
    counts = by(DAY).counts

    assert counts == {
        Count(Kind.PHYSIOLOGICAL, WARNING, What.RAISED): 1,
        Count(Kind.PHYSIOLOGICAL, WARNING, What.REOPENED): 2,  # within the cooldown
        Count(Kind.PHYSIOLOGICAL, CRITICAL, What.RAISED): 1,
    }


def test_a_limit_lowered_by_two_saves_exactly_the_shallow_ones():
    found = compared(DAY, warning_low=88)

    assert (found.saved, found.added, found.lost) == (2, 0, {WARNING: 2})
    assert (found.delays, found.critical_delays, found.lost_critical) == ([0, 0], [0], [])


def test_a_limit_raised_by_two_adds_what_only_it_sees():
    found = compared(spo2(CALM, (91, 40), CALM, (89, 40), CALM), warning_low=92)

    assert (found.saved, found.added, found.lost, found.gained) == (0, 1, {}, {WARNING: 1})


def test_a_score_that_calls_in_place_of_a_sign_is_told():
    """A saturation of 89 is a single 3 of NEWS2, which is silent while the saturation itself calls."""
    looser = {**ADULT, Sign.SPO2: Limits(85, 88, margin=2)}
    arrivals = spo2(CALM, (89, 60), CALM)
    present, proposed = (
        run(arrivals, lambda now, limits=limits: limits, since=START, until=arrivals[-1][0]) for limits in (ADULT, looser)
    )

    found = compare(present.spells, proposed.spells, since=START)

    assert (found.lost, found.gained) == ({WARNING: 1}, {WARNING: 1})
    assert [each.condition for each in (*present.spells, *proposed.spells)] == ["spo2_low", "news2"]


def test_a_delay_of_30_s_in_place_of_15_tells_15_s_later_and_spares_the_short_ones():
    short = spo2(CALM, (87, 40), CALM, (87, 20), CALM)

    found = compared(short, delay=30)

    assert (found.delays, found.saved, found.lost) == ([15], 1, {WARNING: 1})


def test_a_shorter_delay_tells_sooner():
    assert compared(spo2(CALM, (87, 40), CALM), delay=5).delays == [-10]


def test_a_critical_one_that_is_lost_is_named_with_its_worst_value_and_limit():
    found = compared(DAY, critical_low=80, warning_low=81)

    (lost,) = found.lost_critical
    told = DAY[0][0] + (4 * CALM[1] + 3 * 40 + 15) * SECOND
    assert (lost.spell.critical_at, lost.spell.worst, lost.spell.limit, lost.becomes) == (told, 82, 85, None)
    assert found.lost == {WARNING: 3, CRITICAL: 1}


def test_a_critical_one_that_is_only_a_warning_then_is_named_too_and_nothing_is_saved():
    found = compared(DAY, critical_low=80)

    (lost,) = found.lost_critical
    assert (lost.becomes, found.saved, found.lost) == (WARNING, 0, {})


def test_several_calls_that_become_one_are_saved_and_no_excursion_is_lost():
    """Back at 91 is inside a margin of 1, and not inside one of 2."""
    flapping = spo2(CALM, (87, 30), (91, 301), (87, 30), (91, 301), (87, 30), CALM)
    narrow = by(flapping, margin=1)
    wide = by(flapping)

    found = compare(narrow.spells, wide.spells, since=START)

    again = Count(Kind.PHYSIOLOGICAL, WARNING, What.REOPENED)
    assert (narrow.counts[again], wide.counts[again]) == (2, 0)
    assert (found.saved, found.lost, found.delays) == (2, {}, [0])


def test_a_critical_one_that_nobody_took_calls_again():
    counts = by(spo2(CALM, (82, 40), CALM, (82, 40), CALM)).counts

    assert counts[Count(Kind.PHYSIOLOGICAL, CRITICAL, What.RERAISED)] == 1


def test_what_was_told_before_the_time_that_counts_is_not_counted():
    since = START + 400 * SECOND

    assert sum(by(DAY, since).counts.values()) == 3
    assert compared(DAY, since, warning_low=88).saved == 1


def test_time_is_looked_at_when_no_reading_comes():
    """The value that would confirm did not come: silence does, after the delay; then nothing at all comes."""
    course = run(spo2(CALM, (82, 5)), lambda now: ADULT, since=START, until=START + timedelta(hours=1), patient=NO_SCORE)

    raised = [(spell.condition, spell.begun - START) for spell in course.spells]
    assert raised == [("spo2_low", 329 * SECOND), ("no_data", 434 * SECOND)]


def test_the_limits_are_those_of_each_moment():
    """Stricter from the second excursion on."""
    evening = START + 500 * SECOND
    strict = {**ADULT, Sign.SPO2: Limits(85, 94, margin=2)}
    arrivals = spo2(CALM, (92, 40), CALM, (92, 40), CALM)

    course = run(
        arrivals, lambda now: strict if now >= evening else ADULT, since=START, until=arrivals[-1][0], patient=NO_SCORE
    )

    assert [spell.begun - START for spell in course.spells] == [(2 * CALM[1] + 40 + 15) * SECOND]


def test_a_reading_out_of_order_is_folded_in():
    """A tenth of the readings comes 100 s late: the same alerts."""
    ordered = spo2(CALM, (82, 40), CALM)
    late = [(at + (100 * SECOND if place % 10 == 3 else 0 * SECOND), readings) for place, (at, readings) in enumerate(ordered)]
    late.sort(key=lambda arrival: arrival[0])

    found = compare(by(ordered).spells, by(late).spells, since=START)

    assert (found.saved, found.added, found.lost, found.critical_delays) == (0, 0, {}, [0])


def spell(begun: int, ended: int | None, severity: Severity = WARNING, condition: str = "spo2_low") -> Spell:
    """A call from one second to another."""
    at = START + begun * SECOND
    told = by(spo2(CALM, (82, 40))).spells[0].episode
    critical_at = at if severity is CRITICAL else None
    until = None if ended is None else START + ended * SECOND
    return Spell(condition, Kind.PHYSIOLOGICAL, at, severity, told, critical_at, 82, 85, until)


@pytest.mark.parametrize(
    ("present", "proposed", "saved", "added", "lost"),
    [
        ([spell(0, 10)], [spell(10, 20)], 0, 0, 0),  # they touch
        ([spell(0, 10)], [spell(11, 20)], 1, 1, 1),
        ([spell(0, None)], [spell(900, 910), spell(920, 930)], 0, 1, 0),
        ([spell(0, 10), spell(20, 30)], [spell(0, None)], 1, 0, 0),
        ([spell(0, 10)], [spell(0, 10, condition="heart_rate_low")], 1, 1, 1),
        ([], [], 0, 0, 0),
    ],
)
def test_calls_are_matched_by_condition_and_time(present, proposed, saved, added, lost):
    found = compare(present, proposed, since=START)

    assert (found.saved, found.added, found.lost.total()) == (saved, added, lost)


def test_the_clear_time_that_the_series_rely_on():
    assert timedelta(seconds=CALM[1]) > CLEAR_TIME
