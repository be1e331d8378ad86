from __future__ import annotations

from typing import Any, Literal

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone


class UserManager(BaseUserManager["User"]):
    def create_user(self, login: str, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(login=login.lower(), email=email.lower(), **fields)
        user.set_password(password)
        user.full_clean()
        user.save(using=self._db)
        return user

    def create_superuser(self, login: str, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(login, email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        """A person by login or e-mail: a login has no @, so one word means one person."""
        word = (username or "").lower()
        user = self.get(email=word) if "@" in word else self.get(login=word)
        if word not in (user.login, user.email):
            raise self.model.DoesNotExist  # MySQL takes nóor for noor; whoever counts failed attempts does not
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in, by login or by e-mail, both kept in lower case."""

    login = models.CharField(
        max_length=50,
        unique=True,
        validators=[RegexValidator(r"\A[a-z0-9._-]+\Z", "Use lower-case letters, digits and . _ - only.")],
    )
    email = models.EmailField("e-mail", unique=True, null=True)  # noqa: DJ001  (who registers may have none; it is unique)
    name = models.CharField(max_length=150)
    is_staff = models.BooleanField("may open the administration", default=False)
    is_active = models.BooleanField("active", default=True, help_text="People who leave are deactivated, never deleted.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # Of who registered himself, rather than being invited: until an administrator approves, he is not active.
    registered_at = models.DateTimeField(null=True, blank=True, editable=False)
    approved_at = models.DateTimeField(null=True, blank=True, editable=False)
    approved_by = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="+")

    is_service: Literal[False] = False  # see ServiceToken

    USERNAME_FIELD = "login"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["email", "name"]

    objects = UserManager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(login__contains="@"), name="user_login_is_no_email"),
            models.CheckConstraint(condition=Q(email__contains="@"), name="user_email_has_an_at"),
            models.CheckConstraint(
                condition=Q(registered_at__isnull=True) | Q(approved_at__isnull=False) | Q(is_active=False),
                name="user_who_registered_waits",
                violation_error_message="Who registered himself is approved first: by the action in the list of people.",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.login

    def for_audit(self) -> dict[str, Any]:
        return {"active": self.is_active, "staff": self.is_staff, "administrator": self.is_superuser}

    def clean(self) -> None:
        self.login = self.login.lower()
        self.email = self.email.lower() if self.email else None

    @property
    def is_waiting(self) -> bool:
        """Registered himself, and nobody has approved that yet."""
        return self.registered_at is not None and self.approved_at is None
