"""NEWS2 of a patient over time, from the vitals that are kept, in one reading of the database however long the time is.

When each sign was measured last before a moment is known from the minutes of the trends; only the minutes that those values
end are read from the vitals.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from monitoring import sql
from monitoring.clinical import words
from monitoring.clinical.scores import news2
from monitoring.clinical.scores.inputs import MAXIMUM_AGES, MEDIAN_OVER, Chosen, Input, choose
from monitoring.clinical.scores.observations import Observations
from monitoring.clinical.scores.score import Score
from monitoring.clinical.signs import Sign
from monitoring.clinical.trend import BEGINNING, MINUTE, joined
from monitoring.models import Patient, Vital
from monitoring.services import trends
from monitoring.services.trends import Window

SIGNS = tuple(sign for sign in Sign if sign in news2.PARTS)
WORDS = ("consciousness", "on_oxygen", "oxygen_flow")  # said now and then: all of them are read
INPUTS = (*SIGNS, *WORDS)
COLUMNS = ("measured_at", "sensor_id", "admission", "status_text", *INPUTS)
LONGEST_AGE = max(MAXIMUM_AGES[name] for name in INPUTS)
AT_ONCE = 400  # minutes in one part of a query: more are too deep for SQLite

Measured = Mapping[Sign, Sequence[datetime]]  # the minutes in which a sign was measured, in order
Said = tuple[datetime, str, int, Any]  # when, of which sensor, in which stay, what
Samples = dict[str, list[Said]]  # by input, in order
Stays = Mapping[int, datetime]  # when each began


@dataclass(frozen=True, slots=True)
class Moment:
    """The score as it stood at a time, with the inputs that it was made of."""

    at: datetime
    inputs: Chosen
    score: Score


def over_time(
    patient: Patient, known: Observations, *, since: datetime, until: datetime, every: int, stays: Stays
) -> list[Moment]:
    """The scores at the ends of all stretches of `every` minutes in this time, but where nothing at all was known.

    `known`: what is scored and nobody measures (scale, age, pregnancy), as it is today. `stays`: all of the patient's. Raises
    NotApplicable.
    """
    news2.score(known)
    ends = _ends(since, until, every)
    if not ends:
        return []
    window = Window.before(ends[-1], since=ends[0] - LONGEST_AGE)
    measured = trends.newest_minutes(patient, window, SIGNS, minutes=every)
    return at(patient, known, ends, measured=measured, stays=stays)


def at(patient: Patient, known: Observations, ends: Sequence[datetime], *, measured: Measured, stays: Stays) -> list[Moment]:
    """The scores at these whole minutes, in order, but where nothing at all was known.

    `measured` must have of every sign at least the newest minute before each end. Raises NotApplicable.
    """
    samples = _samples(patient, ends, measured)
    moments = []
    for end in ends:
        present = max((stay for stay, begun in stays.items() if begun < end), key=stays.__getitem__, default=None)
        heard = _of_one_stay({name: _heard(name, said, end) for name, said in samples.items()}, present, stays)
        chosen = choose(heard, at=end, patient=known)
        if chosen.ages:
            moments.append(Moment(end, chosen, news2.score(chosen.observations)))
    return moments


def _ends(since: datetime, until: datetime, every: int) -> list[datetime]:
    """Whole stretches are counted from one beginning, so that the same moment is scored alike whenever it is asked for."""
    width = every * MINUTE
    first = -(-(since - BEGINNING) // width)
    last = (until - BEGINNING) // width
    return [BEGINNING + number * width for number in range(first, last + 1)]


def _samples(patient: Patient, ends: Sequence[datetime], measured: Measured) -> Samples:
    """What was said in the minutes that matter, and all words; one query."""
    vitals = Vital.objects.standing().filter(patient=patient).annotate(status_text=sql.Text("status"))
    spoken = ~Q(consciousness="") | Q(on_oxygen__isnull=False) | Q(oxygen_flow__isnull=False)
    spoken &= Q(measured_at__gte=ends[0] - LONGEST_AGE, measured_at__lt=ends[-1])
    # The patient stands in each: else SQLite reads all that he has, and compares every row with every span.
    minutes = [Q(patient=patient, measured_at__gte=since, measured_at__lt=until) for since, until in _spans(ends, measured)]
    chunks = [Q(*minutes[first:][:AT_ONCE], _connector=Q.OR) for first in range(0, len(minutes), AT_ONCE)]
    said, *others = (vitals.filter(each).order_by().values_list(*COLUMNS) for each in (spoken, *chunks))
    samples: Samples = {name: [] for name in INPUTS}
    rows = {*said.union(*others, all=True)}  # one may be found by its words and by its minute
    for when, sensor, stay, status, *values in sorted(rows, key=lambda row: row[:2]):
        inputs = zip(INPUTS, values, strict=True)
        for name, value in inputs if status == sql.NO_WORDS else _measured(dict(inputs), json.loads(status)):
            if value not in (None, ""):
                samples[name].append((when, sensor, stay, value))
    return samples


def _measured(inputs: dict[str, Any], status: Mapping[Sign, str]) -> Iterable[tuple[str, Any]]:
    """The numbers as the alarm takes them."""
    numbers = {sign: number for sign in SIGNS if (number := inputs.pop(sign)) is not None}
    return [*inputs.items(), *words.measured(numbers, status).items()]


def _spans(ends: Sequence[datetime], measured: Measured) -> Iterable[tuple[datetime, datetime]]:
    """Of each end and sign the newest minute, and what counts of the one before."""
    newest = {minutes[place - 1] for minutes in measured.values() for end in ends if (place := bisect_left(minutes, end))}
    return [(since, until) for since, until in joined((at - MEDIAN_OVER, at + MINUTE) for at in newest) if until]


def _heard(name: str, said: Sequence[Said], end: datetime) -> list[Said]:
    """The last minute of the sensor that spoke last: a mean of two is what nobody has measured. Words: all of that moment."""
    until = bisect_left(said, end, key=lambda one: one[0])
    if not until:
        return []
    last, sensor, stay, _ = said[until - 1]
    if name in WORDS:
        return list(said[bisect_left(said, last, key=lambda one: one[0]) : until])
    minute = said[bisect_right(said, last - MEDIAN_OVER, key=lambda one: one[0]) : until]
    return [one for one in minute if one[1:3] == (sensor, stay)]


def _of_one_stay(heard: Mapping[str, Sequence[Said]], present: int | None, stays: Stays) -> dict[str, list[Input]]:
    """What was said in the stay of the newest value: those before it tell nothing of this one, nor it of one begun since."""
    last = max((said[-1] for said in heard.values() if said), key=lambda one: one[0], default=None)
    if last and present and last[2] != present and last[0] < stays[present]:
        return {}
    return {
        name: [Input(value, when) for when, _, stay, value in said if stay == last[2]] for name, said in heard.items() if last
    }
