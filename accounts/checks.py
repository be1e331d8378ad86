"""Identifiers must differ when their case differs: on MySQL that needs a binary collation."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.core.checks import Error, Tags, register
from django.db import connections

from accounts.fields import IdentifierField


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
