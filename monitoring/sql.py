"""The statements that Django's ORM would split or cannot say; the only module of monitoring that knows which engine runs.

Django splits bulk writes on SQLite by its old limit of 999 parameters; `executemany` is one statement whatever the batch,
and mysqlclient folds it into multi-row INSERTs.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.db import connection, models

from monitoring.clinical.signs import Sign
from monitoring.clinical.trend import BEGINNING
from monitoring.clinical.words import NO_MEASUREMENT, SPOKEN
from monitoring.models import Vital

M = TypeVar("M", bound=models.Model)


NO_WORDS = "{}"  # a status that says nothing, as it is stored


class Text(models.Func):
    """A document as it is stored: most are empty, and decoding each would take longer than all the rest."""

    template = "%(expressions)s"
    output_field = models.TextField()


class Measured(models.Func):
    """The number of a vital that is the patient's, by the word beside it: `clinical.words.measured` of one sign."""

    output_field = models.FloatField()

    def __init__(self, sign: Sign) -> None:
        super().__init__("status", sign)
        spoken = [f"WHEN '{word}' THEN {number}" for (of, word), number in SPOKEN.items() if of is sign]
        struck = [f"WHEN '{word}' THEN NULL" for word in sorted(NO_MEASUREMENT)]
        self.sign, self.words = sign, " ".join([*spoken, *struck])

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> Any:
        return self._by_word(compiler, "JSON_EXTRACT")

    def as_mysql(self, compiler: Any, connection: Any, **_: Any) -> Any:
        return self._by_word(compiler, "JSON_VALUE")

    def _by_word(self, compiler: Any, word_of: str) -> Any:
        """Most say nothing, which is seen at once (not by MySQL, whose documents equal no text)."""
        status, number = (compiler.compile(part)[0] for part in self.get_source_expressions())
        said = f"CASE {word_of}({status}, '$.{self.sign}') {self.words} ELSE {number} END"
        return f"CASE WHEN {status} = '{NO_WORDS}' THEN {number} ELSE {said} END", []


class Stretch(models.Func):
    """Which stretch of so many minutes a time lies in, counted from BEGINNING."""

    output_field = models.BigIntegerField()

    def __init__(self, time: str, *, minutes: int) -> None:
        super().__init__(time)
        self.minutes = minutes

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> Any:
        seconds = "CAST(strftime('%%%%s', %(expressions)s) AS INTEGER)"
        since = int(BEGINNING.timestamp())
        return self.as_sql(compiler, connection, template=f"(({seconds} - ({since})) / {60 * self.minutes})")

    def as_mysql(self, compiler: Any, connection: Any, **_: Any) -> Any:
        minutes = f"TIMESTAMPDIFF(MINUTE, '{BEGINNING:%Y-%m-%d}', %(expressions)s)"
        return self.as_sql(compiler, connection, template=f"({minutes} DIV {self.minutes})")


class MinuteOf(models.Func):
    """The beginning of the minute in which a time lies, as it is stored."""

    output_field = models.DateTimeField()

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> Any:
        return self.as_sql(compiler, connection, template="strftime('%%%%Y-%%%%m-%%%%d %%%%H:%%%%M:00', %(expressions)s)")

    def as_mysql(self, compiler: Any, connection: Any, **_: Any) -> Any:
        begin = f"'{BEGINNING:%Y-%m-%d}'"
        minutes = f"TIMESTAMPDIFF(MINUTE, {begin}, %(expressions)s)"
        return self.as_sql(compiler, connection, template=f"({begin} + INTERVAL {minutes} MINUTE)")


def insert(rows: Sequence[M]) -> None:
    """Insert all rows in one statement. Ids that the database gives are not read back."""
    if rows:
        fields = _written_fields(type(rows[0]))
        _run_many(_insert_statement(type(rows[0]), fields), rows, fields)


def insert_selected(model: type[models.Model], names: Sequence[str], rows: models.QuerySet[Any, Any]) -> None:
    """Insert what a query finds, its columns in the order of these fields: no row leaves the database."""
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    columns = ", ".join(_quoted(field.column) for field in fields)
    statement, params = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {_quoted(model._meta.db_table)} ({columns}) {statement}", params)


def put(rows: Sequence[M]) -> None:
    """Insert rows, or replace those whose primary key is there already."""
    if not rows:
        return
    model = type(rows[0])
    fields, key = _written_fields(model), model._meta.pk
    others = [_quoted(field.column) for field in fields if field is not key]
    if connection.vendor == "mysql":
        clash = "ON DUPLICATE KEY UPDATE " + ", ".join(f"{column} = VALUES({column})" for column in others)
    else:
        changes = ", ".join(f"{column} = excluded.{column}" for column in others)
        clash = f"ON CONFLICT ({_quoted(key.column)}) DO UPDATE SET {changes}"
    _run_many(f"{_insert_statement(model, fields)} {clash}", rows, fields)


def update(rows: Sequence[M], names: Sequence[str]) -> None:
    """Write these fields of rows that are there, found by primary key."""
    if not rows:
        return
    meta = type(rows[0])._meta
    fields: list[Any] = [meta.get_field(name) for name in names]
    changes = ", ".join(f"{_quoted(field.column)} = %s" for field in fields)
    statement = f"UPDATE {_quoted(meta.db_table)} SET {changes} WHERE {_quoted(meta.pk.column)} = %s"
    _run_many(statement, rows, [*fields, meta.pk])


def vitals_at(keys: Collection[tuple[int, datetime, str]]) -> list[Vital]:
    """The stored vitals with these (patient, measured_at, sensor) keys: one index look-up each, one statement for all."""
    if not keys:
        return []
    rows = ", ".join(["(%s, %s, %s)"] * len(keys))
    listed = rows if connection.vendor == "mysql" else f"VALUES {rows}"
    adapt = connection.ops.adapt_datetimefield_value
    params = [part for patient, at, sensor in keys for part in (patient, adapt(at), sensor)]
    table = _quoted(Vital._meta.db_table)
    return list(Vital.objects.raw(f"SELECT * FROM {table} WHERE (patient_id, measured_at, sensor_id) IN ({listed})", params))


def _written_fields(model: type[models.Model]) -> list[Any]:
    return [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]


def _insert_statement(model: type[models.Model], fields: list[Any]) -> str:
    columns = ", ".join(_quoted(field.column) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    return f"INSERT INTO {_quoted(model._meta.db_table)} ({columns}) VALUES ({places})"


def _run_many(statement: str, rows: Sequence[models.Model], fields: list[Any]) -> None:
    values = [[field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields] for row in rows]
    with connection.cursor() as cursor:
        cursor.executemany(statement, values)


def _quoted(name: str | None) -> str:
    return connection.ops.quote_name(name or "")
