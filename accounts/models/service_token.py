from __future__ import annotations

from datetime import datetime
from typing import Literal

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.fields import IdentifierField
from accounts.models.user import User
from accounts.models.ward import Ward


class ServiceTokenQuerySet(models.QuerySet["ServiceToken"]):
    def living(self, now: datetime) -> ServiceTokenQuerySet:
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)


class ServiceToken(models.Model):
    """A program that is no person: it reads what its wards have. Its token is shown once; only the hash is kept."""

    name = models.CharField(max_length=50, unique=True)
    wards = models.ManyToManyField(Ward, related_name="service_tokens")
    prefix = IdentifierField(max_length=16, unique=True, editable=False)
    secret_hash = models.CharField("SHA-256 of the secret", max_length=64, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, editable=False, related_name="+")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: until it is revoked.")
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, editable=False, related_name="+")
    used_at = models.DateTimeField("last used", null=True, blank=True, editable=False)

    objects = ServiceTokenQuerySet.as_manager()

    # What is asked of whoever knocks, as of a person.
    is_service: Literal[True] = True
    is_authenticated = True
    is_anonymous = False
    is_superuser = False

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        """Not revoked; whether it expired was asked at the door."""
        return self.revoked_at is None
