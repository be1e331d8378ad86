"""Which limits may be set, and by whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from accounts.access import Permission
from accounts.models import User
from monitoring.clinical import overrides
from monitoring.clinical.bands import Bound
from monitoring.clinical.limits import Limits
from monitoring.clinical.overrides import Override, switched_off
from monitoring.clinical.signs import Sign
from monitoring.models import Threshold, WardNight
from monitoring.models.threshold import Part
from monitoring.services import care, layers
from monitoring.services.layers import Layers, Level, Scope

Key = tuple[Sign, Part]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a wanted override, at which field."""

    sign: Sign | None
    part: Part
    field: str
    sentence: str


class Refused(Exception):
    """The limits contradict themselves or what is allowed; nothing was changed."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(fault.sentence for fault in faults))
        self.faults = faults


def may_set(user: User, scope: Scope) -> bool:
    """Hospital and wards are an administrator's; a patient's limits who may set limits in the ward whose patient he is."""
    return _may(user, scope, Permission.SET_LIMITS)


def _may(user: User, scope: Scope, permission: Permission) -> bool:
    return care.may(user, scope.patient, permission) if scope.patient else user.is_active and user.is_superuser


def faults(scope: Scope, wanted: Mapping[Key, Override | None], *, by: User | None, now: datetime) -> list[Fault]:
    """What is wrong with wanted overrides (None: taken out), field by field."""
    place = layers.place_of(scope)
    found = layers.gather([place], now=now)[place]
    stored = {(Sign(row.sign), Part(row.part)): row.override for row in Threshold.objects.filter(scope_key=scope.key)}
    trusted = by is None or _may(by, scope, Permission.SWITCH_LIMITS_OFF)
    has_night = scope.ward is not None and WardNight.objects.filter(ward=scope.ward).exists()
    told: list[Fault] = []
    for (sign, part), override in wanted.items():
        if override is None:
            continue
        wider = _wider(scope, (sign, part), wanted, found)
        bound = found.beneath(scope.level()).bound(sign) if scope.patient else Bound()
        named = overrides.faults(sign, override, wider=wider, bound=bound, now=now)
        if part == Part.NIGHT and not has_night:
            named.setdefault("part", "This ward has no night: say first when it begins and ends.")
        if scope.patient and (override.bound_low is not None or override.bound_high is not None):
            named.setdefault("bound_low", "Only a hospital or a ward bounds its patients' limits.")
        before = stored.get((sign, part))
        if scope.ward:
            outermost = found.beneath(Level.WARD).outermost(sign)
            named = overrides.bound_faults(sign, override, outermost=outermost, before=before) | named
        already = switched_off(before.over(wider), wider) if before else ()
        newly = [side for side in switched_off(override.over(wider), wider) if side not in already]
        if newly and not trusted:
            named.setdefault(newly[0], "Only a doctor of the ward may switch a limit off.")
        told += [Fault(sign, part, field, sentence) for field, sentence in named.items()]
    return told


def _wider(scope: Scope, key: Key, wanted: Mapping[Key, Override | None], found: Layers) -> Limits:
    """What an override replaces: of a night, also what the ward is given by day in the same breath."""
    sign, part = key
    by_day = wanted.get((sign, Part.ALWAYS)) if part == Part.NIGHT else None
    return by_day.over(found.shipped.limits[sign]) if by_day else found.beneath(scope.level(part)).limits()[sign]
