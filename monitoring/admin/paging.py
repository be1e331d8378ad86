"""Lists over tables that grow by millions a day."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.utils.functional import cached_property

DEEPEST = 1_000


class NewestRows(Paginator):
    """Leafs through the first thousand rows of a list; the database never counts more of them."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return rows.values("pk")[:DEEPEST].count()
