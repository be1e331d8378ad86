"""What the stream reads: alert events behind a position, the present state, the vitals that a message named."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from operator import attrgetter, or_
from typing import Any

from django.db.models import OuterRef, Prefetch, Q, Subquery, prefetch_related_objects

from accounts.models import Ward
from monitoring import sql
from monitoring.api.representations import alerts as alert_form
from monitoring.models import Alert, AlertEvent
from monitoring.realtime import Vitals
from monitoring.stream import telling
from monitoring.stream.choice import EVERYTHING, Choice
from monitoring.stream.cursors import START, BadCursor, Position
from monitoring.stream.telling import Present, Readings, Told


@dataclass(frozen=True, slots=True)
class Missed:
    """Where somebody is, where the last event is, and what lies between; of the wards that are skipped there was too much."""

    positions: dict[int, Position]
    last: dict[int, Position]
    told: list[Told]
    skipped: set[int]


def newest(wards: Collection[int]) -> dict[int, Position]:
    """The last alert event of each ward: everything before it is committed, whatever comes is behind it."""
    events = AlertEvent.objects.filter(ward=OuterRef("pk")).order_by("-number", "-pk")
    found = Ward.objects.filter(pk__in=wards).annotate(
        last=Subquery(events.values("pk")[:1]), last_number=Subquery(events.values("number")[:1])
    )
    rows = found.values_list("pk", "last_number", "last")
    return {ward: START if last is None else (number, last) for ward, number, last in rows}


def missed(positions: Mapping[int, Position], wards: Collection[int], *, most: int, choice: Choice) -> Missed:
    """What somebody who hears these wards has not been told, from these positions on; a ward without one begins now.

    Of a ward all of it or nothing, so that what is skipped can be named; no more than `most` together.
    """
    last = newest(wards)
    known = {ward: position for ward, position in positions.items() if ward in last}
    fitting = dict(known)
    while len(events := _behind(fitting, most=most + 1, choice=choice)) > most:
        del fitting[events[-1].ward_id]  # the one for which those before it leave no room
    return Missed(last | known, last, _ready(events), known.keys() - fitting.keys())


def after(positions: Mapping[int, Position], *, most: int) -> list[Told]:
    """The alert events behind these positions, ready to be told: each ward's in its order. No more than `most`."""
    return _ready(_behind(positions, most=most, choice=EVERYTHING))


def _behind(positions: Mapping[int, Position], *, most: int, choice: Choice) -> list[AlertEvent]:
    """The first of those that were chosen, ward by ward."""
    if not positions:
        return []
    behind = [
        Q(ward=ward, number__gt=number) | Q(ward=ward, number=number, pk__gt=pk) for ward, (number, pk) in positions.items()
    ]
    rows = AlertEvent.objects.filter(reduce(or_, behind)).order_by("ward", "number", "pk")
    if not choice.is_everything:
        rows = rows.filter(Q(ward__in=choice.wards) | Q(alert__patient__in=choice.patients))
    return list(rows[:most])


def _ready(by_ward: Iterable[AlertEvent]) -> list[Told]:
    events = _in_order(by_ward)
    # Not joined: many events are of few alerts.
    prefetch_related_objects(events, "ward", "by", Prefetch("alert", Alert.objects.select_related(*alert_form.RELATED)))
    return telling.of_events(events)


def _in_order(events: Iterable[AlertEvent]) -> list[AlertEvent]:
    """As they were written, as far as that goes; never against the numbers of a ward."""
    by_ward = [list(rows) for _, rows in groupby(events, key=attrgetter("ward_id"))]
    return list(heapq.merge(*by_ward, key=attrgetter("pk")))


def believe(positions: Mapping[str, Position], wards: Mapping[int, str]) -> dict[int, Position]:
    """Of these positions, by slug, those in the wards that one may hear, id → slug. At others nobody looks: they tell nothing.

    Raises BadCursor unless each of them is an event that happened there.
    """
    known = {ward: positions[slug] for ward, slug in wards.items() if slug in positions}
    told = {ward: position for ward, position in known.items() if position != START}
    keys = [pk for _, pk in told.values()]
    there = AlertEvent.objects.filter(pk__in=keys).values_list("ward", "number", "pk")
    if {ward: (number, pk) for ward, number, pk in there} != told:
        raise BadCursor
    return known


def present(wards: Collection[int], *, choice: Choice) -> list[Present]:
    """The chosen open alerts of each ward, the oldest first; a ward of which nothing was chosen is left out."""
    there = Ward.objects.filter(pk__in=wards if choice.takes_any_ward else {*wards} & choice.wards.keys())
    slugs = dict(there.order_by("slug").values_list("pk", "slug"))
    rows = Alert.objects.open().filter(ward__in=slugs).select_related(*alert_form.RELATED).order_by("raised_at", "pk")
    if not choice.is_everything:
        rows = rows.filter(Q(ward__in=choice.wards) | Q(patient__in=choice.patients))
    alerts = list(rows)
    found: dict[int, list[dict[str, Any]]] = {ward: [] for ward in slugs}
    for alert, form in zip(alerts, alert_form.read(alerts), strict=True):  # of all wards at once: a query less for each
        found[alert.ward_id].append(form)
    return [Present(slugs[ward], forms, choice.patients_alone(ward)) for ward, forms in found.items()]


def numbers(wards: Collection[int]) -> dict[int, int]:
    """The change number of each ward."""
    return dict(Ward.objects.filter(pk__in=wards).values_list("pk", "change_number"))


def readings(named: Mapping[int, tuple[Vitals, int]]) -> list[Readings]:
    """The vitals that messages named, and how many more each ward has: two queries and one for the wards' names."""
    rows = sql.vitals_at({key for keys, _ in named.values() for key in keys})
    prefetch_related_objects(rows, "patient")
    by_key = {(row.patient_id, row.measured_at, row.sensor_id): row for row in rows}
    slugs = dict(Ward.objects.filter(pk__in=named).values_list("pk", "slug"))
    found = []
    for ward, (keys, untold) in named.items():
        vitals = [by_key[key] for key in dict.fromkeys(keys) if key in by_key]
        found.append(Readings(ward, slugs[ward], [telling.reading(vital) for vital in vitals], untold))
    return [each for each in found if each.vitals]
