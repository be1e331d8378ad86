from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Exists, OuterRef, Q

from accounts.fields import SealedField
from accounts.models.membership import Membership
from accounts.models.user import User
from accounts.models.ward import Ward


class SecondFactor(models.Model):
    """A person's authenticator: the secret that it shares with us, and the last of its steps that we took."""

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="second_factor")
    secret = SealedField(about="accounts.second_factor", by="user_id")
    created_at = models.DateTimeField()
    last_step = models.BigIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    failed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"of {self.user.login}"


class RecoveryCode(models.Model):
    """Stands for the authenticator once, when that is lost."""

    factor = models.ForeignKey(SecondFactor, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField("SHA-256", max_length=64)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["factor", "digest"], name="recovery_code_once_a_factor")]

    def __str__(self) -> str:
        return f"{self.digest[:8]}… {self.factor}"


def has_one(of: str = "user") -> Exists:
    """For a query of rows that name a person: this one has a second factor."""
    return Exists(SecondFactor.objects.filter(user=OuterRef(of)))


def is_asked_for(now: datetime, of: str = "user") -> Q:
    """For a query of rows that name a person: a ward where he works, or which he administers, asks for a second factor.

    Not one that he entered in an emergency: that asks for a reason, and nobody looks for his telephone meanwhile.
    """
    works = Membership.objects.in_force(now).filter(user=OuterRef(of), ward__second_factor=True)
    administers = User.objects.filter(pk=OuterRef(of), is_superuser=True)
    return Q(Exists(works)) | (Q(Exists(administers)) & Q(Exists(Ward.objects.filter(second_factor=True))))


def is_missing(user: User, now: datetime) -> bool:
    """Whether one is asked for, and there is none."""
    return User.objects.filter(is_asked_for(now, of="pk"), ~Q(has_one(of="pk")), pk=user.pk).exists()
