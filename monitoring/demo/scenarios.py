"""Written patients: what a stable, a deteriorating and an arresting patient's monitor shows, the same again for a seed."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from monitoring.demo.recordings import Script, Shown

Course = Mapping[float, float]  # second → value there; straight lines between, the last value stays


@dataclass(frozen=True)
class Resting:
    """Where one patient's values lie at rest: /min, %, /min, mmHg, mmHg, °C."""

    heart_rate: float
    spo2: float
    respiratory_rate: float
    systolic_bp: float
    diastolic_bp: float
    body_temp: float


Writing = Callable[[Resting], dict[str, Course]]


def stable(rest: Resting) -> dict[str, Course]:
    """Nothing happens: no default limit is passed."""
    return {sign: {0: value} for sign, value in vars(rest).items()}


def deteriorate(rest: Resting) -> dict[str, Course]:
    """Ten minutes: calm for three, HR up to 125 and SpO₂ down to 88 by the fifth, recovering from the eighth to the tenth."""
    return stable(rest) | {
        "heart_rate": {0: 70, 180: 70, 300: 125, 480: 125, 600: 80},
        "spo2": {0: 98, 180: 98, 300: 88, 480: 88, 600: 96},
        "respiratory_rate": {0: 16, 180: 16, 300: 26, 480: 26, 600: 18},
        "systolic_bp": {0: 115, 180: 115, 300: 135, 480: 135, 600: 120},
    }


def arrest(rest: Resting) -> dict[str, Course]:
    """A cardiac arrest: HR and SpO₂ 80/98, at 15 s 140/95, from 30 s 0/0; breathing stops and the pressures fall. It stays."""
    return stable(rest) | {
        "heart_rate": {0: 80, 15: 140, 30: 0},
        "spo2": {0: 98, 15: 95, 30: 0},
        "respiratory_rate": {0: 16, 15: 24, 30: 6, 45: 0},
        "systolic_bp": {0: 120, 15: 135, 30: 55, 60: 15},
        "diastolic_bp": {0: 76, 15: 85, 30: 30, 60: 8},
    }


SCENARIOS: Mapping[str, Writing] = {"stable": stable, "deteriorate": deteriorate, "arrest": arrest}

# How far a value may tremble about its course: the share of a rate or pressure, or points of a percentage or degrees.
TREMOR_SHARE = 0.02
TREMOR_POINTS = {"spo2": 0.8, "body_temp": 0.1}


def written(name: str, *, seed: int, speed: float) -> Script:
    """Plays a scenario `speed` times as fast as it is written. Every patient lies a little differently, by the seed."""
    writing = SCENARIOS[name]

    def show(place: int, seconds: float) -> Shown:
        courses = writing(_resting(seed, place))
        # By the moment, not by the call before: what is shown at a time does not depend on what was asked earlier.
        chance = random.Random(f"{seed}/{place}/{seconds:.3f}")  # noqa: S311  (invented values, no secret)
        values = {sign: _tremble(sign, along(course, seconds * speed), chance) for sign, course in courses.items()}
        values["mean_bp"] = round(values["diastolic_bp"] + (values["systolic_bp"] - values["diastolic_bp"]) / 3, 1)
        return {"": values}

    return show


def along(course: Course, seconds: float) -> float:
    """The value of a course at a time."""
    times = sorted(course)
    before = max((time for time in times if time <= seconds), default=times[0])
    after = min((time for time in times if time > seconds), default=before)
    if after == before:
        return course[before]
    share = (seconds - before) / (after - before)
    return course[before] + share * (course[after] - course[before])


def _resting(seed: int, place: int) -> Resting:
    chance = random.Random(f"{seed}/{place}")  # noqa: S311
    return Resting(
        heart_rate=chance.uniform(70, 90),
        spo2=chance.uniform(96, 99),
        respiratory_rate=chance.uniform(14, 18),
        systolic_bp=chance.uniform(110, 130),
        diastolic_bp=chance.uniform(70, 85),
        body_temp=chance.uniform(36.5, 37.2),
    )


def _tremble(sign: str, value: float, chance: random.Random) -> float:
    """Zero stays zero, and no saturation is above 100."""
    if value == 0:
        return 0.0
    reach = TREMOR_POINTS.get(sign, value * TREMOR_SHARE)
    trembled = max(0.0, value + chance.uniform(-reach, reach))
    return round(min(trembled, 100.0) if sign == "spo2" else trembled, 1)
