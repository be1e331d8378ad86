"""Who may do what in a ward: roles as a table that one can read aloud, deny by default.

Who may see a ward at all is `Ward.objects.visible_to`, where every query of a person begins.
"""

from __future__ import annotations

from enum import StrEnum

from accounts.models import Membership, User, Ward


class Permission(StrEnum):
    ACKNOWLEDGE = "acknowledge alerts"


ROLES: dict[str, frozenset[Permission]] = {
    Membership.Role.DOCTOR: frozenset({Permission.ACKNOWLEDGE}),
    Membership.Role.NURSE: frozenset({Permission.ACKNOWLEDGE}),
    Membership.Role.VIEWER: frozenset(),
}
ADMINISTRATOR = frozenset(Permission)


def permissions(user: User, ward: Ward) -> frozenset[Permission]:
    """What this person may do in this ward; nothing for a stranger."""
    if not user.is_authenticated or not user.is_active:
        return frozenset()
    if user.is_superuser:
        return ADMINISTRATOR
    roles = Membership.objects.filter(user=user, ward=ward).values_list("role", flat=True)
    return frozenset().union(*(ROLES[role] for role in roles))
