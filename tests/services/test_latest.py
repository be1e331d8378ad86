"""The newest value of each sign is what one would find among all vitals of the stay, whatever was summed up."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from monitoring.api import record
from monitoring.clinical.signs import Sign
from monitoring.models import Admission, Patient, Vital
from monitoring.services import summaries
from tests.services.alerting import MINUTE
from tests.services.test_scores_over_time import SECOND, measure, stays, sum_up, told
from tests.world import item

__all__ = ["stays"]


def by_hand(patient: Patient, stay: Admission) -> dict[str, Any]:
    rows = sorted(
        Vital.objects.filter(patient=patient, admission=stay, erroneous_at=None),
        key=lambda vital: (vital.measured_at, vital.sensor_id),
        reverse=True,
    )
    said = {sign: [(told(row, sign), row.measured_at) for row in rows if told(row, sign) is not None] for sign in Sign}
    return {sign: dict(zip(("value", "measured_at"), of[0], strict=True)) if of else None for sign, of in said.items()}


@pytest.mark.parametrize("seed", range(12))
def test_it_is_what_one_would_find_by_hand(ada, stays, now, seed):
    chance = Random(seed)
    measure(ada, stays, chance, now)
    sum_up(ada, chance, now)
    late = chance.choice(Vital.objects.filter(patient=ada))
    Vital.objects.filter(pk=late.pk).update(diastolic_bp=66, status={})
    summaries.touch([late], now=now)

    found = record.latest(record.with_minutes(ada).first())

    assert found == by_hand(ada, stays[-1])
    assert found["spo2"] and found["mean_bp"] is None


def test_a_line_that_is_being_flushed_says_nothing_and_a_low_pressure_without_a_pulse_does(ada, gateway, now):
    no_pulse = {"systolic_bp": "no_signal"}
    gateway.post([item(ada, now - MINUTE, mean_bp=80), item(ada, now - SECOND, mean_bp=190, status=no_pulse)])
    flushed = record.latest(record.with_minutes(ada).first())["mean_bp"]
    gateway.post([item(ada, now, mean_bp=40, status=no_pulse)])

    low = record.latest(record.with_minutes(ada).first())["mean_bp"]

    assert (flushed["value"], low["value"]) == (80, 40)
