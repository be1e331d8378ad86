from __future__ import annotations

from datetime import datetime, timedelta
from importlib import import_module

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.utils import timezone

from accounts.models.second_factor import has_one, is_asked_for
from accounts.models.user import User
from accounts.models.ward import Ward

# After its end a row says for a while why there is no session any more, and which board faded.
KEPT_FOR = timedelta(days=7)


def _lacks(now: datetime) -> Q:
    return Q(user__isnull=False, second_factor_at=None) & (Q(has_one()) | is_asked_for(now))


class SessionQuerySet(models.QuerySet["Session"]):
    def judged(self, now: datetime) -> SessionQuerySet:
        """Each says whether it `lacks` the second factor that is asked for by now."""
        return self.annotate(lacks=ExpressionWrapper(_lacks(now), output_field=BooleanField()))

    def living(self, now: datetime) -> SessionQuerySet:
        """Those that open something now: of an active person, neither ended, idle nor too old, and by all that is asked."""
        return self.filter(
            ~_lacks(now),
            ended_at=None,
            user__is_active=True,
            created_at__gt=now - settings.SESSION_LIFETIME,
            seen_at__gt=now - settings.SESSION_IDLE,
        )

    def end(self, *, at: datetime, why: Session.Ending) -> int:
        """What the sessions held goes, the fact that they were stays; says how many that were."""
        return self.filter(ended_at=None).update(ended_at=at, ending=why, session_data="")


class Session(AbstractBaseSession):
    """A browser in which somebody signs in or has signed in, found by the hash of its key: a copy of this row opens nothing."""

    class Ending(models.TextChoices):
        SIGNED_OUT = "signed_out", "signed out"
        IDLE = "idle", "nobody did anything for a while"
        TOO_OLD = "too_old", "its time was over"
        BY_PERSON = "by_person", "ended by the person from elsewhere"
        BY_ADMINISTRATOR = "by_administrator", "ended by an administrator"
        PASSWORD = "password", "the password was changed"
        SECOND_FACTOR = "second_factor", "a second factor is asked for"

    id = models.BigAutoField(primary_key=True)
    session_key = models.CharField("SHA-256 of the key", max_length=64, unique=True)
    # Nobody, before the person has shown everything that is asked of him.
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="sessions", null=True)
    created_at = models.DateTimeField("since", default=timezone.now)
    seen_at = models.DateTimeField("last seen", default=timezone.now)
    second_factor_at = models.DateTimeField(null=True)
    address = models.CharField(max_length=45, blank=True)
    agent = models.CharField("browser", max_length=60, blank=True)
    # The board that is left on the screen, without names, when the person is gone.
    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, related_name="+", null=True)
    ended_at = models.DateTimeField(null=True)
    ending = models.CharField("why it ended", max_length=20, choices=Ending.choices, blank=True)

    lacks = False  # known of rows that were `judged`

    objects = SessionQuerySet.as_manager()  # type: ignore[misc,assignment]  # not Django's, which saves by itself

    class Meta:
        indexes = [models.Index(fields=["user", "ended_at"], name="session_of_a_person")]
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at=None, ending="") | (Q(ended_at__isnull=False) & ~Q(ending="")),
                name="session_ended_and_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user or 'nobody'}, {self.agent or 'a browser'}"

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        store: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
        return store

    @property
    def is_over(self) -> bool:
        return self.ended_at is not None

    def why_over(self, now: datetime) -> Ending | None:
        """What ends this session though nobody did; nothing while it goes on."""
        if now >= self.created_at + settings.SESSION_LIFETIME:
            return self.Ending.TOO_OLD
        if now >= self.seen_at + settings.SESSION_IDLE:
            return self.Ending.IDLE
        return self.Ending.SECOND_FACTOR if self.lacks else None
