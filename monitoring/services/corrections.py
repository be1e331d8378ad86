"""What was written down wrong is put right: the old value stays, with who, when and why, and the patient is judged again.

A vital that was entered in error is kept and marked, and counts for nothing any more.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import F

from accounts import audit
from accounts.models import Deed, User
from accounts.transactions import retried
from monitoring.clinical.signs import FACTS, PRESSURES, Sign, in_order, plain
from monitoring.models import Vital, VitalChange
from monitoring.services import alerts, care, rejudging, summaries
from monitoring.services.items import PRESSURE_ORDER, Refused, value_of
from monitoring.services.rejudging import Correction

What = VitalChange.What
CORRECTABLE = (*(sign.value for sign in Sign), "consciousness", "on_oxygen", "oxygen_flow")
LABELS = {sign.value: facts.label for sign, facts in FACTS.items()} | {
    "consciousness": "consciousness",
    "on_oxygen": "on oxygen",
    "oxygen_flow": "oxygen",
}
UNITS = {sign.value: facts.unit for sign, facts in FACTS.items()} | {"oxygen_flow": "L/min"}
LONGEST_REASON = 200
LONGEST_NOTE = 200


class Stale(Exception):
    """Somebody else changed the vital since it was read; `current` is what it is."""

    def __init__(self, current: Vital) -> None:
        super().__init__(f"version {current.version}")
        self.current = current


class InError(Exception):
    """It was entered in error: there is nothing to correct."""


class Invalid(Exception):
    """Values that cannot be, each with its field."""

    def __init__(self, faults: Sequence[Refused]) -> None:
        super().__init__(", ".join(fault.field for fault in faults))
        self.faults = list(faults)


def read(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as they may be stored, by column; None for one that was not measured. Raises Invalid."""
    meant: dict[str, Any] = {}
    faults = []
    for name, value in values.items():
        try:
            if name not in CORRECTABLE:
                raise Refused("unknown_field", "This is no value that can be corrected.", name)
            meant[name] = _none(name) if value is None or value == "" else value_of(name, value)
        except Refused as fault:
            faults.append(fault)
    if faults:
        raise Invalid(faults)
    return meant


@retried
def correct(vital: Vital, values: Mapping[str, Any], *, reason: str, by: User, at: datetime, version_seen: int) -> Vital:
    """Put these values in place of those that are there; the same again changes nothing. Raises Stale, InError, Invalid.

    `values` by column, as `read` gives them. One of two who correct the same version is Stale.
    """
    was = _locked(vital)
    if was.erroneous_at:
        raise InError
    if was.version != version_seen:
        raise Stale(was)
    changed = {name: value for name, value in values.items() if value != getattr(was, name)}
    if not changed:
        return was
    became = copy.copy(was)
    for name, value in changed.items():
        setattr(became, name, value)
    _check(became, changed)
    became.version += 1
    if not Vital.objects.filter(pk=was.pk, version=version_seen).update(version=F("version") + 1, **changed):
        raise Stale(_locked(vital))
    old = {name: getattr(was, name) for name in changed}
    _keep(became, What.CORRECTED, by=by, at=at, reason=reason, was=old, became=changed)
    rejudging.judge_again(Correction(was, became, _note(old, changed, by)), by=by, at=at)
    return became


@retried
def mark_in_error(vital: Vital, *, reason: str, by: User, at: datetime, version_seen: int) -> Vital:
    """Say that it was entered in error; once said, it stays said, by whoever was first. Raises Stale."""
    was = _locked(vital)
    if was.erroneous_at:
        return was
    if not Vital.objects.filter(pk=was.pk, version=version_seen).update(version=F("version") + 1, erroneous_at=at):
        raise Stale(was)
    marked = copy.copy(was)
    marked.version, marked.erroneous_at = was.version + 1, at
    _keep(marked, What.ENTERED_IN_ERROR, by=by, at=at, reason=reason, was={}, became={})
    values = {name: getattr(was, name) for name in CORRECTABLE if getattr(was, name) not in (None, "")}
    note = ", ".join(_said(name, value) for name, value in values.items())
    rejudging.judge_again(
        Correction(was, None, f"{note or 'status'}: entered in error, says {by}"[:LONGEST_NOTE]), by=by, at=at
    )
    return marked


def changes_of(vital: Vital) -> list[VitalChange]:
    """What was changed of it, the first change first."""
    return list(VitalChange.objects.filter(vital=vital).select_related("by").order_by("version"))


def _locked(vital: Vital) -> Vital:
    """As it is now, the patient being locked, as for every write of his vitals."""
    alerts.lock({vital.patient_id})
    return Vital.objects.select_related("device", "patient").get(pk=vital.pk)


def _check(row: Vital, changed: Mapping[str, Any]) -> None:
    faults = []
    if not in_order({sign: getattr(row, sign) for sign in PRESSURES}):
        faults = [Refused("pressure_order", PRESSURE_ORDER, sign.value) for sign in PRESSURES if sign in changed]
    if not row.status and all(getattr(row, name) in (None, "") for name in CORRECTABLE):
        faults.append(Refused("no_values", "Nothing would be left: mark it as entered in error.", next(iter(changed))))
    if faults:
        raise Invalid(faults)


def _keep(row: Vital, what: VitalChange.What, *, by: User, at: datetime, reason: str, **values: dict[str, Any]) -> None:
    summaries.touch([row], now=at)
    VitalChange.objects.create(vital=row, version=row.version, what=what, by=by, at=at, reason=reason, **values)
    deed = Deed.CORRECTED if what == What.CORRECTED else Deed.ENTERED_IN_ERROR
    patient, ward = row.patient, care.ward_of(row.patient)
    detail = {"version": row.version} | values
    audit.record(deed, by=by, at=at, patient=patient.patient_id, ward=ward, about=f"vital:{row.pk}", detail=detail)


def _note(was: Mapping[str, Any], became: Mapping[str, Any], by: User) -> str:
    """`SpO₂ 48 → 84 %, corrected by Dora`."""
    told = [f"{LABELS[name]} {_plain(was[name])} → {_plain(became[name])} {UNITS.get(name, '')}".rstrip() for name in became]
    return f"{', '.join(told)}, corrected by {by}"[:LONGEST_NOTE]


def _said(name: str, value: Any) -> str:
    return f"{LABELS[name]} {_plain(value)} {UNITS.get(name, '')}".rstrip()


def _plain(value: Any) -> str:
    if value in (None, ""):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return plain(value) if isinstance(value, float) else str(value)


def _none(name: str) -> str | None:
    return "" if name == "consciousness" else None
