"""The limits of a place in layers: shipped for the age, hospital, ward, the ward's night, patient; the narrowest holds."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import IntEnum, StrEnum

from django.db.models import Q
from django.utils import timezone

from accounts.models import Ward
from monitoring.clinical.bands import Bound, Defaults, bound, defaults, farthest
from monitoring.clinical.limits import Limits
from monitoring.clinical.night import is_night
from monitoring.clinical.overrides import Override, switched_off
from monitoring.clinical.signs import Sign
from monitoring.models import Patient, Threshold, WardNight
from monitoring.models.threshold import HOSPITAL, Part, scope_of

Place = tuple[int, int]  # patient id, ward id; 0 is no patient, no ward


class Level(IntEnum):
    """Wide to narrow."""

    HOSPITAL = 0
    WARD = 1
    NIGHT = 2
    PATIENT = 3


class Source(StrEnum):
    """Who says what the limits are."""

    DEFAULT = "default"
    HOSPITAL = "hospital"
    WARD = "ward"
    PATIENT = "patient"


_SOURCES = {
    Level.HOSPITAL: Source.HOSPITAL,
    Level.WARD: Source.WARD,
    Level.NIGHT: Source.WARD,
    Level.PATIENT: Source.PATIENT,
}


@dataclass(frozen=True, slots=True)
class Scope:
    """For whom limits are set: a patient, a ward, or (neither) the hospital."""

    ward: Ward | None = None
    patient: Patient | None = None

    @property
    def key(self) -> str:
        return scope_of(ward_id=self.ward.pk if self.ward else None, patient_id=self.patient.pk if self.patient else None)

    def level(self, part: str = Part.ALWAYS) -> Level:
        if self.patient:
            return Level.PATIENT
        if self.ward:
            return Level.NIGHT if part == Part.NIGHT else Level.WARD
        return Level.HOSPITAL


@dataclass(frozen=True, slots=True)
class Standing:
    """The limits of one sign as they are in force, and where they come from."""

    limits: Limits
    source: Source
    night: bool = False
    off: tuple[str, ...] = ()  # the sides that the shipped limits have and these have not
    set_on: str = ""  # the ward in which they were set for the patient, who lies in another one by now: to be confirmed
    row: Threshold | None = None


@dataclass(frozen=True, slots=True)
class Layers:
    """What is known of one place: the shipped limits and the overrides in force, wide to narrow."""

    ward_id: int
    shipped: Defaults
    rows: tuple[Threshold, ...] = ()

    def beneath(self, level: Level) -> Layers:
        """What an override of that level stands in for."""
        return replace(self, rows=tuple(row for row in self.rows if level_of(row) < level))

    def limits(self) -> Mapping[Sign, Limits]:
        if not self.rows:
            return self.shipped.limits
        return {**self.shipped.limits, **{Sign(row.sign): self._over(row) for row in self.rows}}

    def with_limits(self, scope: Scope, wanted: Mapping[tuple[Sign, Part], Override | None], *, night: bool) -> Layers:
        """As if these overrides (None: taken out) were set in this scope."""
        if scope.key == HOSPITAL and not self.shipped.is_adult:
            return self
        kept = [row for row in self.rows if row.scope_key != scope.key or (row.sign, row.part) not in wanted]
        new = [
            Threshold(scope_key=scope.key, ward=scope.ward, patient=scope.patient, sign=sign, part=part, **asdict(override))
            for (sign, part), override in wanted.items()
            if override and (night or part != Part.NIGHT)
        ]
        return replace(self, rows=tuple(sorted([*kept, *new], key=level_of)))

    def standings(self) -> dict[Sign, Standing]:
        found = {sign: Standing(limits, Source.DEFAULT) for sign, limits in self.shipped.limits.items()}
        for row in self.rows:
            found[Sign(row.sign)] = self._standing(row)
        return found

    def bound(self, sign: Sign) -> Bound:
        """How far out a critical limit of the patient may lie.

        As the hospital says, else as shipped, and a ward only makes it tighter. The hospital does not speak of children:
        theirs is the ward's, else the shipped one of the age.
        """
        found = bound(sign, self.shipped.limits[sign])
        for row in self.rows:
            if row.sign == sign:
                own = Bound(row.bound_low, row.bound_high)
                is_tied = self.shipped.is_adult and level_of(row) is not Level.HOSPITAL
                found = own.within(found) if is_tied else own.over(found)
        return found

    def outermost(self, sign: Sign) -> Bound:
        """How far out a ward may put its bound: as the hospital says, else the farthest that is shipped for any age."""
        found = farthest(sign)
        for row in self.rows:
            if row.sign == sign and level_of(row) is Level.HOSPITAL:
                found = Bound(row.bound_low, row.bound_high).over(found)
        return found

    def _over(self, row: Threshold) -> Limits:
        return row.override.over(self.shipped.limits[Sign(row.sign)])

    def _standing(self, row: Threshold) -> Standing:
        limits, level = self._over(row), level_of(row)
        moved = level is Level.PATIENT and row.set_in is not None and self.ward_id not in (0, row.set_in.pk)
        return Standing(
            limits=limits,
            source=_SOURCES[level],
            night=level is Level.NIGHT,
            off=switched_off(limits, self.shipped.limits[Sign(row.sign)]),
            set_on=str(row.set_in) if moved else "",
            row=row,
        )


def level_of(row: Threshold) -> Level:
    if row.patient_id:
        return Level.PATIENT
    if row.ward_id:
        return Level.NIGHT if row.part == Part.NIGHT else Level.WARD
    return Level.HOSPITAL


def gather(
    places: Collection[Place], *, now: datetime, night: bool | None = None, patient: Patient | None = None
) -> dict[Place, Layers]:
    """The layers of each place as they are now; two queries however many. What has expired is not in them.

    `night`: as they are in the ward's night, or by its day, whatever the time is now. `patient`: the one whose places these
    are, where he is known already, which saves a query.
    """
    people = Patient.objects.filter(pk__in={patient for patient, _ in places})
    born = {patient.pk: patient.birth_date} if patient else dict(people.values_list("pk", "birth_date"))
    local = timezone.localtime(now, timezone.get_default_timezone())
    stored = _stored(places, now=now)
    wards = [row.ward for rows in stored.values() for row in rows if row.ward]
    nights = {ward.pk for ward in wards if (_has_night(ward, local) if night is None else night)}
    found = {}
    for patient_id, ward_id in places:
        shipped = defaults(born.get(patient_id), on=local.date())
        rows = [row for scope in _scopes(patient_id, ward_id, shipped) for row in stored.get(scope, ())]
        holding = [row for row in rows if row.part != Part.NIGHT or row.ward_id in nights]
        found[patient_id, ward_id] = Layers(ward_id, shipped, tuple(sorted(holding, key=level_of)))
    return found


def _stored(places: Collection[Place], *, now: datetime) -> dict[str, list[Threshold]]:
    scopes = {HOSPITAL}
    for patient_id, ward_id in places:
        scopes |= {scope_of(patient_id=patient_id), scope_of(ward_id=ward_id)}
    rows = Threshold.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), scope_key__in=scopes)
    stored: dict[str, list[Threshold]] = {}
    for row in rows.select_related("ward__night", "set_in", "set_by"):
        stored.setdefault(row.scope_key, []).append(row)
    return stored


def _scopes(patient_id: int, ward_id: int, shipped: Defaults) -> set[str]:
    """A hospital's limits are those of its adults: a child keeps those of its age, until its ward or its own say otherwise."""
    scopes = {HOSPITAL} if shipped.is_adult else set()
    if ward_id:
        scopes.add(scope_of(ward_id=ward_id))
    return scopes | {scope_of(patient_id=patient_id)} if patient_id else scopes


def _has_night(ward: Ward, local: datetime) -> bool:
    night: WardNight | None = getattr(ward, "night", None)
    return night is not None and is_night(local, begins=night.begins, ends=night.ends)


def of_night(ward: Ward, found: Layers, *, now: datetime) -> Iterator[tuple[Sign, Standing]]:
    """The limits that the ward has for its night, by night and by day."""
    rows = Threshold.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), ward=ward, part=Part.NIGHT)
    night = replace(found, rows=tuple(rows.select_related("set_in", "set_by")))
    return ((sign, standing) for sign, standing in night.standings().items() if standing.night)


def ward_of(patient: Patient) -> Ward | None:
    """Where the patient lies now."""
    return Ward.objects.filter(beds__placements__admission__patient=patient, beds__placements__is_open=True).first()


def place_of(scope: Scope) -> Place:
    """The place whose limits a scope changes: where its patient lies now, its ward, or no place in particular."""
    ward = ward_of(scope.patient) if scope.patient else scope.ward
    return (scope.patient.pk if scope.patient else 0, ward.pk if ward else 0)


def replaced_by(scope: Scope, *, now: datetime) -> Layers:
    """What holds where this scope says nothing."""
    place = place_of(scope)
    return gather([place], now=now)[place].beneath(scope.level())
