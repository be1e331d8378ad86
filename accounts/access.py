"""Who may do what: roles as a table that one can read aloud, deny by default. Pages, API, sockets and admin all ask here.

Which wards, patients and alerts a person may see at all is decided where every query of a person begins: `visible_to`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from itertools import product

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import EmergencyAccess, Membership, ServiceToken, User, Ward


class Role(StrEnum):
    ADMINISTRATOR = "administrator"
    DOCTOR = "doctor"
    NURSE = "nurse"
    VIEWER = "viewer"
    PATIENT = "patient"
    KIOSK = "kiosk"
    SERVICE = "service"


class Permission(StrEnum):
    WATCH = "watch the ward board"
    SEE_NAMES = "see who the patients are"
    READ_RECORD = "read a patient's record"
    READ_DOSSIER = "read a patient's history and contacts"
    CHANGE_HISTORY = "change a patient's history"
    CHANGE_CONTACTS = "change a patient's contacts"
    READ_OWN = "read his own record"
    REGISTER = "register patients"
    CHANGE_PATIENT = "change a patient's name, gender or birth date"
    ARCHIVE = "archive patients"
    ADMIT = "admit, transfer and discharge"
    ASSIGN = "assign devices to patients"
    RECORD = "write vitals down by hand"
    CORRECT = "correct vitals"
    ACKNOWLEDGE = "acknowledge alerts"
    RESOLVE = "resolve alerts"
    SILENCE = "silence alerts for a time"
    MARK_NOISE = "mark alerts as not actionable"
    SET_LIMITS = "set a patient's limits"
    SWITCH_LIMITS_OFF = "switch a patient's limit off"
    SET_SCALE = "choose the scale on which a patient's saturation is scored"
    SET_PREGNANCY = "say that a patient is pregnant, and has no NEWS2"
    EXPORT = "export vitals and alerts"
    SEE_LOAD = "see the alarm load"
    SEE_STAFF = "see who works where, and which devices there are"
    ALLOCATE = "put people on duty and allocate them to beds"
    RUN_HOSPITAL = "set the hospital's limits, wards, plans, people and devices"
    READ_AUDIT = "read who saw and changed what"
    BREAK_GLASS = "enter another ward in an emergency"
    CALL_FOR_HELP = "call for help"


LOOKS_ON = frozenset({Permission.WATCH, Permission.SEE_NAMES, Permission.READ_RECORD, Permission.SEE_STAFF})
TREATS = LOOKS_ON | {
    Permission.REGISTER,
    Permission.ADMIT,
    Permission.ASSIGN,
    Permission.RECORD,
    Permission.ACKNOWLEDGE,
    Permission.RESOLVE,
    Permission.SILENCE,
    Permission.MARK_NOISE,
    Permission.EXPORT,
    Permission.SEE_LOAD,
    Permission.ALLOCATE,
    Permission.BREAK_GLASS,
    Permission.CALL_FOR_HELP,
}
DECIDES = TREATS | {
    Permission.CHANGE_PATIENT,
    Permission.CORRECT,
    Permission.SET_LIMITS,
    Permission.SWITCH_LIMITS_OFF,
    Permission.SET_SCALE,
    Permission.SET_PREGNANCY,
}
RUNS = frozenset({Permission.ARCHIVE, Permission.RUN_HOSPITAL, Permission.READ_AUDIT})
# For who treats, and nobody by rank: an administrator reads a dossier where he works as a nurse or doctor.
KNOWS = frozenset({Permission.READ_DOSSIER, Permission.CHANGE_CONTACTS})
ROLES: dict[str, frozenset[Permission]] = {
    Role.ADMINISTRATOR: (DECIDES | RUNS) - {Permission.BREAK_GLASS},  # every ward is open to him
    Role.DOCTOR: DECIDES | KNOWS | {Permission.CHANGE_HISTORY},
    Role.NURSE: TREATS | KNOWS,
    Role.VIEWER: LOOKS_ON,
    Role.PATIENT: frozenset({Permission.READ_OWN, Permission.CALL_FOR_HELP}),
    Role.KIOSK: frozenset({Permission.WATCH}),
    Role.SERVICE: frozenset({Permission.READ_RECORD, Permission.RECORD}),
}
# What a nurse may do besides, where the ward says so.
NURSE_WHERE_ALLOWED = frozenset({Permission.SET_LIMITS})


def permissions(user: User | ServiceToken, ward: Ward) -> frozenset[Permission]:
    """What this person, or program, may do in this ward now; nothing for a stranger."""
    if user.is_service:
        mine = Ward.objects.visible_to(user).filter(pk=ward.pk)
        return ROLES[Role.SERVICE] if mine.exists() else frozenset()
    if not user.is_authenticated or not user.is_active:
        return frozenset()
    return granted(roles_in(user, ward), ward)


def granted(roles: frozenset[str], ward: Ward) -> frozenset[Permission]:
    """What these roles together may do in this ward."""
    may = frozenset[Permission]().union(*(ROLES[role] for role in roles))
    return may | NURSE_WHERE_ALLOWED if ward.nurses_set_limits and Role.NURSE in roles else may


def roles_in(user: User, ward: Ward) -> frozenset[str]:
    """The roles that an active person has in this ward now, by membership and by emergency: one query."""
    now = timezone.now()
    works = Membership.objects.in_force(now).filter(user=user, ward=ward).values_list("role", flat=True)
    helps = EmergencyAccess.objects.in_force(now).filter(user=user, ward=ward).values_list("role", flat=True)
    return frozenset(works.union(helps)) | ({Role.ADMINISTRATOR} if user.is_superuser else frozenset())


def roles_anywhere(user: User | ServiceToken) -> frozenset[str]:
    """Every role that this person or program has now, in whichever ward."""
    if not user.is_authenticated or not user.is_active:
        return frozenset()
    if user.is_service:
        return frozenset({Role.SERVICE})
    if user.is_superuser:
        return frozenset({Role.ADMINISTRATOR})
    now = timezone.now()
    works = Membership.objects.in_force(now).filter(user=user).values_list("role", flat=True)
    helps = EmergencyAccess.objects.in_force(now).filter(user=user).values_list("role", flat=True)
    return frozenset(works.union(helps))


def holds(roles: frozenset[str], permission: Permission) -> bool:
    """Whether one of these roles may do this at all; a nurse perhaps only where the ward says so."""
    ward_decides = permission in NURSE_WHERE_ALLOWED and Role.NURSE in roles
    return ward_decides or any(permission in ROLES[role] for role in roles)


def roles_of(people: Collection[int], *, now: datetime) -> dict[tuple[int, int], frozenset[str]]:
    """The roles of these people (ids), by person and ward (id), where they have any: four queries at most."""
    active = {"user__in": people, "user__is_active": True}
    works = Membership.objects.in_force(now).filter(**active).values_list("user", "ward", "role")
    helps = EmergencyAccess.objects.in_force(now).filter(**active).values_list("user", "ward", "role")
    run = list(User.objects.filter(pk__in=people, is_active=True, is_superuser=True).values_list("pk", flat=True))
    wards = list(Ward.objects.values_list("pk", flat=True)) if run else []
    found: dict[tuple[int, int], set[str]] = defaultdict(set)
    for person, ward, role in (*works, *helps, *product(run, wards, [Role.ADMINISTRATOR])):
        found[person, ward].add(role)
    return {place: frozenset(roles) for place, roles in found.items()}


def staff(ward: Ward | int, *roles: str, now: datetime) -> QuerySet[User]:
    """The active people who work in this ward now, in one of these roles or in any; who broke the glass is no staff."""
    there = Membership.objects.in_force(now).filter(ward=ward)
    of_roles = there.filter(role__in=roles) if roles else there
    return User.objects.filter(is_active=True, pk__in=of_roles.values("user"))


def wards_where(user: User | ServiceToken, permission: Permission) -> QuerySet[Ward]:
    """The wards in which this person, or program, may do this now."""
    if user.is_service:
        return Ward.objects.visible_to(user) if permission in ROLES[Role.SERVICE] else Ward.objects.none()
    roles = [role for role in Membership.Role.values if permission in ROLES[role]]
    if user.is_superuser and permission not in ROLES[Role.ADMINISTRATOR]:
        return Ward.objects.worked_in(user, *roles)
    wards = Ward.objects.where(user, *roles)
    if permission in NURSE_WHERE_ALLOWED:
        wards |= Ward.objects.where(user, Role.NURSE).filter(nurses_set_limits=True)
    return wards
