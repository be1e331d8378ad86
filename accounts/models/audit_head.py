from __future__ import annotations

from django.db import models

THE_ONE = 1  # there is one chain


class AuditHead(models.Model):
    """The end of the chain of seals: the last number and its seal, under a seal of its own. Who seals holds this row."""

    number = models.PositiveBigIntegerField(default=0)
    seal = models.CharField(max_length=64, blank=True)
    key = models.CharField(max_length=64, blank=True)
    mac = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"{self.number}:{self.seal}"
