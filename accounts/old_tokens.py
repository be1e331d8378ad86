"""What nobody can use any more is forgotten, some hundred rows at a time."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import QuerySet

from accounts.models import RefreshFamily, RefreshToken, SocketTicket, TokenSession

BATCH = 500
SESSIONS_KEPT = timedelta(days=7)  # that a person may ask where he was signed in


def forget(*, now: datetime) -> bool:
    """Delete expired tickets, refresh tokens, families and sessions; whether there were any."""
    expired: tuple[QuerySet, ...] = (
        SocketTicket.objects.filter(expires_at__lt=now),
        RefreshToken.objects.filter(expires_at__lt=now),
        RefreshFamily.objects.filter(expires_at__lt=now),
        TokenSession.objects.filter(expires_at__lt=now - SESSIONS_KEPT),
    )
    return any([_delete(rows) for rows in expired])  # a list: one of them does not wait for another


def _delete(rows: QuerySet) -> bool:
    keys = list(rows.values_list("pk", flat=True)[:BATCH])
    if keys:  # a write that finds nothing would still be one
        rows.model._default_manager.filter(pk__in=keys).delete()
    return bool(keys)
