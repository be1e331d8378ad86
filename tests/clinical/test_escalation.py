"""Who is told next, and when: the rule alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.clinical import escalation as rule
from monitoring.clinical.escalation import SHIPPED, Step, Way, Whom
from monitoring.clinical.limits import Severity

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
REPEAT = timedelta(minutes=10)
CRITICAL, WARNING, INFO = Severity.CRITICAL, Severity.WARNING, Severity.INFO


def step(after: int, severity: Severity = WARNING) -> Step:
    return Step(after, severity, Whom.NURSES, frozenset({Way.IN_APP}))


PLAN = [step(0), step(5, CRITICAL), step(15)]


def times(steps, severity, count):
    """When each of the next steps is taken by a watcher that is never late, in minutes after the raise."""
    at = rule.begins_at(steps, severity, now=NOW)
    taken, seen = 0, []
    for _ in range(count):
        seen.append((at - NOW) / timedelta(minutes=1))
        place = rule.upcoming(steps, severity, taken)
        at = rule.goes_on_at(steps, severity, place, planned=at, now=at, repeat=REPEAT)
        taken = max(place, taken) + 1
    return seen


@pytest.mark.parametrize(
    ("severity", "expected"),
    [(CRITICAL, [0, 5, 15, 25, 35, 45]), (WARNING, [0, 15, 25, 35, 45, 55])],
)
def test_every_step_at_its_minute_and_the_last_again_and_again(severity, expected):
    assert times(PLAN, severity, 6) == expected


def test_a_plan_that_ends_with_a_critical_step_repeats_the_warnings_own_last():
    steps = [step(0), step(3), step(9, CRITICAL)]

    assert times(steps, WARNING, 4) == [0, 3, 13, 23]
    assert rule.upcoming(steps, WARNING, 7) == 1


def test_a_first_step_may_be_later_than_the_raise():
    assert times([step(2)], CRITICAL, 2) == [2, 12]


def test_a_late_watcher_catches_up_with_steps_and_not_with_repetitions():
    late = NOW + timedelta(minutes=47)

    second = rule.goes_on_at(PLAN, CRITICAL, 0, planned=NOW, now=late, repeat=REPEAT)
    third = rule.goes_on_at(PLAN, CRITICAL, 1, planned=second, now=late, repeat=REPEAT)
    repeated = rule.goes_on_at(PLAN, CRITICAL, 2, planned=third, now=late, repeat=REPEAT)

    assert (second, third) == (NOW + timedelta(minutes=5), NOW + timedelta(minutes=15))
    assert repeated == late + REPEAT


def test_info_calls_nobody():
    assert rule.begins_at(PLAN, INFO, now=NOW) is None
    assert not rule.escalates(INFO)


@pytest.mark.parametrize("severity", [CRITICAL, WARNING])
@pytest.mark.parametrize("own", [[], [step(7, CRITICAL)], PLAN])
def test_every_alert_that_counts_has_a_next_step(own, severity):
    plan = rule.plan(own, severity)

    assert rule.begins_at(plan, severity, now=NOW) is not None
    assert all(plan[rule.upcoming(plan, severity, taken)].is_for(severity) for taken in range(40))


def test_a_ward_without_steps_for_a_severity_has_the_shipped_ones():
    critical_only = [step(7, CRITICAL)]

    assert rule.plan(critical_only, CRITICAL) == critical_only
    assert rule.plan(critical_only, WARNING) == SHIPPED


def test_who_is_eased_while_waiting_goes_on_with_the_steps_that_are_left():
    assert rule.upcoming(PLAN, WARNING, 1) == 2
    assert rule.upcoming(PLAN, WARNING, 2) == 2


def test_the_shipped_plan_begins_at_once_and_rises_in_time():
    afters = [shipped.after for shipped in SHIPPED]

    assert afters[0] == 0
    assert afters == sorted(set(afters))
    assert all(shipped.ways for shipped in SHIPPED)
