"""What `check --deploy` asks of an installation."""

import os
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security, deploy=True)
def secret_key_is_given(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """The key that MedQL makes for itself lies in one machine's folder: a second process elsewhere would sign with another."""
    if settings.EMBEDDED or os.environ.get("SECRET_KEY"):
        return []
    return [
        Error(
            "DATABASE_URL names a server, but SECRET_KEY is not in the environment.",
            hint="Make one with: python -c 'import secrets; print(secrets.token_urlsafe(64))'",
            id="medql.E001",
        )
    ]
