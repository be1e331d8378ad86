"""Browsers that a person lets call him."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from accounts.models import User
from monitoring.models import PushSubscription

# Whom browsers use. An address is given by a browser and called by us: anywhere else it would be a way into the house.
PUSH_SERVICES = ("fcm.googleapis.com", "push.services.mozilla.com", "push.apple.com", "notify.windows.com")
_KEY = re.compile(r"[A-Za-z0-9_-]{16,100}=*")


class Unusable(Exception):
    """The address belongs to no push service that browsers use, or the keys are none; the field that is to blame."""


def allow(*, user: User, endpoint: str, p256dh: str, auth: str) -> None:
    """From now on this browser calls this person, and nobody else any more. Raises Unusable."""
    if not _of_a_push_service(endpoint):
        raise Unusable("endpoint")
    for name, key, longest in (("p256dh", p256dh, 100), ("auth", auth, 50)):
        if len(key) > longest or not _KEY.fullmatch(key):
            raise Unusable(name)
    PushSubscription.objects.update_or_create(endpoint=endpoint, defaults={"user": user, "p256dh": p256dh, "auth": auth})


def forget(*, user: User, endpoint: str) -> None:
    """This browser calls this person no more."""
    PushSubscription.objects.filter(user=user, endpoint=endpoint).delete()


def _of_a_push_service(endpoint: str) -> bool:
    try:
        address = urlsplit(endpoint)
        host, port = address.hostname or "", address.port
    except ValueError:
        return False
    known = any(host == service or host.endswith(f".{service}") for service in PUSH_SERVICES)
    whole = endpoint.isascii() and endpoint.isprintable() and " " not in endpoint and len(endpoint) <= 500
    return known and whole and address.scheme == "https" and port in (None, 443) and not address.username
