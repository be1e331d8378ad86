"""A signed POST of alerts to a machine. It answers 2xx, or they count as not delivered; a redirect is not followed.

The body is signed with the endpoint's secret: `X-MedQL-Signature: sha256=<HMAC-SHA256 of the body, hex>`. `X-MedQL-Delivery`
stays the same while the same alerts are sent together; a receiver knows an alert that it has seen by its `delivery`.
"""

from __future__ import annotations

import hashlib
import hmac
import ssl
from collections.abc import Sequence
from dataclasses import asdict
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

import msgspec

from accounts import sealing
from monitoring.models import Delivery, WebhookEndpoint
from monitoring.services.channels import PATIENCE, Failed, Sending, in_words
from monitoring.services.channels.notice import name_of, notices


def prepare(rows: Sequence[Delivery]) -> Sending:
    """All rows are for the same endpoint."""
    endpoint = rows[0].endpoint
    assert endpoint is not None
    alerts = [asdict(notice) | {"why": row.why} for row, notice in zip(rows, notices(rows), strict=True)]
    body = msgspec.json.encode({"type": "alerts", "alerts": alerts})
    try:
        signed = signature(endpoint.secret(), body)
    except sealing.Unreadable as fault:
        raise Failed("the secret of this webhook cannot be read: type it in anew") from fault
    return Sending(lambda: _post(endpoint, name_of(rows), body, signed))


def signature(secret: str, body: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _post(endpoint: WebhookEndpoint, delivery: str, body: bytes, signed: str) -> None:
    address = urlsplit(endpoint.url)
    path = (address.path or "/") + (f"?{address.query}" if address.query else "")
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "MedQL",
        "X-MedQL-Delivery": delivery,
        "X-MedQL-Signature": signed,
    }
    link = _link(address.scheme, address.hostname or "", address.port)
    try:
        link.request("POST", path, body, headers)
        status = link.getresponse().status
    except OSError as error:
        raise Failed(f"webhook: {in_words(error)}") from error
    except (HTTPException, ValueError) as broken:
        raise Failed("webhook: what answers there speaks no HTTP") from broken
    finally:
        link.close()
    if not 200 <= status < 300:
        raise Failed(f"the webhook answered {status}")


def _link(scheme: str, host: str, port: int | None) -> HTTPConnection:
    if scheme == "https":
        return HTTPSConnection(host, port, timeout=PATIENCE, context=ssl.create_default_context())
    return HTTPConnection(host, port, timeout=PATIENCE)
