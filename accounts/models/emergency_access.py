from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from accounts.models.membership import Membership
from accounts.models.user import User
from accounts.models.ward import Ward


class EmergencyAccessQuerySet(models.QuerySet["EmergencyAccess"]):
    def in_force(self, now: datetime) -> EmergencyAccessQuerySet:
        return self.filter(started_at__lte=now, ends_at__gt=now)


class EmergencyAccess(models.Model):
    """A nurse or doctor of another ward broke the glass: works here in her own role for a short time, and said why."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="emergency_accesses")
    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, related_name="emergency_accesses")
    role = models.CharField(max_length=10, choices=Membership.Role.choices)
    reason = models.CharField(max_length=200)
    started_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    objects = EmergencyAccessQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "emergency accesses"
        constraints = [
            models.CheckConstraint(condition=Q(role__in=["doctor", "nurse"]), name="emergency_access_role_treats"),
            models.CheckConstraint(condition=~Q(reason=""), name="emergency_access_has_a_reason"),
            models.CheckConstraint(condition=Q(ends_at__gte=F("started_at")), name="emergency_access_ends_after_it_begins"),
        ]
        indexes = [models.Index(fields=["user", "ends_at"], name="emergency_access_of_person")]

    def __str__(self) -> str:
        return f"{self.user} in {self.ward} until {self.ends_at:%Y-%m-%d %H:%M}"
