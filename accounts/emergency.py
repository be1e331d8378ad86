"""Break the glass: a nurse or doctor enters a ward that is not hers, for an hour, and says why. All of it is written down."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from accounts import audit
from accounts.access import ROLES, Permission
from accounts.models import Deed, EmergencyAccess, Membership, User, Ward

LASTS = timedelta(hours=1)
SHORTEST_REASON, LONGEST_REASON = 8, 200  # letters


class NotAllowed(Exception):
    """Only who treats patients in another ward may enter this one."""


class ReasonMissing(Exception):
    """The reason is missing, or too short to be one."""


def may_enter(user: User, *, at: datetime) -> bool:
    return _own_role(user, at) is not None


@transaction.atomic
def enter(user: User, ward: Ward, *, reason: str, at: datetime) -> EmergencyAccess:
    """An hour in this ward, in the role that she has elsewhere; again while it lasts is an hour from now.

    Raises NotAllowed, ReasonMissing.
    """
    role = _own_role(user, at)
    if role is None:
        raise NotAllowed
    reason = reason.strip()[:LONGEST_REASON]
    if len(reason) < SHORTEST_REASON:
        raise ReasonMissing
    leave(user, ward, at=at)
    access = EmergencyAccess.objects.create(user=user, ward=ward, role=role, reason=reason, started_at=at, ends_at=at + LASTS)
    detail = {"reason": reason, "role": role, "until": access.ends_at.isoformat()}
    audit.record(Deed.GLASS_BROKEN, by=user, at=at, ward=ward, about=f"ward:{ward.slug}", detail=detail)
    return access


@transaction.atomic
def leave(user: User, ward: Ward, *, at: datetime) -> None:
    """It is over before its time; where there is none nothing happens."""
    if EmergencyAccess.objects.in_force(at).filter(user=user, ward=ward).update(ends_at=at):
        audit.record(Deed.GLASS_CLOSED, by=user, at=at, ward=ward, about=f"ward:{ward.slug}")


def _own_role(user: User, at: datetime) -> str | None:
    """The one with the most powers among the roles by membership that may break the glass."""
    if not user.is_active:
        return None
    roles = Membership.objects.in_force(at).filter(user=user).values_list("role", flat=True)
    allowed = [role for role in set(roles) if Permission.BREAK_GLASS in ROLES[role]]
    return max(allowed, key=lambda role: len(ROLES[role]), default=None)
