"""Identifiers that devices and other systems give us."""

import re
from typing import Any

from django.core.validators import RegexValidator
from django.db import models

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


validate_patient_id = RegexValidator(
    rf"\A{PATIENT_ID.pattern}\Z", "Use 1 to 64 of the letters A-Z a-z, digits and . _ : - only.", code="invalid"
)
validate_sensor_id = RegexValidator(
    rf"\A{SENSOR_ID.pattern}\Z", "Use 1 to 64 of the letters A-Z a-z, digits and . _ : / - only.", code="invalid"
)
