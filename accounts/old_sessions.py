"""What was kept of sessions and links that are over goes after a while: why there is none any more is asked soon, or never."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import QuerySet

from accounts.models import OneTimeLink, Session

A_TIME = 500  # rows: no request waits long for this
LINKS_KEPT = timedelta(days=7)


def forget(*, now: datetime) -> bool:
    """Delete some of them; whether there were any."""
    over = (Session.objects.filter(expire_date__lt=now), OneTimeLink.objects.filter(expires_at__lt=now - LINKS_KEPT))
    return any([_delete(rows) for rows in over])


def _delete(rows: QuerySet) -> bool:
    keys = list(rows.values_list("pk", flat=True)[:A_TIME])
    if not keys:  # a write that finds nothing would still be one
        return False
    rows.model._default_manager.filter(pk__in=keys).delete()
    return True
