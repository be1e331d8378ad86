"""A flood from one patient or one device: few messages, and every alert in one of them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from monitoring.clinical.escalation import Way
from monitoring.models import Alert, Delivery, EscalationStep
from monitoring.services import bundles
from tests.services.alerting import raised, watch
from tests.services.outbox import endpoint, queued, send

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


@pytest.fixture
def pager(north, hook):
    return endpoint(north, hook.url)


def mailed(person, patient, at, condition, severity="critical"):
    return queued(raised(patient, at, severity, condition=condition, detail=condition), at, Way.EMAIL, user=person)


def posted(pager, patient, at, condition, severity="critical"):
    return queued(raised(patient, at, severity, condition=condition, detail=condition), at, Way.WEBHOOK, endpoint_id=pager.pk)


def named_in(letter):
    return [line.partition(": ")[2].partition(",")[0] for line in letter.get_content().splitlines() if "North" in line]


class TestPeople:
    def test_further_ones_about_a_patient_wait_and_leave_as_one(self, noor, north, ada, mail, settings, now):
        mail.use(settings)
        EscalationStep.objects.create(ward=north, after_minutes=0, severity="warning", whom="nurses", email=True)
        for number in range(10):
            at = now + 3 * number * SECOND
            raised(ada, at, condition=f"c{number}", detail=f"c{number}")
            watch(at)
            send(at)
        assert [named_in(letter) for letter in mail.letters] == [["c0"]]

        send(now + 31 * SECOND)

        assert named_in(mail.letters[1]) == [f"c{number}" for number in range(1, 10)]
        assert len(mail.letters) == 2
        assert set(Delivery.objects.values_list("state", "attempts")) == {("sent", 1)}

    def test_a_worse_one_leaves_at_once_with_what_waits(self, noor, ada, mail, settings, now):
        mail.use(settings)
        mailed(noor, ada, now, "first", "warning")
        send(now)
        mailed(noor, ada, now + SECOND, "second", "warning")
        send(now + SECOND)
        assert len(mail.letters) == 1

        mailed(noor, ada, now + 2 * SECOND, "worse")
        send(now + 2 * SECOND)

        assert named_in(mail.letters[1]) == ["worse", "second"]

    def test_one_that_became_worse_while_it_waited_leaves_at_once(self, noor, ada, mail, settings, now):
        mail.use(settings)
        mailed(noor, ada, now, "first", "warning")
        send(now)
        waits = mailed(noor, ada, now + SECOND, "second", "warning")
        Alert.objects.filter(pk=waits.alert_id).update(severity="critical")

        send(now + SECOND)
        mailed(noor, ada, now + 2 * SECOND, "third")
        send(now + 2 * SECOND)

        assert [named_in(letter) for letter in mail.letters] == [["first"], ["second"]]  # and the third is no worse than that

    def test_one_about_another_patient_leaves_at_once_with_what_waits(self, noor, ada, ben, mail, settings, now):
        mail.use(settings)
        mailed(noor, ada, now, "first")
        send(now)
        mailed(noor, ada, now + SECOND, "second")
        send(now + SECOND)

        mailed(noor, ben, now + 2 * SECOND, "bens")
        send(now + 2 * SECOND)

        assert sorted(named_in(mail.letters[1])) == ["bens", "second"]

    def test_what_another_was_told_keeps_nothing_back(self, noor, dora, ada, mail, settings, now):
        mail.use(settings)
        mailed(noor, ada, now, "first")
        send(now)

        mailed(dora, ada, now + SECOND, "second")
        send(now + SECOND)

        assert len(mail.letters) == 2

    def test_what_could_not_be_told_keeps_nothing_back(self, noor, ada, mail, settings, now):
        mail.use(settings)
        mail.refusals["noor@example.org"] = "552 5.2.2 Mailbox full"
        mailed(noor, ada, now, "first")
        send(now)
        mail.refusals.clear()

        mailed(noor, ada, now + SECOND, "second")
        send(now + SECOND)
        assert [named_in(letter) for letter in mail.letters] == [["second"]]
        send(now + 7 * SECOND)
        assert len(mail.letters) == 1  # the first is tried again when the second is 30 s old
        send(now + 32 * SECOND)

        assert named_in(mail.letters[1]) == ["first"]

    def test_a_clock_that_is_set_back_keeps_nothing_back(self, noor, ada, mail, settings, now):
        mail.use(settings)
        mailed(noor, ada, now, "first")
        send(now)
        mailed(noor, ada, now + SECOND, "second")
        send(now + SECOND)

        send(now - timedelta(hours=1))

        assert len(mail.letters) == 2


class TestWebhook:
    def test_what_is_due_for_an_endpoint_leaves_as_one_post(self, north, ada, ben, pager, hook, now):
        rows = [posted(pager, patient, now, f"c{number}") for patient in (ada, ben) for number in range(20)]

        send(now)

        ((_, body),) = hook.posts
        assert [alert["delivery"] for alert in json.loads(body)["alerts"]] == [row.pk for row in rows]
        assert {alert["why"] for alert in json.loads(body)["alerts"]} == {"escalation"}

    def test_a_post_bears_no_more_than_its_bound(self, ada, ben, pager, hook, now):
        rows = [posted(pager, patient, now, f"c{number}") for number in range(35) for patient in (ada, ben)]

        send(now)
        send(now + bundles.HOLD)

        assert [len(json.loads(body)["alerts"]) for _, body in hook.posts] == [50, 20]
        assert hook.deliveries() == [row.pk for row in rows]

    def test_further_ones_about_a_patient_wait_unless_they_are_worse(self, ada, pager, hook, now):
        posted(pager, ada, now, "first", "warning")
        send(now)
        posted(pager, ada, now + SECOND, "second", "warning")
        send(now + SECOND)
        posted(pager, ada, now + 2 * SECOND, "worse")
        send(now + 2 * SECOND)
        posted(pager, ada, now + 3 * SECOND, "third")
        send(now + 3 * SECOND)
        send(now + 33 * SECOND)

        assert [len(json.loads(body)["alerts"]) for _, body in hook.posts] == [1, 2, 1]

    def test_the_same_set_is_tried_again_under_the_same_id_then_in_parts_then_each_alone(self, ada, pager, hook, now):
        hook.status = 500
        rows = [posted(pager, ada, now, f"c{number}") for number in range(12)]
        while waiting := Delivery.objects.exclude(next_attempt_at=None).order_by("next_attempt_at").first():
            send(waiting.next_attempt_at)

        sizes = [len(json.loads(body)["alerts"]) for _, body in hook.posts]
        assert sizes == [12, 12, 10, 2, *[1] * 24]
        assert hook.ids()[0] == hook.ids()[1] not in hook.ids()[2:]
        assert sorted(hook.ids()[-12:], key=int) == [str(row.pk) for row in rows]
        assert set(Delivery.objects.values_list("state", "attempts")) == {("given_up", 5)}

    def test_one_alert_that_a_receiver_refuses_takes_no_other_with_it(self, ada, pager, hook, now, monkeypatch):
        rows = [posted(pager, ada, now, f"c{number}") for number in range(30)]
        bad = rows[11].pk
        hook.refuses = lambda body: any(alert["delivery"] == bad for alert in json.loads(body)["alerts"])
        while waiting := Delivery.objects.exclude(next_attempt_at=None).order_by("next_attempt_at").first():
            send(waiting.next_attempt_at)

        assert list(Delivery.objects.exclude(state="sent").values_list("pk", "state", "attempts")) == [(bad, "given_up", 5)]
