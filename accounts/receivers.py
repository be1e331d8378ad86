"""What follows from signing in or failing to, by whichever door."""

from __future__ import annotations

from typing import Any

from axes.signals import user_locked_out
from django.contrib.auth.signals import user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from accounts import audit, lockout
from accounts.models import Deed


@receiver(user_login_failed)
def note_refusal(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    if request is None or _was_shut_out(request):
        return
    audit.record(
        Deed.SIGN_IN_REFUSED,
        by=None,
        at=timezone.now(),
        about=f"user:{lockout.login_of(request, credentials)}",
        detail={"shown": credentials.get("shown", "password")},
    )


@receiver(user_locked_out)
def note_lockout(sender: Any, request: HttpRequest, username: str, **kwargs: Any) -> None:
    if not _was_shut_out(request):
        audit.record(Deed.LOCKED_OUT, by=None, at=timezone.now(), about=f"user:{username}")


def _was_shut_out(request: HttpRequest) -> bool:
    """Already before this attempt: then it was not counted, and the trail has the lockout."""
    return bool(request.axes_locked_out) and request.axes_failures_since_start is None  # type: ignore[attr-defined]
