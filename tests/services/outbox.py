"""The outbox as tests speak of it: something is queued, the watcher sends what is due."""

from __future__ import annotations

from monitoring.clinical.escalation import Way
from monitoring.models import WebhookEndpoint
from monitoring.services import deliveries, recipients

SECRET = "between us two only"


def endpoint(ward, url, *, name=None):
    webhook = WebhookEndpoint(ward=ward, name=name or f"pager {url}", url=url).signing_with(SECRET)
    webhook.save()
    return webhook


def to_hook(alert, ward, url, now):
    return queued(alert, now, Way.WEBHOOK, endpoint_id=endpoint(ward, url).pk)


def queued(alert, now, way, **recipient):
    row = recipients.written(alert, way=way, now=now, **recipient)
    row.save()
    return row


def send(now):
    """Everything that is due."""
    return sum(1 for _ in range(100) if deliveries.send_due(now=now))


def send_until_it_ends(row, now):
    """The watcher, whenever the row is due, until it has its outcome; how many attempts it took."""
    at = now
    while row.next_attempt_at is not None:
        at = max(at, row.next_attempt_at)
        send(at)
        row.refresh_from_db()
        assert row.attempts <= 10, row.last_error
    return row.attempts
