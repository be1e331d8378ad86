from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils import timezone

if TYPE_CHECKING:
    from accounts.models.service_token import ServiceToken
    from accounts.models.user import User


SEEING = ("doctor", "nurse", "viewer")  # the roles that a person may have in a ward: each sees it


class WardQuerySet(models.QuerySet["Ward"]):
    def visible_to(self, who: User | ServiceToken) -> WardQuerySet:
        """The wards one may see now: an administrator all, others where they work or broke the glass, a program its own."""
        if not who.is_service:
            return self.where(who, *SEEING)
        return self.filter(pk__in=who.wards.values("pk")) if who.is_active else self.none()

    def where(self, user: User, *roles: str) -> WardQuerySet:
        """The wards in which a person has one of these roles now; an administrator has every one of them."""
        return self if user.is_active and user.is_superuser else self.worked_in(user, *roles)

    def worked_in(self, user: User, *roles: str) -> WardQuerySet:
        """Those in which a person has one of these roles now by his work, or an emergency, and not by rank."""
        if not user.is_active:
            return self.none()
        now = timezone.now()
        works = user.memberships.in_force(now).filter(role__in=roles)
        helps = user.emergency_accesses.in_force(now).filter(role__in=roles)
        return self.filter(Q(pk__in=works.values("ward")) | Q(pk__in=helps.values("ward")))


class Ward(models.Model):
    """A place with beds, watched together on one board."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=100, unique=True)
    nurses_set_limits = models.BooleanField(
        "nurses may set limits",
        default=False,
        help_text="Nurses of this ward may change a patient's limits; switching one off stays a doctor's.",
    )
    second_factor = models.BooleanField(
        "asks for a second factor",
        default=False,
        help_text="Who works here, and every administrator, also shows a code of an authenticator when signing in. "
        "Who has none yet is signed out, and led to set one up.",
    )
    # Moves with every change of what the board shows, in the same transaction: boards compare it to find a lost message.
    change_number = models.PositiveBigIntegerField(default=0, editable=False)

    objects = WardQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class Bed(models.Model):
    """A place for one patient; `position` is its fixed order on the board."""

    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, related_name="beds")
    name = models.CharField(max_length=20)
    position = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ward", "name"], name="bed_name_once_in_a_ward"),
            models.UniqueConstraint(fields=["ward", "position"], name="bed_position_once_in_a_ward"),
        ]

    def __str__(self) -> str:
        return f"{self.ward} {self.name}"
