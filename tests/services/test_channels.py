"""Webhooks and web push, to real servers: what arrives, what never leaves, and what is said when nothing does."""

from __future__ import annotations

import base64
import json
import os

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid

from monitoring.clinical.escalation import Way
from monitoring.models import Delivery, PushSubscription
from monitoring.services import channels, deliveries
from monitoring.services.channels import push, webhook
from tests.ports import free_port
from tests.services.alerting import MINUTE, raised, watch
from tests.services.outbox import SECRET, queued, send, send_until_it_ends, to_hook
from tests.services.receivers import receiver, silent_server


@pytest.fixture
def impatient(monkeypatch):
    """The same limit, sooner."""
    for module in (channels, push, webhook):
        monkeypatch.setattr(module, "PATIENCE", 0.3)


class Browser:
    """A browser that gave us its address, and can read what only it can read."""

    def __init__(self, user, endpoint):
        self.key, self.auth = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        PushSubscription.objects.create(user=user, endpoint=endpoint, p256dh=_text(point), auth=_text(self.auth))

    def read(self, body):
        return json.loads(http_ece.decrypt(body, private_key=self.key, auth_secret=self.auth))


def _text(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.fixture
def vapid(settings):
    pair = Vapid()
    pair.generate_keys()
    settings.VAPID_PRIVATE_KEY = _text(pair.private_key.private_numbers().private_value.to_bytes(32, "big"))
    settings.VAPID_SUBJECT = "mailto:ward@example.org"


class TestWebhook:
    def test_a_signed_post(self, north, alert, hook, now):
        row = to_hook(alert, north, hook.url, now)

        send(now)

        ((headers, body),) = hook.posts
        assert json.loads(body)["type"] == "alerts"
        (said,) = json.loads(body)["alerts"]
        assert headers["X-MedQL-Delivery"] == str(said["delivery"]) == str(row.pk)
        assert headers["X-MedQL-Signature"] == webhook.signature(SECRET, body)
        assert headers["Content-Type"] == "application/json"
        assert (said["ward"], said["place"], said["severity"], said["value"]) == ("North", "N1", "critical", 84)
        assert said["alert"] == str(alert.pk)
        assert b"Ada" not in body
        assert b"P-ADA" not in body

    def test_a_failing_receiver_is_told_tried_again_and_then_escalated(self, north, dora, noor, alert, hook, now):
        hook.status = 500
        watch(now)
        alert.refresh_from_db()
        row = to_hook(alert, north, hook.url, now)

        assert send_until_it_ends(row, now) == 5

        assert (row.state, row.last_error) == ("given_up", "the webhook answered 500")
        assert hook.ids() == [str(row.pk)] * 5
        alert.refresh_from_db()
        assert alert.next_step_at < now + 2 * MINUTE
        assert alert.is_open

    def test_it_arrives_once_the_receiver_is_well_again(self, north, alert, hook, now):
        hook.status = 503
        row = to_hook(alert, north, hook.url, now)
        send(now)
        hook.status = 204

        assert send_until_it_ends(row, now) == 2

        assert (row.state, row.last_error) == ("sent", "")

    def test_a_redirect_is_not_followed(self, north, alert, hook, now):
        with receiver(307) as astray:
            astray.answer_headers["Location"] = hook.url
            row = to_hook(alert, north, astray.url, now)
            send(now)

        row.refresh_from_db()
        assert row.last_error == "the webhook answered 307"
        assert hook.posts == []

    @pytest.mark.parametrize(
        ("url", "why"),
        [
            ("http://no-such-host.invalid/", "webhook: the name of the host is not known"),
            ("http://127.0.0.1:{closed}/", "webhook: nobody listens there"),
            ("https://127.0.0.1:{plain}/", "webhook: TLS failed"),
        ],
    )
    def test_a_bad_address_is_told(self, north, alert, hook, now, url, why):
        row = to_hook(alert, north, url.format(closed=free_port(), plain=hook.url.split(":")[2].split("/")[0]), now)

        send(now)

        row.refresh_from_db()
        assert (row.state, row.last_error) == ("failed", why)

    def test_a_receiver_that_never_answers_is_left(self, north, alert, now, impatient):
        with silent_server() as port:
            row = to_hook(alert, north, f"http://127.0.0.1:{port}/", now)
            send(now)

        row.refresh_from_db()
        assert row.last_error == "webhook: no answer within 0.3 s"

    def test_a_receiver_that_talks_for_ever_is_left(self, north, alert, now, monkeypatch):
        monkeypatch.setattr(deliveries, "DEADLINE", 0.5)
        with receiver() as slow:
            slow.hold()
            row = to_hook(alert, north, slow.url, now)
            send(now)

        row.refresh_from_db()
        assert row.last_error == "not done within 0.5 s"


class TestPush:
    def test_only_the_browser_can_read_it(self, dora, alert, hook, vapid, now):
        browser = Browser(dora, hook.url)
        row = queued(alert, now, Way.PUSH, user=dora)

        send(now)

        row.refresh_from_db()
        assert (row.state, row.last_error) == ("sent", "")
        ((headers, body),) = hook.posts
        said = browser.read(body)
        assert said["title"] == "CRITICAL North N1"
        assert "SpO₂ 84 < 85 %" in said["body"]
        assert "Ada" not in json.dumps(said)
        assert headers["Authorization"].startswith("vapid ")
        assert headers["Urgency"] == "high"

    def test_a_flood_in_a_ward_with_a_long_name_fits_and_is_counted(self, dora, north, ada, hook, vapid, now):
        north.name, north.slug = "Ü" * 100, "u" * 50
        north.save()
        north.beds.filter(position=1).update(name="Ö" * 20)
        browser = Browser(dora, hook.url)
        for number in range(12):
            alert = raised(ada, now, condition=f"condition_{number}", detail="‰" * 200)
            queued(alert, now, Way.PUSH, user=dora)

        send(now)

        ((_, body),) = hook.posts
        assert len(body) <= 4096
        *lines, rest = browser.read(body)["body"].split("\n")
        assert 1 <= len(lines) < 10
        assert rest == f"and {12 - len(lines)} more"
        assert set(Delivery.objects.values_list("state", "attempts")) == {("sent", 1)}

    def test_a_browser_that_has_withdrawn_is_forgotten(self, dora, alert, hook, vapid, now):
        with receiver(410) as gone:
            Browser(dora, hook.url), Browser(dora, gone.url)
            row = queued(alert, now, Way.PUSH, user=dora)
            send(now)

        row.refresh_from_db()
        assert row.state == "sent"
        assert PushSubscription.objects.get().endpoint == hook.url

    def test_when_none_can_be_called_it_is_tried_again(self, dora, alert, hook, vapid, now):
        hook.status = 500
        Browser(dora, hook.url)
        row = queued(alert, now, Way.PUSH, user=dora)

        send(now)

        row.refresh_from_db()
        assert (row.state, row.last_error) == ("failed", "the push service answered 500")

    @pytest.mark.parametrize(
        ("url", "why"),
        [
            ("http://no-such-host.invalid/p", "the push service cannot be reached"),
            ("http://127.0.0.1:{silent}/p", "push service: no answer within 0.3 s"),
        ],
    )
    def test_a_push_service_that_is_not_there_is_told(self, dora, alert, vapid, now, url, why, impatient):
        with silent_server() as port:
            Browser(dora, url.format(silent=port))
            row = queued(alert, now, Way.PUSH, user=dora)
            send(now)

        row.refresh_from_db()
        assert row.last_error == why

    def test_a_redirect_is_not_followed(self, dora, alert, hook, vapid, now):
        with receiver(307) as astray:
            astray.answer_headers["Location"] = hook.url
            Browser(dora, astray.url)
            row = queued(alert, now, Way.PUSH, user=dora)
            send(now)

        row.refresh_from_db()
        assert "redirect" in row.last_error or "307" in row.last_error
        assert hook.posts == []

    def test_keys_that_make_no_sense_are_told(self, dora, alert, hook, vapid, now):
        PushSubscription.objects.create(user=dora, endpoint=hook.url, p256dh="nonsense", auth="x")
        row = queued(alert, now, Way.PUSH, user=dora)

        send(now)

        row.refresh_from_db()
        assert "unusable" in row.last_error
