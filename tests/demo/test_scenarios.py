"""What the written patients and the recorded ones show."""

import gzip
from collections import Counter

import pytest

from monitoring.clinical.limits import ADULT, Severity, judge
from monitoring.clinical.signs import Sign
from monitoring.demo import cut, recordings, scenarios
from monitoring.demo.recordings import Script
from tests import strictness

PATIENTS = range(20)


def passed_limits(script: Script, seconds: range) -> Counter[tuple[Sign, Severity]]:
    """Which default limits are passed while the script is played, one reading a second."""
    passed: Counter[tuple[Sign, Severity]] = Counter()
    for place in PATIENTS:
        for second in seconds:
            for values in script(place, second).values():
                breaches = [judge(Sign(sign), value, ADULT[Sign(sign)]) for sign, value in values.items()]
                passed.update((breach.sign, breach.severity) for breach in breaches if breach)
    return passed


@pytest.mark.parametrize("name", scenarios.SCENARIOS)
def test_same_seed_shows_the_same_patient_in_any_order(name):
    once, again = (scenarios.written(name, seed=7, speed=1) for _ in range(2))

    forwards = [once(2, second) for second in range(40)]
    backwards = [again(2, second) for second in reversed(range(40))]

    assert forwards == backwards[::-1]
    assert forwards != [scenarios.written(name, seed=8, speed=1)(2, second) for second in range(40)]


def test_stable_patients_pass_no_limit_for_five_minutes():
    assert not passed_limits(scenarios.written("stable", seed=42, speed=1), range(300))


def test_deteriorating_patients_pass_limits_and_recover():
    script = scenarios.written("deteriorate", seed=42, speed=1)

    calm, ill, recovered = (passed_limits(script, seconds) for seconds in (range(180), range(300, 480), range(600, 660)))

    assert not calm and not recovered
    assert {sign for sign, _ in ill} == {Sign.HEART_RATE, Sign.SPO2}
    assert all(count == len(PATIENTS) * 180 for count in ill.values())


def test_speed_runs_the_clock_of_a_scenario_faster():
    slow, fast = (scenarios.written("deteriorate", seed=42, speed=speed) for speed in (1, 60))

    assert slow(0, 1)[""]["heart_rate"] < 80
    assert fast(0, 6)[""]["heart_rate"] > 120


def test_arrest_reaches_zero_and_stays_while_pressures_fall():
    script = scenarios.written("arrest", seed=42, speed=1)

    before, at_once, late = (script(0, second)[""] for second in (0, 31, 500))

    assert before["heart_rate"] > 70 and before["spo2"] > 95
    assert at_once["heart_rate"] == at_once["spo2"] == 0
    assert late["heart_rate"] == late["spo2"] == late["respiratory_rate"] == 0
    assert before["systolic_bp"] > at_once["systolic_bp"] > late["systolic_bp"]


@pytest.mark.parametrize("name", scenarios.SCENARIOS)
def test_pressures_keep_their_order(name):
    script = scenarios.written(name, seed=42, speed=1)

    for second in range(120):
        values = script(1, second)[""]
        assert values["systolic_bp"] >= values["mean_bp"] >= values["diastolic_bp"]


def test_excerpt_is_at_most_twelve_patients_of_six_hours_with_its_attribution():
    loaded = recordings.load()

    attribution = recordings.EXCERPT.with_name("ATTRIBUTION.md").read_text()

    assert 0 < len(loaded) <= 12
    assert all(0 < len(recording.minutes) <= 360 for recording in loaded)
    for words in (recordings.EXCERPT.name, "Open Data Commons Attribution License", "Moody GB, Lehman LH", "Goldberger AL"):
        assert words in attribution


def test_several_recorded_patients_become_hypotensive_one_after_the_other():
    script = recordings.played(recordings.load(), speed=1)
    begins = []
    for place in range(12):
        pressures = [script(place, second).get("/art", {}).get("mean_bp") or 99 for second in range(200)]
        sustained = [
            second for second in range(180) if sum(pressure <= 60 for pressure in pressures[second : second + 20]) >= 18
        ]
        begins += sustained[:1]

    assert len(begins) >= 4
    assert min(begins) < 40
    assert len(set(begins)) == len(begins)


def test_recording_leaves_empty_cells_out_keeps_zeros_and_begins_again():
    (recording, *_) = loaded = recordings.load()
    script = recordings.played(loaded, speed=2)

    assert script(0, 1.5) == recording.minutes[3]
    assert script(0, len(recording.minutes) / 2) == recording.minutes[0]
    assert script(12, 0) == recording.minutes[0]
    assert all(values for minute in recording.minutes for values in minute.values())
    assert any(0.0 in values.values() for minute in recording.minutes for values in minute.values())


@pytest.mark.recordings
def test_excerpt_is_cut_as_written():
    assert gzip.decompress(cut.cut(strictness.RECORDINGS / cut.SOURCE)) == gzip.decompress(recordings.EXCERPT.read_bytes())
