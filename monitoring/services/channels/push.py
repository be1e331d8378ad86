"""Web push to every browser that a person lets call him; it has arrived when one push service took it."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from functools import lru_cache

import msgspec
import requests
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from py_vapid import Vapid
from pywebpush import WebPushException, webpush

from monitoring.clinical.escalation import Way
from monitoring.models import Delivery, PushSubscription
from monitoring.services.channels import PATIENCE, Failed, Sending, available
from monitoring.services.channels.notice import LISTED, Notice, by_urgency, notices, summary

GONE = {404, 410}  # the browser has withdrawn it (RFC 8030 §7.3)
LONGEST = 3993  # bytes that a push can carry: its record of 4096 bears a header of 86 and 17 of the cipher (RFC 8291 §4)
KEPT_FOR = 600  # seconds that a push service keeps it for a browser that is away: later it would be no news


def prepare(rows: Sequence[Delivery]) -> Sending:
    """All rows are for the same person."""
    if not available(Way.PUSH):
        raise Failed("web push is not configured (VAPID_PRIVATE_KEY)")
    browsers = list(PushSubscription.objects.filter(user=rows[0].user, user__is_active=True))
    if not browsers:
        raise Failed("no browser of this person can be called")
    body = _body(notices(by_urgency(rows)))
    gone: list[int] = []
    return Sending(
        run=lambda: _call(browsers, body, gone),
        after=lambda: PushSubscription.objects.filter(pk__in=gone).delete() and None,
    )


@lru_cache(maxsize=1)
def public_key() -> str:
    """What a browser has to know of our key before it subscribes (RFC 8292): the point, in base64url."""
    point = Vapid.from_string(settings.VAPID_PRIVATE_KEY).public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return urlsafe_b64encode(point).rstrip(b"=").decode()


def _body(said: Sequence[Notice]) -> bytes:
    """As many lines as a push can carry; the rest are counted."""
    first = said[0]
    more = f" and {len(said) - 1} more" if len(said) > 1 else ""
    title = f"{first.severity.upper()} {first.ward} {first.place}{more}"
    listed = min(LISTED, len(said))
    while True:
        lines = "\n".join(summary(said, listed))
        body = msgspec.json.encode({"title": title, "body": lines, "ward": first.ward_slug, "tag": first.alert})
        if len(body) <= LONGEST or not listed:
            return body
        listed -= 1


def _call(browsers: Sequence[PushSubscription], body: bytes, gone: list[int]) -> None:
    failures = []
    for browser in browsers:
        try:
            _send(browser, body)
        except Failed as failed:
            failures.append(str(failed))
        except _Gone:
            gone.append(browser.pk)
            failures.append("the browser has withdrawn its subscription")
    if len(failures) == len(browsers):
        raise Failed("; ".join(sorted(set(failures))))


class _Gone(Exception):
    """The push service will never reach this browser again."""


def _send(browser: PushSubscription, body: bytes) -> None:
    address = {"endpoint": browser.endpoint, "keys": {"p256dh": browser.p256dh, "auth": browser.auth}}
    with requests.Session() as session:
        session.max_redirects = 0
        try:
            webpush(
                address,
                body,
                vapid_private_key=settings.VAPID_PRIVATE_KEY,
                vapid_claims={"sub": settings.VAPID_SUBJECT},
                ttl=KEPT_FOR,
                headers={"Urgency": "high"},
                timeout=PATIENCE,
                requests_session=session,
            )
        except WebPushException as refused:
            status = getattr(refused.response, "status_code", None)
            if status in GONE:
                raise _Gone from refused
            raise Failed(f"the push service answered {status}" if status else "the browser's keys are unusable") from refused
        except requests.Timeout as late:
            raise Failed(f"push service: no answer within {PATIENCE:g} s") from late
        except requests.TooManyRedirects as led_away:
            raise Failed("the push service answered with a redirect") from led_away
        except requests.RequestException as broken:
            raise Failed("the push service cannot be reached") from broken
        except ValueError as unusable:
            raise Failed("the keys of the browser or of this installation are unusable") from unusable
