from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models.user import User
from accounts.models.ward import Ward


class MembershipQuerySet(models.QuerySet["Membership"]):
    def in_force(self, now: datetime) -> MembershipQuerySet:
        return self.filter(Q(starts_at=None) | Q(starts_at__lte=now), Q(ends_at=None) | Q(ends_at__gt=now))

    def overlapping(self, other: Membership) -> MembershipQuerySet:
        """Those of the same person in the same ward that hold at some time at which the other holds."""
        same = self.filter(user=other.user_id, ward=other.ward_id).exclude(pk=other.pk)
        if other.ends_at:
            same = same.filter(Q(starts_at=None) | Q(starts_at__lt=other.ends_at))
        if other.starts_at:
            same = same.filter(Q(ends_at=None) | Q(ends_at__gt=other.starts_at))
        return same


class Membership(models.Model):
    """A person works in a ward, in one role; without a time since ever, and until somebody ends it.

    No beginning is the usual one: a server's clock that is set back must not take a ward its nurses.
    """

    class Role(models.TextChoices):
        DOCTOR = "doctor", "doctor"
        NURSE = "nurse", "nurse"
        VIEWER = "viewer", "viewer"

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)
    starts_at = models.DateTimeField("from", null=True, blank=True, help_text="Empty: at once.")
    ends_at = models.DateTimeField("until", null=True, blank=True, help_text="Empty: until somebody ends it.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=["doctor", "nurse", "viewer"]), name="membership_role_known"),
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
                name="membership_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_role_display()} of {self.ward}"

    def for_audit(self) -> dict[str, Any]:
        return {"person": self.user.login, "role": self.role, "from": self.starts_at, "until": self.ends_at}

    def clean(self) -> None:
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise ValidationError({"ends_at": "It ends after it begins."})
        if self.user_id and self.ward_id and Membership.objects.overlapping(self).exists():
            raise ValidationError("This person works in this ward already at that time.")
