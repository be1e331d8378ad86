from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models import Bed, Ward


class ShiftQuerySet(models.QuerySet["Shift"]):
    def on_duty(self, now: datetime) -> ShiftQuerySet:
        return self.filter(starts_at__lte=now, ends_at__gt=now)


class Shift(models.Model):
    """A person is on duty in a ward for a time, perhaps for some of its beds.

    What he took and did not solve goes back to the queue when it ends.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="shifts")
    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, related_name="shifts")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    beds = models.ManyToManyField(
        Bed, blank=True, related_name="shifts", help_text="The beds that are this person's. None: the whole ward."
    )
    # When the watcher gave his alerts back; none: not yet.
    returned_at = models.DateTimeField(null=True, editable=False)

    objects = ShiftQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="shift_ends_after_it_begins"),
        ]
        indexes = [
            models.Index(fields=["ward", "ends_at"], name="shift_of_ward"),
            models.Index(fields=["returned_at", "ends_at"], name="shift_to_return"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.ward} until {self.ends_at:%Y-%m-%d %H:%M}"

    def for_audit(self) -> dict[str, Any]:
        return {"person": self.user.login, "from": self.starts_at, "until": self.ends_at}
