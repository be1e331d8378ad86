"""Single values that a person, or a program, writes down by hand: stored, judged and told in one transaction."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from accounts import audit
from accounts.access import Permission
from accounts.fields import SENSOR_ID
from accounts.models import Deed, ServiceToken, User
from accounts.transactions import retried
from monitoring.clinical.alarm import LIVE_WINDOW
from monitoring.clinical.signs import Sign
from monitoring.clinical.silence import BY_HAND, PERSON
from monitoring.models import Patient, Vital
from monitoring.services import alerts, binding, care, merging
from monitoring.services.items import SIGNS, Item, Refused, check_time, value_of

LONGEST_SENSOR = 64
MOST_TRIES = 20  # of one time, each of which but the last was entered in error
LONGEST_FIRST = LONGEST_SENSOR - len(":19")


class NotAllowed(Exception):
    """Only who writes vitals down in the ward where the patient lies, or lay last."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One value as it was written down. `sensor_id`: what it was read from, if that was said."""

    vital_type: str
    value: float
    recorded_at: datetime
    sensor_id: str | None = None


def sensor_of(by: User | ServiceToken, sensor: str | None, *of: str) -> str:
    """`manual:@noor:HR`, `cuff-1:@noor:SBP`: what people and programs write down has sensors of its own.

    No device's sensor has an `@` in its name, so that nobody's entry meets a device's reading or ends what it began.
    """
    who = f"{_fit(by.name)}#{by.pk}" if isinstance(by, ServiceToken) else by.login
    name = ":".join((sensor or BY_HAND, f"{PERSON}{who}", *of))
    if len(name) <= LONGEST_FIRST:
        return name
    digest = blake2b(name.encode(), digest_size=8).hexdigest()
    return f"{name[: LONGEST_FIRST - len(PERSON) - len(digest)]}{PERSON}{digest}"


def sensor_by_device(device: str, vital_type: str) -> str:
    """`manual:M7:HR`: of a device that sends a value with its type and names no sensor."""
    sensor = f"{BY_HAND}:{_fit(device)[: LONGEST_SENSOR - len('manual::') - max(map(len, SIGNS))]}:{vital_type}"
    assert SENSOR_ID.fullmatch(sensor)
    return sensor


def _fit(name: str) -> str:
    """In the letters that a sensor's name may have."""
    return re.sub(r"[^A-Za-z0-9._:/-]", "-", name)


@retried
def write_down(patient: Patient, entry: Entry, *, by: User | ServiceToken, at: datetime) -> Vital:
    """Store one value of the stay that the patient was in when it was measured, and have it judged: no delay, never missed.

    The same value again is the row that is there, also after it was corrected or marked as entered in error; beside the
    latter another value has a place. Raises NotAllowed, and Refused with `not_admitted`, `conflict`,
    `future_timestamp`, `too_old`, `out_of_range`.
    """
    if not care.may(by, patient, Permission.RECORD):
        raise NotAllowed
    sign = SIGNS[entry.vital_type]
    value = value_of(sign.value, entry.value)
    _check_time(entry.recorded_at, at)
    alerts.lock({patient.pk})
    placement = binding.placement_at(patient, entry.recorded_at)
    if placement is None:
        raise Refused("not_admitted", "The patient had no bed at that time.", "patient_id")
    names = _names(sensor_of(by, entry.sensor_id, entry.vital_type))
    there = _there(patient, entry, [*names, *_former_names(entry, by)])
    known = _known(there, sign, value)
    if known:
        return known
    taken = {row.sensor_id for row in there}
    sensor = next((name for name in names if name not in taken), None)
    if sensor is None or any(sign in row.values and not row.erroneous_at for row in there):
        raise Refused("conflict", "Another value is stored for this sensor and time; it stays: correct it.", "value")
    vital = Vital(
        patient=patient,
        admission_id=placement.admission_id,
        sensor_id=sensor,
        measured_at=entry.recorded_at,
        received_at=at,
        late=at - entry.recorded_at > LIVE_WINDOW,
        **{sign.value: value},
    )
    vital.save()  # which has it judged
    detail = {"vital_type": entry.vital_type, "value": value}
    about, ward = f"vital:{vital.pk}", placement.bed.ward
    audit.record(Deed.WRITTEN_DOWN, by=by, at=at, patient=patient.patient_id, ward=ward, about=about, detail=detail)
    return vital


def _check_time(recorded_at: datetime, at: datetime) -> None:
    item = Item(0, "", measured_at=recorded_at)
    check_time(item, now=at)
    if item.address_refused:
        (refusal,) = item.refused
        raise Refused(refusal.code, refusal.detail, "recorded_at")


def _there(patient: Patient, entry: Entry, names: Sequence[str]) -> list[Vital]:
    """What was written down before under these names for this time; what counts comes first."""
    rows = Vital.objects.filter(patient=patient, measured_at=entry.recorded_at, sensor_id__in=names, device=None)
    return sorted(rows, key=lambda row: row.erroneous_at is not None)


def _known(rows: Sequence[Vital], sign: Sign, value: float) -> Vital | None:
    """The row that says this value, or said it before somebody put it right."""
    former = merging.former_values(rows)
    return next((row for row in rows if value in (getattr(row, sign), *former.get(row.pk, {}).get(sign, ()))), None)


def _former_names(entry: Entry, by: User | ServiceToken) -> list[str]:
    """Where the same value lies if it was written down when people's sensors were named as devices' are."""
    who = by.name if isinstance(by, ServiceToken) else by.login
    return [entry.sensor_id] if entry.sensor_id else _names(sensor_by_device(who, entry.vital_type))


def _names(first: str) -> list[str]:
    return [first, *(f"{first[:LONGEST_FIRST]}:{n}" for n in range(2, MOST_TRIES))]
