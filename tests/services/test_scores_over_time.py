"""A score of any moment is what one would find by hand among all vitals, whatever was summed up; the chart has the same one."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from monitoring.clinical.scores import news2
from monitoring.clinical.scores.inputs import Input, choose
from monitoring.clinical.scores.observations import Observations
from monitoring.clinical.scores.score import Score
from monitoring.models import Admission, Patient, Vital
from monitoring.services import admissions, charts, scores, summaries
from monitoring.services.cases import observations_of
from tests.services.alerting import MINUTE

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
VALUES: dict[str, list[Any]] = {
    "heart_rate": [38.0, 72.0, 95.5, 131.0],
    "respiratory_rate": [8.0, 14.0, 26.0],
    "spo2": [88.0, 92.0, 97.0],
    "systolic_bp": [85.0, 105.0, 120.0],
    "body_temp": [34.5, 37.0, 39.5],
    "diastolic_bp": [60.0],
    "consciousness": ["A", "C", "U"],
    "on_oxygen": [True, False],
    "oxygen_flow": [0.0, 2.0],
}
NOT_MEASURED = ["probe_off", "no_signal", "artifact", "calibrating"]
STANDSTILL = {"heart_rate": "asystole", "respiratory_rate": "apnoea"}


@pytest.fixture
def stays(ada, north, noor, now) -> list[Admission]:
    """One that is over, and one that began an hour and a half ago."""
    (first,) = Admission.objects.filter(patient=ada)
    admissions.discharge(first, by=noor, at=now - 2 * HOUR)
    return [first, admissions.admit(ada, bed=north.beds.get(position=3), by=noor, at=now - 1.5 * HOUR)]


def measure(patient: Patient, stays: list[Admission], chance: Random, now: datetime) -> None:
    """A hundred readings of three sensors, close together now and then, and on a minute's edge."""
    edge = now.replace(second=0, microsecond=0)
    found = {}
    for _ in range(100):
        at = edge - chance.randrange(30, 170) * MINUTE + chance.choice([0, 0, 1, 20, 59.5]) * SECOND
        stay = next((each for each in reversed(stays) if at >= each.admitted_at), stays[0])
        said: dict[str, Any] = {
            name: chance.choice(VALUES[name]) for name in chance.sample(list(VALUES), chance.choice([1, 2, 5]))
        }
        said |= {"erroneous_at": now if chance.random() < 0.1 else None, "status": words(chance)}
        sensor = chance.choice("abc")
        found[at, sensor] = Vital(patient=patient, admission=stay, measured_at=at, received_at=at, sensor_id=sensor, **said)
    Vital.objects.bulk_create(found.values())


def sum_up(patient: Patient, chance: Random, now: datetime) -> None:
    """Some of the time, none or all of it."""
    summaries.begin(patient, at=now - 4 * HOUR)
    for _ in range(chance.choice([0, 1, 2, 30])):
        summaries.fill(now=now)


def words(chance: Random) -> dict[str, str]:
    """What a device says beside its numbers, and without any."""
    if chance.random() < 0.5:
        return {}
    said = {name: chance.choice(["ok", *NOT_MEASURED]) for name in chance.sample(scores.SIGNS, 2)}
    still = chance.choice(list(STANDSTILL))
    return said | {"device": "battery_low"} | ({still: STANDSTILL[still]} if chance.random() < 0.2 else {})


def told(vital: Vital, name: str) -> Any:
    """What a reading says of an input: a standstill is a zero, and what was not measured nothing."""
    word = vital.status.get(name)
    if word in STANDSTILL.values():
        return 0.0
    value = getattr(vital, name)
    return None if word in NOT_MEASURED or value == "" else value


def begun(stays: list[Admission]) -> scores.Stays:
    return {stay.pk: stay.admitted_at for stay in stays}


def by_hand(patient: Patient, known: Observations, end: datetime) -> Score | None:
    """The rule, from all vitals one by one."""
    rows = sorted(
        Vital.objects.standing().filter(patient=patient, measured_at__gte=end - 12 * HOUR, measured_at__lt=end),
        key=lambda vital: (vital.measured_at, vital.sensor_id),
    )
    said = {name: [(row, value) for row in rows if (value := told(row, name)) is not None] for name in scores.INPUTS}
    stay = max((of[-1][0] for of in said.values() if of), key=lambda row: row.measured_at, default=None)
    began = max(each.admitted_at for each in patient.admissions.all() if each.admitted_at < end)
    if stay and stay.measured_at < began:
        return None
    heard = {}
    for name, of in said.items():
        if not of or of[-1][0].admission_id != stay.admission_id:
            continue
        last = of[-1][0]
        alike = "sensor_id" if name in scores.SIGNS else "measured_at"
        mine = [each for each in of if each[0].admission_id == stay.admission_id]
        heard[name] = [Input(value, row.measured_at) for row, value in mine if getattr(row, alike) == getattr(last, alike)]
    chosen = choose(heard, at=end, patient=known)
    return news2.score(chosen.observations) if chosen.ages else None


@pytest.mark.parametrize("seed", range(12))
def test_it_is_what_one_would_find_by_hand(ada, stays, now, seed):
    chance = Random(seed)
    measure(ada, stays, chance, now)
    sum_up(ada, chance, now)
    known, every = Observations(), chance.choice([1, 5, 30])

    moments = scores.over_time(ada, known, since=now - 3 * HOUR, until=now, every=every, stays=begun(stays))
    found = {each.at: each.score for each in moments}

    ends = scores._ends(now - 3 * HOUR, now, every)
    assert found == {end: score for end in ends if (score := by_hand(ada, known, end))}
    assert len(found) > len(ends) / 2


@pytest.mark.parametrize("seed", range(4))
def test_the_chart_has_the_same_as_the_list(ada, stays, now, seed):
    measure(ada, stays, Random(seed), now)
    known = observations_of(ada, now=now)

    stretches = charts.read(ada, now - 3 * HOUR, now, now=now).stretches

    moments = scores.over_time(ada, known, since=now - 3 * HOUR, until=now, every=1, stays=begun(stays))
    listed = {each.at: each.score for each in moments}
    drawn = {each.column.until: each.score for each in stretches if each.column.until <= now}
    assert drawn == {end: listed.get(end) for end in drawn}
    assert any(drawn.values())
