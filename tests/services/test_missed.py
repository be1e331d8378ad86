"""What is replayed of the event stream to who comes back: of each ward all that he missed, or its name among the skipped."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring.models import AlertEvent
from monitoring.services import history
from monitoring.stream import reading
from monitoring.stream.choice import EVERYTHING, Choice
from monitoring.stream.cursors import START
from tests.world import item, open_alert, unscored

MANY, FEW = 8, 3  # events of North, of South


@pytest.fixture
def two(ada, cid, north, south, gateway, now):
    """North and South, and something that happened in each."""
    gateway.device.wards.add(south)
    for patient in (ada, cid):
        unscored(patient)
        gateway.post([item(patient, now, spo2=84)])
    happen(ada, MANY - 1)
    happen(cid, FEW - 1)
    return north.pk, south.pk


def happen(patient, count):
    """Two things in each transaction, which share a number."""
    alert = open_alert(patient)
    for first in range(0, count, 2):
        with transaction.atomic():
            for _ in range(first, min(first + 2, count)):
                history.tell([alert], AlertEvent.What.SILENCED, by=None, at=timezone.now())


def positions_in(ward):
    return [START, *AlertEvent.objects.filter(ward=ward).order_by("number", "pk").values_list("number", "pk")]


def told_by(missed):
    return {ward: [told.position for told in missed.told if told.ward == ward] for ward in missed.last}


@pytest.mark.parametrize(
    ("most", "replayed", "skipped"),
    [
        (MANY + FEW, "both", "none"),
        (MANY + FEW - 1, "north", "south"),  # the first has all the room
        (MANY - 1, "south", "north"),  # which the first does not fit in
        (FEW - 1, "none", "both"),
        (0, "none", "both"),
    ],
)
def test_a_ward_is_told_whole_or_skipped_by_its_name(two, most, replayed, skipped):
    of = {"none": set(), "north": {two[0]}, "south": {two[1]}, "both": {*two}}

    missed = reading.missed(dict.fromkeys(two, START), two, most=most, choice=EVERYTHING)

    assert missed.skipped == of[skipped]
    assert told_by(missed) == {ward: positions_in(ward)[1:] if ward in of[replayed] else [] for ward in two}


def test_of_a_ward_in_which_nothing_that_was_chosen_happened_nothing_is_skipped(two, cid):
    choice = Choice(is_everything=False, patients={cid.pk: cid.patient_id})

    missed = reading.missed(dict.fromkeys(two, START), two, most=0, choice=choice)

    assert missed.skipped == {two[1]}


@given(st.integers(0, MANY), st.integers(0, FEW), st.integers(0, MANY + FEW), st.sampled_from(["all", "north", "cid", "both"]))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_was_missed_is_told_or_its_ward_is_skipped(two, ada, cid, heard_north, heard_south, most, chosen):
    heard = dict(zip(two, (heard_north, heard_south), strict=True))
    behind = {ward: positions_in(ward)[heard[ward] + 1 :] for ward in two}
    choice = {
        "all": EVERYTHING,
        "north": Choice(is_everything=False, wards={two[0]: "north"}),
        "cid": Choice(is_everything=False, patients={cid.pk: "P-CID"}),
        "both": Choice(is_everything=False, wards={two[0]: "north"}, patients={cid.pk: "P-CID"}),
    }[chosen]
    if chosen in ("north", "cid"):
        behind[two[1] if chosen == "north" else two[0]] = []

    missed = reading.missed({ward: positions_in(ward)[heard[ward]] for ward in two}, two, most=most, choice=choice)

    told = told_by(missed)
    assert len(missed.told) <= most
    for ward in two:
        if ward in missed.skipped:
            assert not told[ward]
            assert len(missed.told) + len(behind[ward]) > most
        else:
            assert told[ward] == behind[ward]
