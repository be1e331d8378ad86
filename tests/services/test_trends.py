"""Thinned values are what the vitals say, whatever was summed up, came late or was corrected, in whatever order."""

from __future__ import annotations

import json
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.db import connection

from monitoring import sql
from monitoring.clinical import trend
from monitoring.clinical.signs import Sign
from monitoring.clinical.trend import Row
from monitoring.models import Minute, Patient, Vital
from monitoring.services import summaries, trends
from monitoring.services.ingestion import record
from monitoring.services.trends import MINUTES, Resolution, Window
from tests.world import series

pytestmark = pytest.mark.django_db

SIGNS = (Sign.HEART_RATE, Sign.SPO2, Sign.BODY_TEMP)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


class World:
    """A patient's vitals as they come, are corrected and summed up while time passes, as chance has it."""

    def __init__(self, patient: Patient, now: datetime, seed: int) -> None:
        self.patient, self.now = patient, now
        self.admission, self.chance = patient.admissions.get(), Random(seed)

    def go_on(self) -> None:
        self.chance.choice(
            [self.read, self.read, self.read_late, self.correct, self.mark_in_error, self.let_pass, self.fill, self.fill]
        )()

    def read(self) -> None:
        """As a device sends that is not late: nobody is told."""
        self._take([self.chance.uniform(0, 600) for _ in range(8)])

    def read_late(self) -> None:
        self._take([self.chance.uniform(0, 3 * 3600) for _ in range(4)])

    def correct(self) -> None:
        rows = list(Vital.objects.filter(patient=self.patient).order_by("pk"))
        for vital in self.chance.sample(rows, min(2, len(rows))):
            Vital.objects.filter(pk=vital.pk).update(heart_rate=self.chance.choice([None, 20.0, 36.55, 149.0]))
            summaries.touch([vital], now=self.now)

    def mark_in_error(self) -> None:
        vital = Vital.objects.standing().filter(patient=self.patient).order_by("pk").first()
        if vital:
            Vital.objects.filter(pk=vital.pk).update(erroneous_at=self.now)
            summaries.touch([vital], now=self.now)

    def let_pass(self) -> None:
        self.now += self.chance.choice([1, 10, 60]) * MINUTE

    def fill(self) -> None:
        for _ in range(self.chance.choice([1, 2, 30])):
            summaries.fill(now=self.now)

    def ask(self, by: Resolution) -> tuple[Any, Any]:
        """What is answered, and what one would count by hand."""
        ends = sorted(self.chance.choice([-600, 600, 3600, 4 * 3600, self.chance.uniform(0, 3 * 3600)]) for _ in range(2))
        until, since = (None if self.chance.random() < 0.3 else self._ago(end) for end in ends)
        how: dict[str, Any] = {
            "by": by,
            "newest_first": self.chance.random() < 0.5,
            "limit": self.chance.choice([1, 3, 12, 1000]),
        }
        return trends.thinned(self.patient, Window(since, until), **how), naive(self.patient, Window(since, until), **how)

    def all_that_was(self) -> tuple[Row | None, int]:
        return trends.total(self.patient, Window()), trends.count(self.patient)

    def all_by_hand(self) -> tuple[Row | None, int]:
        rows = list(Vital.objects.standing().filter(patient=self.patient))
        return summed(rows) if rows else None, len(rows)

    def _take(self, ages: list[float]) -> None:
        """Sensors of one device may measure at the same time; some times are on a minute's edge."""
        found = {}
        for age in ages:
            at, sensor = self._ago(age), self.chance.choice(["monitor", "cuff"])
            values = {sign: round(self.chance.uniform(20, 45), 2) for sign in self.chance.sample(SIGNS, 2)}
            told = {"patient": self.patient, "measured_at": at, "sensor_id": sensor}
            if not Vital.objects.filter(**told).exists():
                told |= {"status": self._words()}
                found[at, sensor] = Vital(**told, admission=self.admission, received_at=self.now, **values)
        sql.insert(list(found.values()))
        summaries.touch(found.values(), now=self.now)

    def _words(self) -> dict[str, str]:
        said = {str(sign): self.chance.choice(["ok", "probe_off", "no_signal", "artifact", "calibrating"]) for sign in SIGNS}
        return self.chance.choice([{}, {"device": "battery_low"}, said, {"heart_rate": "asystole", "spo2": "no_signal"}])

    def _ago(self, age: float) -> datetime:
        at = self.now - age * SECOND
        return trend.minute_of(at) if self.chance.random() < 0.2 else at


def naive(patient: Patient, window: Window, *, by: Resolution, newest_first: bool, limit: int) -> Any:
    """As one would do it by hand."""
    width = MINUTES[by] * 60
    rows: dict[int, list[Vital]] = defaultdict(list)
    for vital in Vital.objects.filter(patient=patient, erroneous_at=None):
        if (window.since is None or vital.measured_at >= window.since) and (
            window.until is None or vital.measured_at <= window.until
        ):
            rows[int(vital.measured_at.timestamp()) // width].append(vital)
    order = sorted(rows, reverse=newest_first)
    told = [(datetime.fromtimestamp(key * width, UTC), summed(rows[key])) for key in order[:limit]]
    return told, len(order) > limit


def measured(vital: Vital, sign: Sign) -> float | None:
    """A standstill is a zero; a number beside which its device says that it measured nothing is none."""
    word = vital.status.get(sign, "ok")
    if word == "asystole":
        return 0.0
    return getattr(vital, sign) if word == "ok" else None


def summed(vitals: list[Vital]) -> Row:
    row: list[Any] = []
    for sign in Sign:
        of = [value for vital in vitals if (value := measured(vital, sign)) is not None]
        row += [min(of), max(of), sum(round(100 * value) for value in of), len(of)] if of else [None, None, None, 0]
    return tuple(row)


@pytest.mark.parametrize("seed", range(8))
def test_thinned_values_are_what_the_vitals_say(ada, now, seed):
    world = World(ada, now, seed)
    for _ in range(25):
        world.go_on()
        for by in Resolution:
            told, by_hand = world.ask(by)
            assert told == by_hand
        assert world.all_that_was() == world.all_by_hand()
    world.fill()
    assert Minute.objects.filter(patient=ada).exists()


@pytest.mark.parametrize("length", [0, 30, 59.999999, 60])
def test_a_window_from_a_whole_minute_that_ends_before_the_next_is_read_as_well(ada, gateway, now, length):
    begin = trend.minute_of(now) - HOUR
    rows = series(ada, begin, [{"heart_rate": 70}] * 120)
    record([json.dumps(row).encode() for row in rows], device=gateway.device, received_at=now)
    while summaries.fill(now=now + HOUR):
        pass
    window = Window(begin, begin + length * SECOND)

    told, _ = trends.thinned(ada, window, by=Resolution.MINUTE, newest_first=False, limit=10)

    assert told == naive(ada, window, by=Resolution.MINUTE, newest_first=False, limit=10)[0]
    assert len(told) == 1 + (length == 60)


@pytest.mark.django_db(transaction=True)
def test_two_watchers_and_late_readings_at_the_same_time_leave_nothing_wrong(ada, gateway, now):
    """Each watcher sums up what it finds while the same minutes get further readings."""

    def watch() -> None:
        try:
            for _ in range(30):
                summaries.fill(now=now)
        finally:
            connection.close()

    def send(sensor: str) -> None:
        try:
            for second in range(8):
                at = now - HOUR + second * SECOND
                rows = series(ada, at, [{"sensor_id": sensor, "heart_rate": 60 + second}] * 20, every=60)
                record([json.dumps(row).encode() for row in rows], device=gateway.device, received_at=now)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        works = [pool.submit(watch), pool.submit(watch), pool.submit(send, "one"), pool.submit(send, "other")]
    assert [work.exception() for work in works] == [None] * 4

    for _ in range(2):  # as it was left, and when all of it is summed up
        question: dict[str, Any] = {"by": Resolution.MINUTE, "newest_first": False, "limit": 5000}
        assert trends.thinned(ada, Window(), **question) == naive(ada, Window(), **question)
        while summaries.fill(now=now):
            pass
    assert sum(Minute.objects.values_list("heart_rate_count", flat=True)) == Vital.objects.count() == 320


def test_a_late_reading_that_comes_while_the_first_one_is_looked_for_is_summed_up(ada, now, monkeypatch):
    world, look = World(ada, now, 0), summaries._first
    world._take([2 * 3600])

    def meanwhile(*asked: Any) -> Any:
        found = look(*asked)
        world._take([3 * 3600])
        return found

    monkeypatch.setattr(summaries, "_first", meanwhile)
    summaries.fill(now=now)

    assert world.all_that_was() == world.all_by_hand()
