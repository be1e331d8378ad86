"""Who may do what in a ward: roles as a table that one can read aloud, deny by default.

Who may see a ward at all is `Ward.objects.visible_to`, where every query of a person begins.
"""

from __future__ import annotations

from enum import StrEnum

from accounts.models import Membership, User, Ward


class Permission(StrEnum):
    ACKNOWLEDGE = "acknowledge alerts"
    RESOLVE = "resolve alerts"
    SILENCE = "silence alerts for a time"
    MARK_NOISE = "mark alerts as not actionable"
    SET_LIMITS = "set a patient's limits"
    SWITCH_LIMITS_OFF = "switch a patient's limit off"
    SET_SCALE = "choose the scale on which a patient's saturation is scored"
    SET_PREGNANCY = "say that a patient is pregnant, and has no NEWS2"


AT_THE_BED = frozenset({Permission.ACKNOWLEDGE, Permission.RESOLVE, Permission.SILENCE, Permission.MARK_NOISE})
ROLES: dict[str, frozenset[Permission]] = {
    Membership.Role.DOCTOR: frozenset(Permission),
    Membership.Role.NURSE: AT_THE_BED,
    Membership.Role.VIEWER: frozenset(),
}
# What a nurse may do besides, where the ward says so.
NURSE_WHERE_ALLOWED = frozenset({Permission.SET_LIMITS})
ADMINISTRATOR = frozenset(Permission)


def permissions(user: User, ward: Ward) -> frozenset[Permission]:
    """What this person may do in this ward; nothing for a stranger."""
    if not user.is_authenticated or not user.is_active:
        return frozenset()
    if user.is_superuser:
        return ADMINISTRATOR
    roles = set(Membership.objects.filter(user=user, ward=ward).values_list("role", flat=True))
    may = frozenset[Permission]().union(*(ROLES[role] for role in roles))
    return may | NURSE_WHERE_ALLOWED if ward.nurses_set_limits and Membership.Role.NURSE in roles else may
