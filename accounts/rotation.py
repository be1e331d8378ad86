"""Sealing anew: what was sealed under an older key of the ring is put under the current one, while everybody works on.

Each row is written only if it is still as it was read, so that a writer who is at it wins; what is left undone by whatever
cause is found again by what it is sealed under.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.apps import apps
from django.db import models
from django.db.models import Q

from accounts import audit, keyring, sealing
from accounts.fields import SealedField
from accounts.models import AuditEntry, Deed
from accounts.transactions import retried

BATCH = 100  # rows in one transaction


@dataclass(frozen=True, slots=True)
class Column:
    """A column of sealed text; every SealedField of every model is one."""

    model: type[models.Model]
    field: SealedField

    def __str__(self) -> str:
        return f"{self.model._meta.label}.{self.field.name}"

    def under(self, *ids: str) -> models.QuerySet:
        """The rows that are sealed under these keys."""
        return self._rows().filter(self._is_under(ids))

    def beside(self, *ids: str) -> models.QuerySet:
        """The rows that are sealed under none of these keys."""
        return self._rows().exclude(self._is_under(ids)).exclude(**{self.field.name: ""})

    def _rows(self) -> models.QuerySet:
        return self.model._base_manager.all()

    def _is_under(self, ids: tuple[str, ...]) -> Q:
        found = Q(pk__in=[])
        for id in ids:
            found |= Q(**{f"{self.field.name}__startswith": f"{sealing.VERSION}.{id}."})
        return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """`raced`: somebody wrote the row meanwhile. `unreadable`: it stays as it is."""

    sealed: int = 0
    raced: int = 0
    unreadable: int = 0

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(self.sealed + other.sealed, self.raced + other.raced, self.unreadable + other.unreadable)


def columns() -> list[Column]:
    return [
        Column(model, field)
        for model in apps.get_models()
        for field in model._meta.local_concrete_fields
        if isinstance(field, SealedField)
    ]


def rotate(*, at: datetime, told: Callable[[Column, Outcome], None]) -> Outcome:
    """Put every column under the current key, batch by batch; `told` is called after each column."""
    whole = Outcome()
    for column in columns():
        done = sum(_batches(column), Outcome())
        whole += done
        told(column, done)
    if whole.sealed:
        detail = {"key": keyring.current().id, "sealed": whole.sealed, "unreadable": whole.unreadable}
        audit.record(Deed.SEALED_ANEW, by=None, at=at, detail=detail)
    return whole


def needed() -> dict[str, dict[Column, int]]:
    """Which keys but the current one are still needed to open something: how many rows of which column, by id."""
    found: dict[str, dict[Column, int]] = {}
    for key in keyring.ring()[1:]:
        counts = {column: column.under(key.id).count() for column in columns()}
        found[key.id] = {column: count for column, count in counts.items() if count}
    return found


def lost() -> dict[Column, int]:
    """How many rows of which column no key of the ring opens."""
    ids = [key.id for key in keyring.ring()]
    counts = {column: column.beside(*ids).count() for column in columns()}
    return {column: count for column, count in counts.items() if count}


def entries_sealed(id: str) -> int:
    """How many entries of the trail can be verified with this key alone."""
    return AuditEntry.objects.filter(Q(key=id) | Q(mark__startswith=f"{id}.")).count()


def _batches(column: Column) -> Iterator[Outcome]:
    """In the order of the keys, so that what cannot be opened is passed by and not met again."""
    after = None
    while True:
        rows = column.beside(keyring.current().id).order_by("pk")
        batch = list((rows if after is None else rows.filter(pk__gt=after))[:BATCH])
        if not batch:
            return
        after = batch[-1].pk
        yield _seal(column, batch)


@retried
def _seal(column: Column, batch: list[models.Model]) -> Outcome:
    done = Outcome()
    for row in batch:
        done += _seal_row(column, row)
    return done


def _seal_row(column: Column, row: models.Model) -> Outcome:
    field = column.field
    try:
        anew = sealing.seal(field.text(row), about=field.about_row(row))
    except sealing.Unreadable:
        return Outcome(unreadable=1)
    same = column.model._base_manager.filter(pk=row.pk, **{field.attname: getattr(row, field.attname)})
    return Outcome(sealed=1) if same.update(**{field.attname: anew}) else Outcome(raced=1)
