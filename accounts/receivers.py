"""What follows from signing in or failing to, by whichever door, and from a device that is saved."""

from __future__ import annotations

from typing import Any

from axes.signals import user_locked_out
from django.contrib.auth.signals import user_login_failed
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from accounts import audit, known_keys, lockout
from accounts.models import Deed, Device


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


@receiver(post_save, sender=Device)
def ask_for_its_keys_again(instance: Device, **kwargs: Any) -> None:
    """One that is switched off, in admin or a shell, is shut out of this process at once."""
    known_keys.forget(instance.pk)


def _was_shut_out(request: HttpRequest) -> bool:
    """Already before this attempt: then it was not counted, and the trail has the lockout."""
    return bool(request.axes_locked_out) and request.axes_failures_since_start is None  # type: ignore[attr-defined]
