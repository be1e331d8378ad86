"""What must hold before MedQL starts: how identifiers are compared, and how long anybody stays signed in."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import Error, Tags, register
from django.db import connections

from accounts import breached, keyring, rotation
from accounts.fields import IdentifierField

LONGEST_IDLE = timedelta(hours=1)
LONGEST_SESSION = timedelta(hours=24)


@register(Tags.security)
def sessions_end_in_time(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[Error]:
    """A screen that stays signed in over a shift belongs to whoever passes by."""
    found = []
    if not timedelta(minutes=1) < settings.SESSION_IDLE <= LONGEST_IDLE:
        found.append(Error("SESSION_IDLE_MINUTES is not 2 to 60.", id="accounts.E002"))
    if not settings.SESSION_IDLE <= settings.SESSION_LIFETIME <= LONGEST_SESSION:
        found.append(Error("SESSION_HOURS is not 1 to 24.", id="accounts.E003"))
    return found


@register(Tags.security)
def somebody_can_sign_in(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[Error]:
    if settings.HASHES_AT_ONCE < 1:
        return [Error("HASHES_AT_ONCE is less than 1: no password would ever be looked at.", id="accounts.E005")]
    return []


@register(Tags.security, deploy=True)
def breached_passwords_can_be_asked(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[Error]:
    """A list that cannot be read lets nobody choose a password; one out of order lets breached ones pass."""
    if not settings.BREACHED_PASSWORDS:
        return []
    try:
        breached.examine(settings.BREACHED_PASSWORDS)
    except breached.Unusable as fault:
        hint = 'Have I Been Pwned, "Pwned Passwords", SHA-1 ordered by hash, as one text file.'
        return [Error(f"BREACHED_PASSWORDS cannot be used: {fault}.", hint=hint, id="accounts.E004")]
    return []


@register(Tags.database)
def sealed_columns_can_be_opened(databases: Iterable[str] | None = None, **kwargs: Any) -> list[Error]:
    """A key that was taken from the ring too early is missed before the first nurse misses a dossier."""
    ids = [key.id for key in keyring.ring()]
    return [
        Error(
            f"{column} has rows that no key in MEDQL_KEYS opens.",
            hint="Put the key back at the end of MEDQL_KEYS, and ask `manage.py rotate_keys --check` before it is taken out.",
            id="accounts.E006",
        )
        for alias in databases or []
        for column in rotation.columns()
        if _is_migrated(alias, column) and column.beside(*ids).using(alias).exists()
    ]


def _is_migrated(alias: str, column: rotation.Column) -> bool:
    """`migrate` asks the checks first."""
    connection, table = connections[alias], column.model._meta.db_table
    with connection.cursor() as cursor:
        if table not in connection.introspection.table_names(cursor):
            return False
        described = connection.introspection.get_table_description(cursor, table)
    return column.field.column in {each.name for each in described}


@register(Tags.database)
def identifiers_are_compared_by_byte(databases: Iterable[str] | None = None, **kwargs: Any) -> list[Error]:
    return [error for alias in databases or [] for error in _collation_errors(alias)]


def _collation_errors(alias: str) -> list[Error]:
    connection = connections[alias]
    if connection.vendor != "mysql":
        return []
    columns = {
        (model._meta.db_table, field.column)
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, IdentifierField)
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, collation_name FROM information_schema.columns WHERE table_schema = DATABASE()"
        )
        found = {(table, column): collation for table, column, collation in cursor.fetchall()}
    return [
        Error(
            f"{table}.{column} is compared as {found[table, column]}: M1 and m1 would be one.",
            hint="Give the column the collation utf8mb4_bin.",
            id="accounts.E001",
        )
        for table, column in sorted(columns & found.keys())
        if not str(found[table, column]).endswith("_bin")
    ]
