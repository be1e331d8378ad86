"""How the database holds "only one open": a marker that is true while a row is open and NULL ever after.

A unique key takes any number of NULLs and only one true, on SQLite, MySQL and MariaDB alike (docs/adr/0002-open-marker.md).
"""

from typing import Any

from django.db import models
from django.db.models import Q


class OpenMarker(models.BooleanField):
    """True while the row is open, NULL once it has ended; never false."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"null": True, "default": True, "editable": False} | kwargs))


def open_until(ended: str, *, name: str) -> models.CheckConstraint:
    """Welds the marker to the time of ending, so that neither can be changed alone.

    "Not NULL" is said besides "true": a check that comes out as unknown lets the row in.
    """
    still_open = Q(is_open__isnull=False, is_open=True, **{f"{ended}__isnull": True})
    return models.CheckConstraint(condition=still_open | Q(is_open__isnull=True, **{f"{ended}__isnull": False}), name=name)
