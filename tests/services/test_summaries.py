"""Minutes are summed up once they are settled, and again when something in them changed; nothing live pays for it."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib import import_module
from itertools import pairwise

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Bed
from monitoring.clinical.trend import PARTS
from monitoring.models import Minute, Patient, UnreadSpan, Vital
from monitoring.services import admissions, summaries
from monitoring.services.summaries import SETTLED_AFTER
from monitoring.services.watching import turn
from tests.world import item, series

pytestmark = pytest.mark.django_db

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def fill(now: datetime) -> int:
    """All there is to do, in so many calls."""
    calls = 0
    while summaries.fill(now=now):
        calls += 1
    return calls


def counts(patient: Patient) -> list[int]:
    return list(Minute.objects.filter(patient=patient).order_by("begins_at").values_list("heart_rate_count", flat=True))


def parts(minute: Minute, sign: str) -> list[float]:
    return [getattr(minute, f"{sign}_{part}") for part in PARTS]


def test_a_settled_minute_is_summed_up_by_every_sign(ada, gateway, now):
    begin = now.replace(second=0, microsecond=0) - 5 * MINUTE
    gateway.post(series(ada, begin, [{"heart_rate": 70, "spo2": 97.5}, {"heart_rate": 73}, {"body_temp": 36.6}], every=19))

    assert turn(clock=lambda: now + HOUR, steps=[summaries.fill]).failures == 0

    minute = Minute.objects.get(patient=ada)
    assert minute.begins_at == begin
    assert (minute.heart_rate_min, minute.heart_rate_max, minute.heart_rate_total, minute.heart_rate_count) == (
        70,
        73,
        14300,
        2,
    )
    assert (minute.spo2_min, minute.spo2_max, minute.spo2_total, minute.spo2_count) == (97.5, 97.5, 9750, 1)
    assert (minute.systolic_bp_min, minute.systolic_bp_count) == (None, 0)
    assert minute.body_temp_total == 3660


def test_a_minute_that_may_still_get_readings_is_left(ada, gateway, now):
    gateway.post([item(ada, now, heart_rate=70)])

    UnreadSpan.objects.update(look_at=now)
    fill(now + SETTLED_AFTER)
    assert counts(ada) == []

    fill(now + SETTLED_AFTER + HOUR)
    assert counts(ada) == [1]


def test_a_reading_within_the_live_window_costs_no_query_and_a_late_one_tells_its_minute(ada, gateway, now):
    vitals = [Vital(patient=ada, measured_at=now - age * MINUTE) for age in (0, 5, 10)]
    with CaptureQueriesContext(connection) as seen:
        summaries.touch(vitals, now=now)
    assert len(seen) == 0

    late = [Vital(patient=ada, measured_at=now - age * MINUTE) for age in (11, 12, 12, 13, 40)]
    with CaptureQueriesContext(connection) as seen:
        summaries.touch(late, now=now)
    assert len(seen) == 1
    assert UnreadSpan.objects.exclude(until=None).count() == 2


def test_one_written_down_by_hand_is_added_to_its_minute(ada, gateway, now):
    gateway.post([item(ada, now - HOUR, heart_rate=70)])
    fill(now)
    stay = ada.admissions.get()

    Vital.objects.create(
        patient=ada, admission=stay, sensor_id="manual", measured_at=now - HOUR, received_at=now, heart_rate=80
    )
    fill(now)

    assert counts(ada) == [2]
    assert not UnreadSpan.objects.exclude(until=None).exists()


def test_what_the_door_takes_late_is_told(ada, gateway, now):
    gateway.post([item(ada, now - HOUR, heart_rate=70)])
    fill(now)
    assert counts(ada) == [1]

    gateway.post([item(ada, now - HOUR, sensor_id="other", heart_rate=90)])
    fill(now)

    assert counts(ada) == [2]


def test_who_is_silent_is_looked_at_less_and_less_often(ada, now):
    UnreadSpan.objects.update(since=now - 20 * MINUTE, look_at=now)
    looks = [now]
    for _ in range(5):
        assert fill(looks[-1]) == 1
        looks.append(UnreadSpan.objects.get().look_at)

    rests = [later - sooner for sooner, later in pairwise(looks)]
    assert rests == [20 * MINUTE, 40 * MINUTE, HOUR, HOUR, HOUR]


def test_a_long_stretch_is_summed_up_an_hour_at_a_time(ada, gateway, now):
    gateway.post(series(ada, now - 5 * HOUR, [{"heart_rate": 70}] * 20, every=15 * 60))
    UnreadSpan.objects.exclude(until=None).delete()

    assert fill(now + HOUR) == 6  # its five hours, in between each of them, and once that there is no more
    assert counts(ada) == [1] * 20


def test_of_two_watchers_with_the_same_work_one_does_it(ada, gateway, now):
    gateway.post([item(ada, now, heart_rate=70)])
    tail = UnreadSpan.objects.get(patient=ada)

    done = [summaries._sum_up(tail, now=now + HOUR) for _ in range(2)]

    assert done == [True, False]
    assert counts(ada) == [1]


def test_a_second_stay_goes_on_where_the_first_ended(ada, now):
    stay = ada.admissions.get()
    admissions.discharge(stay, by=None, at=now)

    admissions.admit(ada, bed=Bed.objects.get(name="N1"), by=None, at=now)

    assert UnreadSpan.objects.filter(patient=ada, until=None).count() == 1


def test_what_was_summed_up_without_its_words_is_summed_up_again(ada, ben, gateway, now):
    gateway.post([item(ada, now - 3 * HOUR, spo2=97), item(ada, now - 2 * HOUR, spo2=50, status={"spo2": "probe_off"})])
    gateway.post([item(ben, now - 2 * HOUR, spo2=97, status={"spo2": "ok"})])
    fill(now)
    Minute.objects.update(spo2_min=50, spo2_max=50, spo2_total=5000, spo2_count=1)

    import_module("monitoring.migrations.0027_minutes_with_words").sum_up_again(apps, None)
    fill(now + HOUR)

    assert list(Minute.objects.filter(patient=ada).order_by("begins_at").values_list("spo2_count", flat=True)) == [1, 0]
    assert Minute.objects.filter(patient=ben, spo2_min=50).exists()
