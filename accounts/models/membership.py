from django.db import models
from django.utils import timezone

from accounts.models.user import User
from accounts.models.ward import Ward


class Membership(models.Model):
    """A person works in a ward, in one role."""

    class Role(models.TextChoices):
        DOCTOR = "doctor", "doctor"
        NURSE = "nurse", "nurse"
        VIEWER = "viewer", "viewer"

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "ward"], name="membership_once_a_ward"),
            models.CheckConstraint(condition=models.Q(role__in=["doctor", "nurse", "viewer"]), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_role_display()} of {self.ward}"
