"""NEWS2 as drawn: the number on the tile, and what it is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring.board.epochs import epoch
from monitoring.clinical.deterioration import chosen
from monitoring.clinical.episode import State
from monitoring.clinical.limits import Severity
from monitoring.clinical.scores import calls, news2
from monitoring.clinical.scores.chart import rounded
from monitoring.clinical.scores.inputs import MAXIMUM_AGES, OXYGEN, Chosen
from monitoring.clinical.scores.observations import ACVPU, Observations, label
from monitoring.clinical.scores.score import NotApplicable, Score, band_of
from monitoring.clinical.signs import FACTS, Sign, plain

VERSION = "NEWS2, © Royal College of Physicians 2017"
WAKEFULNESS = dict(zip(ACVPU, ("alert", "new confusion", "voice", "pain", "unresponsive"), strict=True))


@dataclass(frozen=True, slots=True)
class Part:
    """One input of the score: what was scored, with how many points, and when it was measured."""

    label: str
    value: str = ""
    points: int | None = None
    measured: str = ""
    too_old: bool = False


@dataclass(frozen=True, slots=True)
class News:
    """`refusal`: why this patient has no number. `severity`: what it calls for. `until`: when the first input is too old."""

    text: str = ""
    tone: str = ""
    band: str = ""
    response: str = ""
    refusal: str = ""
    missing: str = ""
    scale: int = 1
    until: str = ""
    parts: tuple[Part, ...] = ()
    version: str = VERSION
    severity: Severity | None = None
    note: calls.Note | None = None  # a single 3, for the alert that its sign may have


def news(state: State, patient: Observations, *, now: datetime) -> News:
    """The score as it is at this moment, from what is known of the patient."""
    inputs = chosen(state, patient, now)
    try:
        score = news2.score(inputs.observations)
    except NotApplicable as reason:
        return News(refusal=str(reason))
    called = calls.call(score, ())
    return News(
        text=_text(score),
        tone=_tone(score),
        band=score.band or "",
        response=score.response or "",
        missing=", ".join(label(name) for name in score.missing),
        scale=patient.spo2_scale,
        until=_until(inputs, now),
        parts=tuple(_parts(score, inputs, now)),
        severity=called.severity if called else None,
        note=calls.note(score, tuple(Sign)),
    )


def _text(score: Score) -> str:
    if not score.parts:
        return "–"
    return f"≥ {score.at_least}" if score.total is None else str(score.total)


def _tone(score: Score) -> str:
    """The band that is reached already, also without a total; an incomplete low score says nothing yet."""
    if score.red and score.at_least < news2.MEDIUM:
        return "low-medium"
    if score.total is None and score.at_least < news2.MEDIUM:
        return "incomplete"
    return band_of(score.at_least, news2.BANDS).name


def _parts(score: Score, inputs: Chosen, now: datetime) -> Iterator[Part]:
    for name in news2.PARTS:
        ages = _ages(name, inputs)
        if name in score.missing and not ages:
            old = [age for field, age in inputs.too_old.items() if field in _fields(name)]
            yield Part(_label(name), measured=epoch(now - min(old)) if old else "", too_old=bool(old))
        else:
            yield Part(_label(name), _value(name, score), score.parts.get(name), epoch(now - min(ages)))


def _fields(name: str) -> tuple[str, ...]:
    return OXYGEN if name == "on_oxygen" else (name,)


def _ages(name: str, inputs: Chosen) -> list[timedelta]:
    return [age for field, age in inputs.ages.items() if field in _fields(name)]


def _label(name: str) -> str:
    return FACTS[Sign(name)].label if name in set(Sign) else label(name)


def _value(name: str, score: Score) -> str:
    if name == "on_oxygen":
        return "oxygen" if score.observations.has_oxygen else "air"
    value = getattr(score.observations, name)
    if name == "consciousness":
        return WAKEFULNESS[value]
    return plain(float(rounded(value, news2.RESOLUTIONS[name])))


def _until(inputs: Chosen, now: datetime) -> str:
    ends = [now - age + MAXIMUM_AGES[name] for name, age in inputs.ages.items() if name in news2.PARTS]
    return epoch(min(ends)) if ends else ""
