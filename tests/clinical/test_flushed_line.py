"""An arterial line that is flushed or zeroed shows a high mean pressure without a pulse: it is not the patient's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.clinical import alarm
from monitoring.clinical.episode import Reading, State
from monitoring.clinical.limits import ADULT, Severity
from monitoring.clinical.signs import Sign

START = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
NO_PULSE = {Sign.SYSTOLIC_BP: "no_signal", Sign.DIASTOLIC_BP: "no_signal"}


def read(state: State, second: int, mean: float, statuses: dict[Sign, str]) -> State:
    at = START + timedelta(seconds=second)
    return alarm.follow(state, [Reading("art", at, {Sign.MEAN_BP: mean}, statuses)], ADULT, now=at)[0]


def test_a_high_mean_without_a_pulse_calls_nobody_and_the_tile_says_why():
    state = read(State(), 0, 90, {})

    state = read(state, 60, 225, NO_PULSE)

    assert state.episodes == {}
    assert state.standings[Sign.MEAN_BP]["art"].value == 90
    assert state.words[Sign.MEAN_BP]["art"].status == "no_pulse"


def test_a_low_mean_without_a_pulse_may_be_the_patients():
    state = read(State(), 0, 30, NO_PULSE)

    assert alarm.active(state, "blood_pressure_low") is Severity.CRITICAL


@pytest.mark.parametrize("statuses", [{}, {Sign.SYSTOLIC_BP: "ok"}])
def test_a_high_mean_is_believed_unless_the_line_says_that_it_has_no_pulse(statuses):
    state = read(State(), 0, 225, statuses)

    assert alarm.active(state, "blood_pressure_high") is Severity.CRITICAL


def test_a_flushed_line_ends_nothing():
    state = read(State(), 0, 30, {})

    state = read(state, 60, 225, NO_PULSE)

    assert alarm.active(state, "blood_pressure_low") is Severity.CRITICAL
