"""What must hold of the alarm rule for any readings in any order of arrival."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.clinical.alarm import LIVE_WINDOW, Reading, State, What, follow
from monitoring.clinical.limits import ADULT, Severity, judge
from monitoring.clinical.signs import Sign, conditions

START = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
SIGNS = (Sign.SPO2, Sign.SYSTOLIC_BP, Sign.MEAN_BP, Sign.HEART_RATE)
VALUES = {
    Sign.SPO2: (97, 88, 84, 70),
    Sign.SYSTOLIC_BP: (120, 85, 75, 190),
    Sign.MEAN_BP: (80, 63, 55, 140),
    Sign.HEART_RATE: (70, 45, 30, 125, 150, 0),
}

# One arrival: measured at a second, arriving up to 20 minutes later, by one of two sensors.
arrivals = st.lists(
    st.tuples(
        st.integers(0, 1200),
        st.sampled_from([0, 0, 1, 30, 599, 600, 601, 1200]),
        st.sampled_from(["art", "cuff"]),
        st.sampled_from(SIGNS).flatmap(lambda sign: st.tuples(st.just(sign), st.sampled_from(VALUES[sign]))),
    ),
    max_size=30,
)


@settings(max_examples=400, deadline=None)
@given(arrivals)
def test_every_live_critical_excursion_is_alerted_on_arrival_and_until_its_return(sent):
    state = State()
    critical_ids: set = set()  # alerts that have been critical
    standing: dict[tuple[Sign, str], tuple[int, float, bool]] = {}  # the oracle: newest by time, and whether it was live

    for measured, delay, sensor, (sign, value) in sorted(sent, key=lambda one: one[0] + one[1]):
        now = START + timedelta(seconds=measured + delay)
        reading = Reading(sensor, START + timedelta(seconds=measured), {sign: value})
        state, events = follow(state, reading, ADULT, now=now)

        critical_ids |= {event.episode.id for event in events if event.episode.severity is Severity.CRITICAL}
        live = delay <= LIVE_WINDOW.total_seconds()
        breach = judge(sign, value, ADULT[sign])
        was = standing.get((sign, sensor))
        if was is None or measured >= was[0]:
            held = was is not None and was[2] and _condition(sign, was[1]) == _condition(sign, value)
            standing[sign, sensor] = (measured, value, breach is not None and (live or held))

        if live and breach and breach.severity is Severity.CRITICAL:
            _was_alerted_by_now(state, events, breach, critical_ids)
        _open_alerts_are_just_what_stands_beyond(state, standing)


def _was_alerted_by_now(state, events, breach, critical_ids):
    """An open critical alert, or one that said so and has ended by its sensor's own return."""
    episode = state.episodes[breach.condition]
    said = [event.episode.severity for event in events if event.what in (What.RAISED, What.RISEN, What.REOPENED, What.RERAISED)]
    counted = any(event.what is What.COUNTED and event.episode.id == episode.id for event in events)
    was_critical = counted and episode.id in critical_ids
    assert episode.severity is Severity.CRITICAL or Severity.CRITICAL in said or was_critical


def _open_alerts_are_just_what_stands_beyond(state, standing):
    for name in {name for sign in SIGNS for name in conditions(sign)}:
        beyond = [
            breach.severity.rank
            for (sign, _), (_, value, holds) in standing.items()
            if holds and (breach := judge(sign, value, ADULT[sign])) and breach.condition == name
        ]
        episode = state.episodes.get(name)
        is_open = episode is not None and episode.resolved_at is None
        assert is_open == bool(beyond), name
        if is_open:
            assert episode.severity.rank == max(beyond)


def _condition(sign: Sign, value: float) -> str | None:
    breach = judge(sign, value, ADULT[sign])
    return breach.condition if breach else None


@settings(max_examples=200, deadline=None)
@given(arrivals)
def test_no_two_alerts_of_one_condition_are_ever_open(sent):
    state = State()
    open_ids: dict[str, set] = {}

    for measured, delay, sensor, (sign, value) in sent:
        reading = Reading(sensor, START + timedelta(seconds=measured), {sign: value})
        state, events = follow(state, reading, ADULT, now=START + timedelta(seconds=measured + delay))
        for event in events:
            now_open = open_ids.setdefault(event.episode.condition, set())
            (now_open.discard if event.episode.resolved_at else now_open.add)(event.episode.id)
        assert all(len(ids) <= 1 for ids in open_ids.values())
