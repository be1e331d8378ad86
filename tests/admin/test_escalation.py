"""A ward's plan is set on its page; a step that could never reach anybody is refused at its field."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Membership, User, Ward
from monitoring.clinical.escalation import Way
from monitoring.models import Alert, Delivery, EscalationStep, Patient, PushSubscription, Shift, WardRules, WebhookEndpoint
from monitoring.services import recipients
from tests.admin.pages import act, address, errors, line_errors, said, split, ward_page
from tests.services.alerting import raised
from tests.services.outbox import SECRET, endpoint

NURSES: dict[str, Any] = {"after_minutes": 0, "severity": "warning", "whom": "nurses", "in_app": "on"}


@pytest.fixture
def pager(north: Ward) -> WebhookEndpoint:
    return endpoint(north, "http://pager:8080/hook", name="pager")


def save(office: Client, ward: Ward, *steps: dict[str, Any], **lists: Any) -> Any:
    return office.post(address(Ward, "change", ward.pk), ward_page(ward, escalation_steps=steps, **lists))


def test_the_steps_of_a_ward(office: Client, north: Ward, noor: User, dora: User, pager: WebhookEndpoint) -> None:
    person = {"after_minutes": 5, "severity": "critical", "whom": "person", "person": dora.pk, "in_app": "on"}
    machine = {"after_minutes": 9, "severity": "critical", "whom": "nobody", "webhook": pager.pk}

    answer = save(office, north, NURSES, person, machine)

    assert answer.status_code == 302
    steps = EscalationStep.objects.order_by("after_minutes")
    assert [(step.after_minutes, step.whom, sorted(step.ways)) for step in steps] == [
        (0, "nurses", ["in_app"]),
        (5, "person", ["in_app"]),
        (9, "nobody", ["webhook"]),
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"after_minutes": 1441}, "after_minutes"),
        ({"after_minutes": -1}, "after_minutes"),
        ({"after_minutes": ""}, "after_minutes"),
        ({"whom": "doctors"}, "whom"),  # North has none here
        ({"whom": "on_duty"}, "whom"),  # and no shift
        ({"whom": ""}, "whom"),
        ({"whom": "person"}, "person"),
        ({"whom": "nobody", "in_app": ""}, "webhook"),
        ({"in_app": ""}, "in_app"),
        ({"email": "on"}, "email"),  # no mail server
        ({"push": "on"}, "push"),  # no key for web push
        ({"webhook": 987654}, "webhook"),
    ],
)
def test_a_step_that_reaches_nobody_is_refused_at_its_field(
    office: Client, north: Ward, noor: User, change: dict[str, Any], field: str
) -> None:
    answer = save(office, north, {key: value for key, value in (NURSES | change).items() if value != ""})

    assert list(line_errors(answer, prefix="escalation_steps")) == [field]
    assert not EscalationStep.objects.exists()


def test_of_two_steps_at_the_same_time_the_second_is_refused(office: Client, north: Ward, noor: User) -> None:
    answer = save(office, north, NURSES, NURSES | {"severity": "critical"})

    assert line_errors(answer, 0, "escalation_steps") == {}
    assert list(line_errors(answer, 1, "escalation_steps")) == ["after_minutes"]
    assert not EscalationStep.objects.exists()


def test_a_plan_is_changed_and_ended(office: Client, north: Ward, noor: User) -> None:
    save(office, north, NURSES, NURSES | {"after_minutes": 7})
    first, second = ({"id": step.pk} for step in EscalationStep.objects.order_by("after_minutes"))

    answer = save(office, north, NURSES | first | {"DELETE": "on"}, NURSES | second | {"after_minutes": 3})

    assert answer.status_code == 302
    assert list(EscalationStep.objects.values_list("after_minutes", flat=True)) == [3]


@pytest.mark.parametrize("why", ["inactive", "of another ward"])
def test_a_person_who_cannot_be_reached_is_refused(office: Client, north: Ward, noor: User, eve: User, why: str) -> None:
    person = noor if why == "inactive" else eve
    User.objects.filter(pk=noor.pk).update(is_active=False)

    answer = save(office, north, NURSES | {"whom": "person", "person": person.pk})

    assert line_errors(answer, prefix="escalation_steps") == {
        "person": ["This person is not active, or no member of this ward."]
    }


def test_push_needs_a_browser_that_may_be_called(office: Client, north: Ward, noor: User, settings: Any) -> None:
    settings.VAPID_PRIVATE_KEY = "set"

    refused = save(office, north, NURSES | {"push": "on"})
    PushSubscription.objects.create(user=noor, endpoint="https://push.example.org/1", p256dh="k", auth="a")
    taken = save(office, north, NURSES | {"push": "on"})

    assert list(line_errors(refused, prefix="escalation_steps")) == ["push"]
    assert taken.status_code == 302


def test_the_webhook_of_another_ward_is_refused(office: Client, north: Ward, south: Ward, noor: User) -> None:
    theirs = endpoint(south, "http://pager/")

    answer = save(office, north, NURSES | {"webhook": theirs.pk})

    assert list(line_errors(answer, prefix="escalation_steps")) == ["webhook"]


def test_the_rules_of_a_ward(office: Client, north: Ward) -> None:
    rules = {"longest_silence": 5, "taken_for": 20, "repeat": 15}

    save(office, north, rules=[rules])
    refused = save(office, north, rules=[rules | {"ward": north.pk, "id": "", "taken_for": 0}])

    stored = WardRules.objects.get()
    assert (stored.longest_silence, stored.taken_for, stored.repeat) == (5, 20, 15)
    assert refused.status_code == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "ftp://pager.example.org/"}, "url"),
        ({"url": "pager.example.org"}, "url"),
        ({"url": "http://"}, "url"),
        ({"url": "http://user:word@pager.example.org/"}, "url"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"url": "http://pager example/"}, "url"),
        ({"url": "http://pager:99999/"}, "url"),
        ({"secret": "short"}, "secret"),
        ({"secret": ""}, "secret"),
    ],
)
def test_a_webhook_that_cannot_be_called_is_refused(office: Client, north: Ward, change: dict[str, str], field: str) -> None:
    page = {"ward": north.pk, "name": "pager", "url": "https://pager.example.org/x", "secret": SECRET, "is_active": "on"}

    answer = office.post(address(WebhookEndpoint, "add"), page | change)

    assert list(errors(answer)) == [field]


@pytest.mark.parametrize(("change", "field"), [({"is_active": ""}, "is_active"), ({"ward": "south"}, "ward")])
def test_a_webhook_that_a_step_uses_stays_where_it_is_and_on(
    office: Client, north: Ward, south: Ward, pager: WebhookEndpoint, change: dict[str, Any], field: str
) -> None:
    page = {"ward": north.pk, "name": "bleep", "url": pager.url, "secret": "", "is_active": "on"}
    change = change | ({"ward": south.pk} if "ward" in change else {})
    save(office, north, {"after_minutes": 0, "severity": "critical", "whom": "nobody", "webhook": pager.pk})

    refused = office.post(address(WebhookEndpoint, "change", pager.pk), page | change)
    renamed = office.post(address(WebhookEndpoint, "change", pager.pk), page)

    assert list(errors(refused)) == [field]
    assert renamed.status_code == 302
    EscalationStep.objects.all().delete()
    assert office.post(address(WebhookEndpoint, "change", pager.pk), page | change).status_code == 302
    pager.refresh_from_db()
    assert (pager.name, pager.is_active, pager.ward) == ("bleep", field != "is_active", south if field == "ward" else north)


def test_a_webhooks_secret_is_never_shown_and_stays(office: Client, pager: WebhookEndpoint, north: Ward) -> None:
    page = address(WebhookEndpoint, "change", pager.pk)

    shown = office.get(page).content.decode()
    office.post(page, {"ward": north.pk, "name": "gate", "url": "http://gate/", "secret": "", "is_active": "on"})

    pager.refresh_from_db()
    assert SECRET not in shown
    assert (pager.name, pager.secret()) == ("gate", SECRET)


def test_another_secret_is_taken_and_kept_sealed(office: Client, pager: WebhookEndpoint, north: Ward) -> None:
    page = {"ward": north.pk, "name": "pager", "url": pager.url, "secret": "another one of ours", "is_active": "on"}

    office.post(address(WebhookEndpoint, "change", pager.pk), page)

    pager.refresh_from_db()
    assert pager.secret() == "another one of ours"
    assert "another" not in str(list(WebhookEndpoint.objects.values_list()))


class TestShifts:
    def test_a_shift_is_planned_and_prolonged(self, office: Client, north: Ward, noor: User, now: datetime) -> None:
        page: dict[str, Any] = {"user": noor.pk, "ward": north.pk} | split("starts_at", now - timedelta(hours=8))
        office.post(address(Shift, "add"), page | split("ends_at", now))
        Shift.objects.update(returned_at=now)

        office.post(address(Shift, "change", Shift.objects.get().pk), page | split("ends_at", now + timedelta(hours=2)))

        assert Shift.objects.get().returned_at is None

    def test_it_ends_after_it_begins_and_is_of_a_member(
        self, office: Client, north: Ward, noor: User, eve: User, now: datetime
    ) -> None:
        page: dict[str, Any] = {"user": eve.pk, "ward": north.pk} | split("starts_at", now) | split("ends_at", now)

        answer = office.post(address(Shift, "add"), page)

        assert set(errors(answer)) == {"ends_at", "user"}
        assert Membership.objects.filter(user=eve, ward=north).count() == 0


class TestDeliveries:
    def _failed(self, alert: Alert, pager: WebhookEndpoint, now: datetime) -> Delivery:
        row = recipients.written(alert, endpoint_id=pager.pk, way=Way.WEBHOOK, now=now)
        row.state, row.next_attempt_at, row.last_error = Delivery.State.GIVEN_UP, None, "the webhook answered 500"
        row.attempts = 5
        row.save()
        return row

    def test_the_outcome_is_seen_and_what_failed_is_sent_again(
        self, office: Client, pager: WebhookEndpoint, noor: User, ada: Patient, now: datetime
    ) -> None:
        alert = raised(ada, now)
        failed = self._failed(alert, pager, now)
        arrived = recipients.written(alert, user=noor, way=Way.IN_APP, now=now)
        arrived.save()

        shown = office.get(address(Delivery), {"outcome": "given up"})
        answer = act(office, Delivery, "send_again", failed, arrived)

        assert shown.context["cl"].result_count == 1
        assert "the webhook answered 500" in shown.content.decode()
        assert said(answer) == ["1 will be sent again.", "1 did not fail: nothing to send again."]
        failed.refresh_from_db()
        assert (failed.state, failed.attempts) == ("waiting", 0)

    def test_who_may_only_look_cannot_send(self, pager: WebhookEndpoint, noor: User, ada: Patient, now: datetime) -> None:
        failed = self._failed(raised(ada, now), pager, now)
        noor.is_staff = True
        noor.save()
        browser = Client()
        browser.force_login(noor)

        assert browser.get(address(Delivery)).status_code == 200
        act(browser, Delivery, "send_again", failed)

        failed.refresh_from_db()
        assert failed.state == "given_up"
