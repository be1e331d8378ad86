"""Limits: which are in force, and the one way in which they change, with who, when, from what to what and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from django.db.models import Max, Q, QuerySet

from accounts import audit
from accounts.models import Deed, User, Ward
from accounts.transactions import retried
from monitoring import realtime
from monitoring.clinical import night
from monitoring.clinical.limits import Limits
from monitoring.clinical.overrides import FIELDS, SIDES, Override
from monitoring.clinical.signs import Sign
from monitoring.models import Patient, Placement, Threshold, ThresholdChange, WardNight
from monitoring.models.threshold import Part, scope_of
from monitoring.services import care, layers, refusals
from monitoring.services.layers import Place, Scope, Standing
from monitoring.services.refusals import Fault, Key

What = ThresholdChange.What
Hours = tuple[time, time]  # when a night begins and ends, by the clock on the wall


class Stale(Exception):
    """Somebody else changed these limits since they were read."""


def in_force(places: Collection[Place], *, now: datetime) -> dict[Place, Mapping[Sign, Limits]]:
    """The limits of each patient in each ward, every sign given; two queries however many."""
    return {place: found.limits() for place, found in layers.gather(places, now=now).items()}


def sources(places: Collection[Place], *, now: datetime) -> dict[Place, dict[Sign, Standing]]:
    """The limits of each place with where they come from; two queries however many."""
    return {place: found.standings() for place, found in layers.gather(places, now=now).items()}


def version(scope: Scope) -> int:
    """Moves with every change in this scope, and never comes back; 0 before the first."""
    newest = ThresholdChange.objects.filter(scope_key=scope.key).aggregate(newest=Max("pk"))
    return newest["newest"] or 0


@retried
def put(scope: Scope, key: Key, override: Override, *, by: User | None, at: datetime) -> None:
    """Set the limits of one sign in one scope. Raises Refused."""
    _change(scope, {key: override}, by=by, at=at)


@retried
def remove(scope: Scope, key: Key, *, by: User | None, at: datetime) -> None:
    """Take an override out: the wider limits are in force again."""
    _change(scope, {key: None}, by=by, at=at)


@retried
def change(
    scope: Scope,
    wanted: Mapping[Key, Override | None],
    *,
    by: User | None,
    at: datetime,
    seen: Mapping[Key, int] | None = None,
) -> None:
    """Set some signs of a scope and take out others (None). `seen` are the rows' versions as they were read, 0 for none.

    Raises Stale, Refused.
    """
    _change(scope, wanted, by=by, at=at, seen=seen)


@retried
def replace_all(scope: Scope, wanted: Mapping[Key, Override], *, by: User | None, at: datetime, version_seen: int) -> None:
    """All overrides of a scope: what is not wanted is taken out. Raises Stale, Refused."""
    hold(scope)
    if version(scope) != version_seen:
        raise Stale
    _close(Threshold.objects.filter(scope_key=scope.key, expires_at__lte=at), What.EXPIRED, by=None, at=at)
    stored = Threshold.objects.filter(scope_key=scope.key).values_list("sign", "part")
    out = {(Sign(sign), Part(part)): None for sign, part in stored}
    _change(scope, {**out, **wanted}, by=by, at=at)


@retried
def replace_ward(
    ward: Ward, wanted: Mapping[Key, Override], hours: Hours | None, *, by: User | None, at: datetime, version_seen: int
) -> None:
    """All overrides of a ward, and its night, in one. Raises Stale, Refused."""
    scope = Scope(ward=ward)
    hold(scope)
    if version(scope) != version_seen:
        raise Stale
    if hours:
        set_night(ward, hours, by=by, at=at)
    replace_all(scope, wanted, by=by, at=at, version_seen=version(scope))
    if not hours:
        set_night(ward, None, by=by, at=at)


@retried
def set_night(ward: Ward, hours: Hours | None, *, by: User | None, at: datetime) -> None:
    """When the ward's night is, or that it has none any more; with none, no night limits may be left. Raises Refused."""
    hold(Scope(ward=ward))
    before = WardNight.objects.filter(ward=ward).first()
    was = (before.begins, before.ends) if before else None
    if was == hours:
        return
    named = night.faults(*hours) if hours else {}
    if hours is None and Threshold.objects.filter(ward=ward, part=Part.NIGHT).exists():
        named["begins"] = "The ward has limits for the night: take them out first."
    if named:
        raise refusals.Refused([Fault(None, Part.NIGHT, field, sentence) for field, sentence in named.items()])
    if hours:
        WardNight.objects.update_or_create(ward=ward, defaults={"begins": hours[0], "ends": hours[1]})
    else:
        WardNight.objects.filter(ward=ward).delete()
    what = What.REMOVED if hours is None else What.CHANGED if was else What.MADE
    ThresholdChange.objects.create(
        at=at, by=by, what=what, scope_key=scope_of(ward_id=ward.pk), ward=ward, was=_hours(was), becomes=_hours(hours)
    )
    _write_down(Deed.NIGHT_CHANGED, Scope(ward=ward), by=by, at=at, was=_hours(was), becomes=_hours(hours))
    _tell([Scope(ward=ward)])


def expire_due(*, now: datetime) -> bool:
    """Close overrides whose time is over, visibly; they are out of force already. Says whether there were any."""
    failure, closed = None, False
    for row in Threshold.objects.filter(expires_at__lte=now).order_by("expires_at", "pk"):
        try:
            closed |= _expire(row, now=now)
        except Exception as error:  # it stands before no other, and is raised when all were tried
            failure = error
    if failure:
        raise failure
    return closed


@retried
def _expire(row: Threshold, *, now: datetime) -> bool:
    list(Patient.objects.select_for_update().filter(pk=row.patient_id or 0).values_list("pk"))
    closed = _close(Threshold.objects.filter(pk=row.pk, expires_at__lte=now), What.EXPIRED, by=None, at=now)
    _tell([Scope(each.ward, each.patient) for each in closed])
    return bool(closed)


def end_of(patient: Patient, *, by: User | None, at: datetime) -> None:
    """The stay is over, in the transaction that ends it: the patient's overrides end with it."""
    _close(Threshold.objects.filter(scope_key=scope_of(patient_id=patient.pk)), What.DISCHARGED, by=by, at=at)


def hold(scope: Scope) -> Ward | None:
    """Keep other writers of this scope waiting until commit; needs a transaction. Returns the ward whose its patient is."""
    wards = Ward.objects.select_for_update().order_by("pk")
    cares: Ward | None = None
    if scope.patient:
        list(Patient.objects.select_for_update().filter(pk=scope.patient.pk).values_list("pk"))
        cares = care.ward_of(scope.patient)
        wards = wards.filter(pk=cares.pk) if cares else wards.none()
    elif scope.ward:
        wards = wards.filter(pk=scope.ward.pk)
    list(wards.values_list("pk"))
    return cares


def _change(
    scope: Scope,
    wanted: Mapping[Key, Override | None],
    *,
    by: User | None,
    at: datetime,
    seen: Mapping[Key, int] | None = None,
) -> None:
    cares = hold(scope)
    mine = Threshold.objects.filter(scope_key=scope.key)
    _close(mine.filter(expires_at__lte=at), What.EXPIRED, by=None, at=at)
    stored = {(Sign(row.sign), Part(row.part)): row for row in mine.select_for_update()}
    for key, was in (seen or {}).items():
        if (stored[key].version if key in stored else 0) != was:
            raise Stale
    if wrong := refusals.faults(scope, wanted, by=by, now=at):
        raise refusals.Refused(wrong)
    deed = _Deed(scope, cares, by, at)
    done = {key: what for key, override in wanted.items() if (what := deed.set(key, stored.get(key), override))}
    if done:
        signs = {f"{sign} {part}".strip(): what for (sign, part), what in done.items()}
        _write_down(Deed.LIMITS_CHANGED, Scope(scope.ward or cares, scope.patient), by=by, at=at, signs=signs)
    _tell([scope])


@dataclass(frozen=True, slots=True)
class _Deed:
    """Somebody changes the limits of a scope: every row goes with its line of history."""

    scope: Scope
    cares: Ward | None
    by: User | None
    at: datetime

    def set(self, key: Key, row: Threshold | None, override: Override | None) -> What | None:
        """What this came to, if it changed anything."""
        if override is None:
            closed = row and _close(Threshold.objects.filter(pk=row.pk), What.REMOVED, by=self.by, at=self.at)
            return What.REMOVED if closed else None
        if row is None:
            return self._write(key, Threshold(version=0), override, What.MADE, was=None)
        if row.override != override:
            return self._write(key, row, override, What.CHANGED, was=row.override)
        if self.cares and row.set_in_id != self.cares.pk:
            return self._write(key, row, override, What.CONFIRMED, was=override)
        return None

    def _write(self, key: Key, row: Threshold, override: Override, what: What, *, was: Override | None) -> What:
        for name in FIELDS:
            setattr(row, name, getattr(override, name))
        row.scope_key, row.ward, row.patient = self.scope.key, self.scope.ward, self.scope.patient
        row.sign, row.part = key
        row.set_in, row.set_by, row.set_at = self.cares, self.by, self.at
        row.version += 1
        row.save()
        _record(row, what, by=self.by, at=self.at, was=was, becomes=override)
        return what


def _close(rows: QuerySet[Threshold], what: What, *, by: User | None, at: datetime) -> list[Threshold]:
    """Take overrides out, each with its line of history; what another writer closed first is not told twice."""
    closed = []
    for row in rows.select_related("ward", "patient"):
        taken, _ = Threshold.objects.filter(pk=row.pk, version=row.version).delete()
        if taken:
            _record(row, what, by=by, at=at, was=row.override, becomes=None)
            closed.append(row)
    return closed


def _record(
    row: Threshold, what: What, *, by: User | None, at: datetime, was: Override | None, becomes: Override | None
) -> None:
    ThresholdChange.objects.create(
        at=at,
        by=by,
        what=what,
        scope_key=row.scope_key,
        ward=row.ward,
        patient=row.patient,
        part=row.part,
        sign=row.sign,
        was=_told(was),
        becomes=_told(becomes),
        reason=row.reason,
    )


def _write_down(deed: Deed, scope: Scope, *, by: User | None, at: datetime, **detail: Any) -> None:
    """In the audit: who, and which; the history of the limits says from what to what, and why."""
    patient = scope.patient.patient_id if scope.patient else ""
    about = f"limits:{patient or (scope.ward.slug if scope.ward else 'hospital')}"
    audit.record(deed, by=by, at=at, patient=patient, ward=scope.ward, about=about, detail=detail)


def _told(override: Override | None) -> dict[str, Any] | None:
    """An override as the history keeps it: what was said, without what was left empty but the four sides."""
    if override is None:
        return None
    said = {name: getattr(override, name) for name in FIELDS}
    said["expires_at"] = override.expires_at and override.expires_at.isoformat()
    return {name: value for name, value in said.items() if name in SIDES or value not in (None, "")}


def _hours(hours: Hours | None) -> dict[str, str] | None:
    return {"begins": f"{hours[0]:%H:%M}", "ends": f"{hours[1]:%H:%M}"} if hours else None


def _tell(scopes: Collection[Scope]) -> None:
    """The boards of the beds concerned draw them anew."""
    lying = Placement.objects.filter(is_open=True)
    if all(scope.ward or scope.patient for scope in scopes):
        patients = [scope.patient.pk for scope in scopes if scope.patient]
        wards = [scope.ward.pk for scope in scopes if scope.ward]
        lying = lying.filter(Q(admission__patient__in=patients) | Q(bed__ward__in=wards))
    beds: dict[int, set[int]] = {}
    for ward_id, bed_id in lying.values_list("bed__ward", "bed"):
        beds.setdefault(ward_id, set()).add(bed_id)
    realtime.beds_changed(dict(sorted(beds.items())))
