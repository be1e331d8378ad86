"""What given limits would have called for on the vitals that are stored: a dry run beside the limits in force. Only reads.

The limits in force are those of now, as if they had held all the time. Two runs of the alarm rule take a while, so what is
looked at has a budget, and the answer says how much of the question it covers.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from django.utils import timezone

from accounts.access import Permission, permissions
from accounts.models import Device, User, Ward
from monitoring.clinical.limits import Limits
from monitoring.clinical.night import is_night
from monitoring.clinical.overrides import Override
from monitoring.clinical.preview import Comparison, Count, LimitsAt, Lost, Run, compare
from monitoring.clinical.signs import Sign
from monitoring.models import Patient, Placement, Vital, WardNight
from monitoring.services import care, layers, refusals
from monitoring.services.cases import OBSERVED, observations_of, reading_of
from monitoring.services.layers import Layers, Place, Scope
from monitoring.services.refusals import Key

LONGEST = 72  # hours
BUDGET = 50_000  # readings, each judged twice; the rule alone takes some 3,000 a second (docs/limits.md)
LEAD = timedelta(minutes=30)  # before the time that counts, so that sensors stand where they stood
SPANS = (1, 2, 3, 6, 12, 24, 48, LONGEST)  # hours, of which the longest that the budget allows is looked at
COLUMNS = ("device", "sensor_id", "measured_at", "received_at", *Sign, *OBSERVED, "status")

Wanted = Mapping[Key, Override | None]  # None: taken out
_turn = threading.Lock()


class NotAdmitted(Exception):
    """The patient lies in no bed: no limits hold for him."""


class Busy(Exception):
    """This process is at a dry run already: a second one would take its time from what comes in."""


@dataclass(frozen=True, slots=True)
class Stay:
    """A patient's time in the ward, of which `now` may be a part."""

    patient: Patient
    admission_id: int
    place: Place
    bed: str
    begun: datetime
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class LostCall:
    patient_id: str
    bed: str
    lost: Lost


@dataclass
class Preview:
    """What both limits call for from `since` until `until`, and how much of what was asked could be looked at."""

    since: datetime
    until: datetime
    hours: int
    hours_asked: int
    patients_asked: int
    declared: frozenset[int] = frozenset()  # devices declared as continuous
    patients: int = 0
    readings: int = 0
    present: Counter[Count] = field(default_factory=Counter)
    proposed: Counter[Count] = field(default_factory=Counter)
    comparison: Comparison = field(default_factory=Comparison)
    lost_critical: list[LostCall] = field(default_factory=list)


def may_ask(user: User, subject: Patient | Ward) -> bool:
    """The staff of the ward, who answer its alerts; who only looks on may not keep the server at work."""
    if isinstance(subject, Patient):
        return care.may(user, subject, Permission.ACKNOWLEDGE)
    return Permission.ACKNOWLEDGE in permissions(user, subject)


def faults(scope: Scope, wanted: Wanted, *, now: datetime) -> list[refusals.Fault]:
    """What is wrong with the proposed limits; nobody has to give a reason, or be a doctor, for what is not set."""
    return [fault for fault in refusals.faults(scope, wanted, by=None, now=now) if fault.field != "reason"]


def ask(subject: Patient | Ward, scope: Scope, wanted: Wanted, *, hours: int, now: datetime) -> Preview:
    """What these overrides of a scope would have called for in the last hours (1 to 72) of a patient or a ward.

    Writes nothing and locks no row. Raises NotAdmitted, Busy.
    """
    stays = _stay_of(subject) if isinstance(subject, Patient) else _stays_in(subject, now - timedelta(hours=hours), now)
    if not _turn.acquire(blocking=False):
        raise Busy
    try:
        looked_at = _affordable({stay.patient.pk for stay in stays}, hours=hours, now=now)
        since = now - timedelta(hours=looked_at)
        declared = frozenset(Device.objects.filter(is_continuous=True).values_list("pk", flat=True))
        preview = Preview(since, now, looked_at, hours, len(stays), declared)
        limits = _Limits.of(stays, scope, wanted, now=now)
        for stay in stays:
            if preview.readings >= BUDGET:
                break
            _look_at(stay, limits, preview)
    finally:
        _turn.release()
    return preview


def _stay_of(patient: Patient) -> list[Stay]:
    """The present stay, wherever its beds were: judged as where the patient lies now."""
    open_now = Placement.objects.filter(admission__patient=patient, is_open=True).select_related("admission", "bed")
    found = open_now.first()
    if found is None:
        raise NotAdmitted
    admission, place = found.admission, (patient.pk, found.bed.ward_id)
    return [Stay(patient, admission.pk, place, found.bed.name, admission.admitted_at, None)]


def _stays_in(ward: Ward, since: datetime, now: datetime) -> list[Stay]:
    """Who lay in the ward in this time, also those who have left, in the order of its beds."""
    placements = Placement.objects.filter(bed__ward=ward, started_at__lte=now).exclude(ended_at__lte=since)
    found: dict[int, Stay] = {}
    for row in placements.select_related("admission__patient", "bed").order_by("started_at", "pk"):
        begun = min(row.started_at, found[row.admission_id].begun) if row.admission_id in found else row.started_at
        patient = row.admission.patient
        found[row.admission_id] = Stay(patient, row.admission_id, (patient.pk, ward.pk), row.bed.name, begun, row.ended_at)
    return sorted(found.values(), key=lambda stay: (stay.ended is not None, stay.bed))


def _affordable(patients: Collection[int], *, hours: int, now: datetime) -> int:
    """The longest time, up to these hours, in which the patients have no more readings than the budget; an hour at least."""
    fits, newer, counted = 1, now, 0
    for span in sorted({*(span for span in SPANS if span < hours), hours}):
        older = now - timedelta(hours=span) - LEAD
        counted += Vital.objects.standing().filter(patient__in=patients, measured_at__gt=older, measured_at__lte=newer).count()
        if counted > BUDGET:
            break
        fits, newer = span, older
    return fits


@dataclass(frozen=True, slots=True)
class _Limits:
    """The limits of each place by day and by night, as they are and as they are proposed."""

    day: Mapping[Place, Layers]
    night: Mapping[Place, Layers]
    nights: Mapping[int, WardNight]
    scope: Scope
    wanted: Wanted

    @classmethod
    def of(cls, stays: Collection[Stay], scope: Scope, wanted: Wanted, *, now: datetime) -> _Limits:
        places = {stay.place for stay in stays}
        day, night = (layers.gather(places, now=now, night=night) for night in (False, True))
        nights = WardNight.objects.in_bulk({ward for _, ward in places})
        return cls(day, night, nights, scope, wanted)

    def present(self, place: Place) -> LimitsAt:
        return self._by_time(place, self.day[place].limits(), self.night[place].limits())

    def proposed(self, place: Place) -> LimitsAt:
        day = self.day[place].with_limits(self.scope, self.wanted, night=False)
        night = self.night[place].with_limits(self.scope, self.wanted, night=True)
        return self._by_time(place, day.limits(), night.limits())

    def _by_time(self, place: Place, day: Mapping[Sign, Limits], night: Mapping[Sign, Limits]) -> LimitsAt:
        hours = self.nights.get(place[1])
        if hours is None or day == night:
            return lambda now: day
        begins, ends, zone = hours.begins, hours.ends, timezone.get_default_timezone()
        return lambda now: night if is_night(now.astimezone(zone), begins=begins, ends=ends) else day


def _look_at(stay: Stay, limits: _Limits, preview: Preview) -> None:
    """Both runs over one patient's readings, as they arrived; one query."""
    patient = observations_of(stay.patient, now=preview.until)
    present = Run(limits.present(stay.place), preview.since, patient)
    proposed = Run(limits.proposed(stay.place), preview.since, patient)
    for received_at, rows in groupby(_arrivals(stay, preview), key=_received):
        closed = stay.ended is not None and received_at >= stay.ended
        readings = [reading_of(vital, closed=closed, declared=vital.device_id in preview.declared) for vital in rows]
        preview.readings += len(readings)
        for course in (present, proposed):
            course.hear(readings, now=received_at)
    for course in (present, proposed):
        course.pass_time(stay.ended or preview.until)
    found = compare(present.spells, proposed.spells, since=preview.since)
    preview.patients += 1
    preview.present += present.counts
    preview.proposed += proposed.counts
    preview.comparison.add(found)
    preview.lost_critical += [LostCall(stay.patient.patient_id, stay.bed, lost) for lost in found.lost_critical]


def _arrivals(stay: Stay, preview: Preview) -> Iterator[Vital]:
    """The readings of the stay in the order in which they arrived, a few thousand at a time."""
    begin, end = max(stay.begun, preview.since - LEAD), min(stay.ended or preview.until, preview.until)
    rows = Vital.objects.standing().filter(patient=stay.patient, admission=stay.admission_id, measured_at__lte=end)
    rows = rows.filter(measured_at__gte=begin, received_at__lte=preview.until)
    rows = rows.only(*COLUMNS)
    return rows.order_by("received_at", "measured_at", "sensor_id").iterator(chunk_size=2_000)


def _received(vital: Vital) -> datetime:
    return vital.received_at
