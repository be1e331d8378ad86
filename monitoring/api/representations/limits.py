"""The limits of one sign as the API answers them: the four figures, and who says so."""

from __future__ import annotations

from typing import Any

from monitoring.clinical.overrides import SIDES
from monitoring.clinical.signs import Sign
from monitoring.services.layers import Scope, Standing


def read(sign: Sign, standing: Standing, scope: Scope) -> dict[str, Any]:
    item: dict[str, Any] = {"sign": sign.value, **numbers(standing), "source": standing.source.value}
    row = standing.row
    if row:
        item |= {"reason": row.reason or None, "expires_at": row.expires_at, "by": str(row.set_by) if row.set_by else None}
        item["at"] = row.set_at
    if row and row.scope_key == scope.key and not scope.patient:
        item |= {"bound_low": row.bound_low, "bound_high": row.bound_high}
    if standing.night:
        item["night"] = True
    if standing.off:
        item["off"] = list(standing.off)
    if standing.set_on:
        item["set_on"] = standing.set_on
    return item


def numbers(standing: Standing) -> dict[str, Any]:
    limits = standing.limits
    sides = {side: getattr(limits, side) for side in SIDES}
    return {**sides, "delay_s": int(limits.delay), "margin": limits.margin}
