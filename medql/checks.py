"""What `check --deploy` asks of an installation."""

import os
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from accounts.models import User
from monitoring.demo import hospital
from monitoring.services.channels import push


@register()
def web_push_is_whole(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A key that nobody can read, or a push service that does not know whom to turn to, would be found out at night."""
    if not settings.VAPID_PRIVATE_KEY:
        return []
    found: list[CheckMessage] = []
    if not settings.VAPID_SUBJECT.startswith(("mailto:", "https:")):
        found.append(Error("VAPID_SUBJECT is neither a mailto: nor an https: address.", id="medql.E002"))
    try:
        push.public_key()
    except ValueError:
        found.append(
            Error("VAPID_PRIVATE_KEY is no key for web push.", hint="How to make one: docs/running.md", id="medql.E003")
        )
    return found


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


@register(Tags.security, deploy=True)
def key_ring_is_given(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Sealed under a key of one machine's folder, what the database holds is lost with that folder."""
    if settings.EMBEDDED or os.environ.get("MEDQL_KEYS"):
        return []
    return [
        Error(
            "DATABASE_URL names a server, but MEDQL_KEYS is not in the environment.",
            hint='Make one with: echo "2026a:$(openssl rand -base64 32)", and keep a copy where the backups are not.',
            id="medql.E004",
        )
    ]


@register(Tags.database)
def demo_logins_are_shut(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """The demo's passwords are printed in its terminal: outside of the demo they must open nothing."""
    tables = {table for alias in databases or [] for table in connections[alias].introspection.table_names()}
    if settings.DEMO or User._meta.db_table not in tables:
        return []
    open_logins = [person.login for person in hospital.PEOPLE if hospital.lets_in(person)]
    if not open_logins:
        return []
    return [
        Error(
            f"This is not the demo, and the demo's passwords sign in: {', '.join(open_logins)}.",
            hint="Deactivate these people, or give them other passwords.",
            id="medql.E005",
        )
    ]
