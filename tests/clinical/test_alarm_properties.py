"""What holds of the alarm rule for any readings in any order of arrival."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.clinical import alarm
from monitoring.clinical.episode import Reading, State
from monitoring.clinical.limits import Severity
from monitoring.clinical.signs import Side, Sign, conditions, members
from tests.clinical import naive
from tests.clinical.bedside import Bedside, when

VALUES = {
    Sign.SPO2: (97, 97, 92, 91, 88, 84, 84, 70),
    Sign.SYSTOLIC_BP: (120, 85, 75, 190),
    Sign.MEAN_BP: (85, 85, 67, 63, 55, 55, 140),
    Sign.HEART_RATE: (70, 52, 45, 30, 125, 150, 0),
}
CONDITIONS = sorted({name for sign in VALUES for name in conditions(sign)})

gaps = st.sampled_from([1, 5, 5, 14, 15, 16, 30, 60, 60, 60, 66, 67, 120, 301])
lateness = st.sampled_from([0, 0, 0, 0, 2, 20, 90, 301, 599, 600])
said = st.fixed_dictionaries({}, optional={sign: st.sampled_from(values) for sign, values in VALUES.items()}).filter(bool)
# What one sensor sends: after so many seconds these values, arriving so late.
stretches = st.lists(st.tuples(gaps, said, lateness), max_size=14)
PRELUDE = [(60, {Sign.SPO2: 97, Sign.MEAN_BP: 85}, 0)] * 4
sensors = st.builds(lambda known, stretch: [*(PRELUDE if known else []), *stretch], st.booleans(), stretches)
Sent = list[tuple[float, float, Reading]]


def sent_by(name: str, sensor: list) -> Sent:
    """(measured, arriving, reading) of one sensor."""
    second, sent = 0.0, []
    for gap, values, late in sensor:
        second += gap
        sent.append((second, second + late, Reading(name, when(second), values)))
    return sent


def arrive(sent: Sent, *, in_order: bool) -> Bedside:
    ada = Bedside()
    for measured, arriving, reading in sorted(sent, key=lambda one: one[0] if in_order else one[1]):
        ada.hears([reading], arrives=measured if in_order else arriving)
    return ada


def known(ada: Bedside) -> dict:
    """All standings, without the time of our clock."""
    return {
        (sign, name): replace(standing, seen_at=None)
        for sign, by_sensor in ada.state.standings.items()
        for name, standing in by_sensor.items()
    }


def points(ada: Bedside, thread: alarm.Thread) -> list[tuple[float, float]]:
    return [((at - when(0)).total_seconds(), sample.value) for at, sample in sorted(ada.stored[thread].items())]


@settings(max_examples=120, deadline=None)
@given(sensors, sensors, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_no_standing_and_nothing_that_is_active(art, cuff, chance):
    sent = sent_by("art", art) + sent_by("cuff", cuff)
    doubled = sent + [(measured, arriving + 1, reading) for measured, arriving, reading in sent if chance.random() < 0.1]

    ordered, any_order = arrive(sent, in_order=True), arrive(doubled, in_order=False)

    assert known(any_order) == known(ordered)
    assert {name: any_order.active(name) for name in CONDITIONS} == {name: ordered.active(name) for name in CONDITIONS}


@settings(max_examples=80, deadline=None)
@given(sensors, sensors)
def test_a_batch_does_what_its_readings_do_one_by_one(art, cuff):
    sent = sorted(sent_by("art", art) + sent_by("cuff", cuff), key=lambda one: one[0])
    end = sent[-1][0] if sent else 0
    recent = [one for one in sent if end - one[0] <= 600]

    together = Bedside().hears([reading for _, _, reading in recent], arrives=end)
    single = Bedside()
    for _, _, reading in recent:
        single.hears([reading], arrives=end)

    assert known(together) == known(single)


@settings(max_examples=120, deadline=None)
@given(sensors, sensors)
def test_in_order_what_is_active_is_what_the_definition_says(art, cuff):
    ada = Bedside()
    for _, arriving, reading in sorted(sent_by("art", art) + sent_by("cuff", cuff), key=lambda one: one[0]):
        ada.hears([reading], arrives=(reading.measured_at - when(0)).total_seconds())
        for name in CONDITIONS:
            held = [
                found
                for sign, side in members(name)
                for thread in ada.stored
                if thread[0] is sign and (found := naive.active(sign, points(ada, thread), side))
            ]
            assert ada.active(name) == max(held, key=lambda severity: severity.rank, default=None), (name, arriving)


@settings(max_examples=120, deadline=None)
@given(sensors, sensors)
def test_every_critical_excursion_is_alerted_when_its_confirming_reading_arrives_in_any_order(art, cuff):
    ada = Bedside()
    for _, arriving, reading in sorted(sent_by("art", art) + sent_by("cuff", cuff), key=lambda one: one[1]):
        ada.hears([reading], arrives=arriving)
        for name in CONDITIONS:
            if any(
                _was_critical(ada, thread, side) for thread in ada.stored for sign, side in members(name) if thread[0] is sign
            ):
                episode = ada.episode(name)
                assert (episode.is_open, episode.severity, episode.acknowledged) == (True, Severity.CRITICAL, False)


def _was_critical(ada: Bedside, thread: alarm.Thread, side: Side) -> bool:
    return any(naive.confirmations(thread[0], points(ada, thread), side, Severity.CRITICAL))


@settings(max_examples=60, deadline=None)
@given(sensors, st.lists(st.floats(0, 5000), max_size=8))
def test_looks_between_readings_end_nothing_that_the_readings_hold(art, looks):
    """Whatever silence confirmed meanwhile, it only adds."""
    steps = [(measured, reading) for measured, _, reading in sent_by("art", art)] + [(second, None) for second in looks]
    watched, unwatched = Bedside(), Bedside()
    for second, reading in sorted(steps, key=lambda step: step[0]):
        if reading is None:
            watched.looks(second)
        else:
            watched.hears([reading], arrives=second)
            unwatched.hears([reading], arrives=second)
        for name in CONDITIONS:
            least = unwatched.active(name)
            assert least is None or watched.active(name).rank >= least.rank


def test_an_empty_state_has_nothing_active():
    assert {alarm.active(State(), name) for name in CONDITIONS} == {None}
