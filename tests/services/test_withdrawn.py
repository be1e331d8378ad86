"""What must not leave any more by the time it is due: withdrawn, with the reason, and never sent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Membership, User
from monitoring.clinical.escalation import Way
from monitoring.models import Alert, Delivery, WebhookEndpoint
from monitoring.services import admissions, deliveries
from tests.services.alerting import MINUTE, watch
from tests.services.outbox import queued, send, to_hook

pytestmark = pytest.mark.django_db
LATER = timedelta(seconds=1)


def transfer(patient, ward):
    admissions.transfer(patient.admissions.get(), bed=ward.beds.get(position=1), by=None, at=timezone.now())


def outcome(row):
    row.refresh_from_db()
    return row.state, row.attempts, row.last_error


class TestTransfer:
    def test_the_old_ward_hears_no_more_of_it(self, noor, ada, north, south, alert, mail, hook, settings, now):
        mail.use(settings)
        letter, post = queued(alert, now, Way.EMAIL, user=noor), to_hook(alert, north, hook.url, now)
        transfer(ada, south)

        send(now + LATER)

        assert outcome(letter) == outcome(post) == ("withdrawn", 0, "the alert is another ward's by now")
        assert mail.letters == hook.posts == []

    def test_what_failed_before_is_not_tried_again(self, noor, ada, north, south, alert, hook, now):
        hook.status = 500
        post = to_hook(alert, north, hook.url, now)
        send(now)
        transfer(ada, south)

        send(now + MINUTE)

        assert outcome(post) == ("withdrawn", 1, "the alert is another ward's by now")
        assert len(hook.posts) == 1

    def test_the_new_wards_next_step_is_not_hurried_by_it(self, noor, eve, ada, north, south, alert, hook, now):
        watch(now)
        alert.refresh_from_db()
        to_hook(alert, north, hook.url, now)
        transfer(ada, south)
        watch(timezone.now())
        planned = Alert.objects.get().next_step_at

        send(timezone.now())

        assert Alert.objects.get().next_step_at == planned

    def test_the_new_ward_is_told(self, eve, ada, south, alert, mail, settings, now):
        mail.use(settings)
        transfer(ada, south)
        alert.refresh_from_db()
        queued(alert, now, Way.EMAIL, user=eve)

        send(now)

        assert [letter["To"] for letter in mail.letters] == ["eve@example.org"]


class TestPeople:
    @pytest.mark.parametrize("way", [Way.EMAIL, Way.PUSH])
    def test_who_left_the_ward_gets_nothing_and_the_next_step_is_due(self, noor, dora, alert, mail, settings, now, way):
        mail.use(settings)
        watch(now)  # step 1; the doctors in 5 minutes
        alert.refresh_from_db()
        row = queued(alert, now, way, user=noor)
        Membership.objects.filter(user=noor).delete()

        send(now)

        assert outcome(row) == ("withdrawn", 0, "the person is no longer a member of the ward")
        assert mail.letters == []
        assert Alert.objects.get().next_step_at < now + MINUTE

    def test_who_was_deactivated_gets_nothing(self, noor, dora, alert, mail, settings, now):
        mail.use(settings)
        row, other = queued(alert, now, Way.EMAIL, user=noor), queued(alert, now, Way.EMAIL, user=dora)
        User.objects.filter(pk=noor.pk).update(is_active=False)

        send(now)

        assert outcome(row) == ("withdrawn", 0, "the person is no longer active")
        assert outcome(other) == ("sent", 1, "")

    def test_it_is_an_end(self, noor, alert, mail, settings, now):
        mail.use(settings)
        row = queued(alert, now, Way.EMAIL, user=noor)
        membership = Membership.objects.get(user=noor)
        membership.delete()
        send(now)
        membership.save(force_insert=True)

        assert deliveries.send_again(Delivery.objects.filter(pk=row.pk), by=noor, now=now) == 0
        assert send(now + 60 * MINUTE) == 0


class TestWebhook:
    def test_one_that_was_switched_off_gets_nothing_and_the_next_step_is_due(self, noor, north, alert, hook, now):
        watch(now)
        alert.refresh_from_db()
        row = to_hook(alert, north, hook.url, now)
        WebhookEndpoint.objects.update(is_active=False)

        send(now)

        assert outcome(row) == ("withdrawn", 0, "the webhook is switched off")
        assert hook.posts == []
        assert Alert.objects.get().next_step_at < now + MINUTE

    def test_one_that_was_given_to_another_ward_gets_nothing_of_this_one(self, north, south, alert, hook, now):
        row = to_hook(alert, north, hook.url, now)
        WebhookEndpoint.objects.update(ward=south)

        send(now)

        assert outcome(row) == ("withdrawn", 0, "the webhook is another ward's by now")
        assert hook.posts == []
