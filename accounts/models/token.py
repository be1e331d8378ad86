from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from accounts.fields import SealedField
from accounts.models.second_factor import has_one, is_asked_for
from accounts.models.service_token import ServiceToken
from accounts.models.user import User

DIGEST = 64  # letters of a SHA-256


class TokenSessionQuerySet(models.QuerySet["TokenSession"]):
    def living(self, now: datetime) -> TokenSessionQuerySet:
        """Those that nobody ended and whose hour is not over, of people who are active and lack no second factor."""
        whole = Q(has_one()) | ~is_asked_for(now)
        return self.filter(whole, ended_at=None, expires_at__gt=now, user__is_active=True)


class TokenSession(models.Model):
    """The hour behind a person's access tokens: one at a time, shared by all of his devices.

    `password_mark` is of the password it was opened under: with another one it is over.
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="token_sessions")
    password_mark = models.CharField(max_length=DIGEST, editable=False)
    started_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = TokenSessionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("started_at")), name="token_session_ends_after_it_starts")
        ]

    def __str__(self) -> str:
        return f"{self.user.login} until {self.expires_at:%Y-%m-%d %H:%M}"


class RefreshFamilyQuerySet(models.QuerySet["RefreshFamily"]):
    def living(self, now: datetime) -> RefreshFamilyQuerySet:
        """Those that give tokens still, as far as time and hand have not ended them."""
        return self.filter(ended_at=None, expires_at__gt=now)


class RefreshFamily(models.Model):
    """What one sign-in of one device led to: each of its refresh tokens is good once, and gives the next."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="refresh_families")
    password_mark = models.CharField(max_length=DIGEST, editable=False)
    started_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = RefreshFamilyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "refresh families"
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("started_at")), name="refresh_family_ends_after_it_starts")
        ]

    def __str__(self) -> str:
        return f"{self.user.login} since {self.started_at:%Y-%m-%d %H:%M}"


class RefreshToken(models.Model):
    """Found by its digest, kept sealed. One that was used stays until it expires, so that a second use is noticed."""

    family = models.ForeignKey(RefreshFamily, on_delete=models.CASCADE, related_name="tokens")
    digest = models.CharField("SHA-256", max_length=DIGEST, unique=True, editable=False)
    sealed = SealedField(about="accounts.refresh_token", by="digest")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.digest[:8]}… of {self.family}"


class SocketTicket(models.Model):
    """Opens one socket, once, for half a minute: of a person's session, or of a program."""

    digest = models.CharField("SHA-256", max_length=DIGEST, unique=True, editable=False)
    session = models.ForeignKey(TokenSession, on_delete=models.CASCADE, null=True, related_name="tickets")
    service = models.ForeignKey(ServiceToken, on_delete=models.CASCADE, null=True, related_name="tickets")
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(session__isnull=True, service__isnull=False) | Q(session__isnull=False, service__isnull=True),
                name="socket_ticket_of_one",
            )
        ]

    def __str__(self) -> str:
        return f"{self.digest[:8]}… until {self.expires_at:%H:%M:%S}"
