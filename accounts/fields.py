"""Identifiers that devices and other systems give us, and columns that are sealed."""

from __future__ import annotations

import re
from typing import Any

from django.core.validators import RegexValidator
from django.db import models

from accounts import sealing

PATIENT_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
SENSOR_ID = re.compile(r"[A-Za-z0-9._:/-]{1,64}")


class IdentifierField(models.CharField):
    """ASCII text that is compared byte for byte, so that M1 and m1 differ on every engine.

    SQLite compares so by itself; MySQL and MariaDB only with a binary collation.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 64)
        super().__init__(*args, **kwargs)

    def db_parameters(self, connection: Any) -> dict[str, Any]:
        parameters = super().db_parameters(connection)
        if connection.vendor == "mysql":
            parameters["collation"] = "utf8mb4_bin"
        return parameters


class SealedField(models.TextField):
    """A column that holds sealed text, so that what reads the row by the way reads nothing: `put` and `text` are the two ways.

    `about` and the row's attribute `by` name what the text belongs to; `by` is known before the row is saved and never
    changes. Every such column is sealed anew by `manage.py rotate_keys`.
    """

    def __init__(self, *args: Any, about: str, by: str, **kwargs: Any) -> None:
        self.about, self.by = about, by
        super().__init__(*args, **kwargs | {"editable": False})

    @classmethod
    def of(cls, model: type[models.Model], name: str) -> SealedField:
        field = model._meta.get_field(name)
        assert isinstance(field, cls)
        return field

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs | {"about": self.about, "by": self.by}

    def put(self, row: models.Model, text: str) -> None:
        """Seal the text into this column of the row, which is not saved yet; no text is kept as none."""
        setattr(row, self.attname, sealing.seal(text, about=self.about_row(row)) if text else "")

    def text(self, row: models.Model) -> str:
        """What the column of this row says. Raises sealing.Unreadable."""
        sealed = getattr(row, self.attname)
        return sealing.unseal(sealed, about=self.about_row(row)) if sealed else ""

    def about_row(self, row: models.Model) -> str:
        owner = getattr(row, self.by)
        if owner is None:
            raise ValueError(f"{row._meta.label} is not known by its {self.by} yet: nothing can be sealed for it.")
        return f"{self.about}:{owner}"


validate_patient_id = RegexValidator(
    rf"\A{PATIENT_ID.pattern}\Z", "Use 1 to 64 of the letters A-Z a-z, digits and . _ : - only.", code="invalid"
)
validate_sensor_id = RegexValidator(
    rf"\A{SENSOR_ID.pattern}\Z", "Use 1 to 64 of the letters A-Z a-z, digits and . _ : / - only.", code="invalid"
)
