"""The one place where a password is held against a person."""

from __future__ import annotations

from typing import Any

from axes.backends import AxesStandaloneBackend
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts import passwords
from accounts.models import User


class Passwords(AxesStandaloneBackend, ModelBackend):
    """Who is shut out, and what can be no password, costs no hash; an unknown login costs one as any other."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        if passwords.unusable(username) or passwords.unusable(password):
            raise PermissionDenied
        if request is not None:  # a command has no address to shut out
            super().authenticate(request, username=username, password=password)
        person = ModelBackend.authenticate(self, request, username=username, password=password)
        assert person is None or isinstance(person, User)
        return person
