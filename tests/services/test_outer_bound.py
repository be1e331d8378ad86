"""How far out a patient's critical limits may lie: as the hospital says, and a ward only makes it tighter."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitoring.clinical.overrides import Override
from monitoring.clinical.signs import Sign
from monitoring.models import Patient
from monitoring.models.threshold import Part
from monitoring.services import refusals, thresholds
from monitoring.services.layers import Scope

SPO2 = (Sign.SPO2, Part.ALWAYS)
RATE = (Sign.HEART_RATE, Part.ALWAYS)


def test_the_hospital_and_the_ward_move_the_outer_bound(ada, north, root, dora, now):
    looser = {SPO2: Override(66, 70)}
    assert refusals.faults(Scope(patient=ada), looser, by=dora, now=now)
    thresholds.put(Scope(), SPO2, Override(85, 90, bound_low=65), by=root, at=now)
    assert not refusals.faults(Scope(patient=ada), looser, by=dora, now=now)
    thresholds.put(Scope(ward=north), SPO2, Override(85, 90, bound_low=75), by=root, at=now)
    assert [fault.field for fault in refusals.faults(Scope(patient=ada), looser, by=dora, now=now)] == ["critical_low"]


@pytest.mark.parametrize(("hospital", "outermost"), [(None, 70), (65, 65), (75, 75)])
def test_a_wards_outer_bound_is_no_looser_than_the_hospitals(north, root, now, hospital, outermost):
    if hospital:
        thresholds.put(Scope(), SPO2, Override(85, 90, bound_low=hospital), by=root, at=now)

    for low in (outermost - 1, outermost, outermost + 1):
        wrong = refusals.faults(Scope(ward=north), {SPO2: Override(85, 90, bound_low=low)}, by=root, now=now)
        assert [fault.field for fault in wrong] == (["bound_low"] if low < outermost else [])


def test_a_looser_one_that_a_ward_has_already_moves_nothing(ada, north, root, dora, now):
    thresholds.put(Scope(), SPO2, Override(85, 90, bound_low=60), by=root, at=now)
    thresholds.put(Scope(ward=north), SPO2, Override(85, 90, bound_low=60), by=root, at=now)
    thresholds.put(Scope(), SPO2, Override(85, 90, bound_low=75), by=root, at=now)

    assert refusals.faults(Scope(patient=ada), {SPO2: Override(74, 80)}, by=dora, now=now)
    assert not refusals.faults(Scope(patient=ada), {SPO2: Override(75, 80)}, by=dora, now=now)
    thresholds.put(Scope(ward=north), SPO2, Override(86, 90, bound_low=60), by=root, at=now)  # holds up nothing else
    assert refusals.faults(Scope(patient=ada), {SPO2: Override(74, 80)}, by=dora, now=now)


def test_a_childrens_ward_may_go_farther_than_what_is_shipped_for_their_age(ada, north, root, dora, now):
    Patient.objects.update(birth_date=now.date() - timedelta(days=900))
    assert refusals.faults(Scope(patient=ada), {SPO2: Override(72, 74)}, by=dora, now=now)

    thresholds.put(Scope(ward=north), SPO2, Override(92, 92, bound_low=72), by=root, at=now)
    thresholds.put(Scope(ward=north), RATE, Override(60, 70, 150, 170, bound_high=200), by=root, at=now)

    assert not refusals.faults(Scope(patient=ada), {SPO2: Override(72, 74)}, by=dora, now=now)
