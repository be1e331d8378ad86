from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from accounts.models.user import User


class OneTimeLinkQuerySet(models.QuerySet["OneTimeLink"]):
    def good(self, now: datetime) -> OneTimeLinkQuerySet:
        """Those that nobody used or replaced, in time, of people who are active."""
        return self.filter(used_at=None, ended_at=None, expires_at__gt=now, user__is_active=True)


class OneTimeLink(models.Model):
    """Lets a person choose a password, once. Only the hash of its token is kept."""

    class Purpose(models.TextChoices):
        INVITE = "invite", "invitation"
        RESET = "reset", "new password"

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="links")
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    digest = models.CharField("SHA-256 of the token", max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField("replaced", null=True)

    objects = OneTimeLinkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="one_time_link_ends_after_it_begins"),
            models.CheckConstraint(condition=Q(used_at=None) | Q(ended_at=None), name="one_time_link_used_or_replaced"),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} for {self.user.login}"
