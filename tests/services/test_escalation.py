"""The escalation: nobody's alert is told on, somebody's comes back, and two watchers do it once."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, User
from monitoring.models import (
    Alert,
    AlertEvent,
    Delivery,
    EscalationStep,
    PushSubscription,
    Shift,
    WardRules,
)
from monitoring.services import escalation
from tests.conftest import PASSWORD
from tests.services.alerting import MINUTE, raised, take, watch
from tests.services.outbox import endpoint


def told(alert):
    """Who was told how, in order."""
    rows = Delivery.objects.filter(alert=alert).order_by("pk").select_related("user", "endpoint")
    return [(row.channel, row.user.login if row.user else row.endpoint.name) for row in rows]


def step(ward, after, **fields):
    return EscalationStep.objects.create(ward=ward, after_minutes=after, **({"severity": "warning"} | fields))


def history(alert):
    return list(AlertEvent.objects.filter(alert=alert).order_by("pk").values_list("what", "note"))


class TestSteps:
    def test_nobodys_alert_reaches_nurses_then_doctors_and_never_falls_silent(self, noor, dora, vera, ada, now):
        alert = raised(ada, now)

        watch(now)
        assert told(alert) == [("in_app", "noor")]
        watch(now + 4.9 * MINUTE)
        assert told(alert) == [("in_app", "noor")]
        watch(now + 5 * MINUTE)
        assert told(alert)[1:] == [("in_app", "dora")]
        for minute in range(6, 60):
            watch(now + minute * MINUTE)

        assert told(alert)[2:] == [("in_app", "noor")] * 5  # at 15, 25, 35, 45, 55
        alert.refresh_from_db()
        assert (alert.escalation_step, alert.next_step_at) == (7, now + 65 * MINUTE)

    def test_where_mail_is_set_up_the_shipped_plan_writes_to_doctors(self, noor, dora, ada, now, settings):
        settings.EMAIL_URL = "smtp://127.0.0.1:1"
        alert = raised(ada, now)

        watch(now + 5 * MINUTE)

        assert told(alert) == [("in_app", "noor"), ("in_app", "dora"), ("email", "dora")]

    def test_a_step_is_told_in_the_history_and_to_the_boards(self, north, noor, ada, now):
        alert = raised(ada, now)
        seen = north.change_number

        watch(now)

        event = AlertEvent.objects.get(alert=alert)
        north.refresh_from_db()
        assert (event.what, event.note, event.at, event.value) == ("escalated", "step 1, nurses (1): in app", now, 83)
        assert event.number == north.change_number > seen
        assert event.by is None

    def test_the_wards_own_plan_is_followed(self, north, noor, dora, ada, now):
        pager = endpoint(north, "http://127.0.0.1:9/", name="pager")
        PushSubscription.objects.create(user=dora, endpoint="https://push.example.org/1", p256dh="k", auth="a")
        step(north, 1, whom="person", person=dora, push=True, email=True, webhook=pager)
        step(north, 3, whom="nobody", webhook=pager)
        WardRules.objects.create(ward=north, repeat=2)
        alert = raised(ada, now, "warning")

        watch(now)
        assert told(alert) == []
        watch(now + MINUTE)
        assert told(alert) == [("email", "dora"), ("push", "dora"), ("webhook", "pager")]
        watch(now + 3 * MINUTE)
        watch(now + 5 * MINUTE)
        assert told(alert)[3:] == [("webhook", "pager")] * 2

    def test_who_is_on_duty_is_asked_when_the_step_is_due(self, north, noor, dora, ada, now):
        Shift.objects.create(user=noor, ward=north, starts_at=now - 60 * MINUTE, ends_at=now + 5 * MINUTE)
        Shift.objects.create(user=dora, ward=north, starts_at=now + 5 * MINUTE, ends_at=now + 60 * MINUTE)
        step(north, 4, whom="on_duty", in_app=True)
        step(north, 5, whom="on_duty", in_app=True)
        alert = raised(ada, now)

        watch(now + 4 * MINUTE)
        watch(now + 5 * MINUTE)

        assert told(alert) == [("in_app", "noor"), ("in_app", "dora")]

    @pytest.mark.parametrize("whom", ["on_duty", "doctors", "person"])
    def test_where_nobody_is_found_the_whole_ward_is_told(self, north, noor, dora, vera, ada, now, whom):
        leaver = User.objects.create_user("lea", "lea@example.org", PASSWORD, name="Lea", is_active=False)
        Membership.objects.create(user=leaver, ward=north, role="doctor")
        Membership.objects.filter(user=dora).update(role="nurse")
        step(north, 0, whom=whom, in_app=True, person=leaver if whom == "person" else None)
        alert = raised(ada, now)

        watch(now)

        assert told(alert) == [("in_app", "noor"), ("in_app", "dora")]
        assert "not found: told all 2 of the ward" in history(alert)[0][1]

    def test_a_ward_without_people_says_so_and_goes_on(self, north, ada, now):
        alert = raised(ada, now)

        assert watch(now) == 3  # no step can tell anybody: all at once, then the last again later

        assert told(alert) == []
        assert all("nobody could be reached" in note for _, note in history(alert))
        alert.refresh_from_db()
        assert alert.next_step_at == now + 10 * MINUTE

    def test_who_has_no_browser_for_push_is_told_in_medql(self, north, noor, ada, now):
        step(north, 0, whom="nurses", push=True)
        alert = raised(ada, now)

        watch(now)

        assert told(alert) == [("in_app", "noor")]

    def test_a_watcher_that_was_away_makes_up_for_it_at_once(self, noor, dora, ada, now):
        alert = raised(ada, now)

        assert watch(now + 40 * MINUTE) == 3

        assert told(alert) == [("in_app", "noor"), ("in_app", "dora"), ("in_app", "noor")]
        alert.refresh_from_db()
        assert alert.next_step_at == now + 50 * MINUTE

    def test_a_latched_critical_goes_on_and_silence_does_not_stop_it(self, noor, dora, ada, now):
        alert = raised(ada, now, returned_at=now + MINUTE, silenced_until=now + 60 * MINUTE, silenced_by=noor)

        watch(now + 5 * MINUTE)

        assert told(alert) == [("in_app", "noor"), ("in_app", "dora")]

    def test_info_and_ended_alerts_tell_nobody(self, noor, ada, now):
        info = raised(ada, now, "info", condition="heart_rate_high")
        ended = raised(ada, now)
        Alert.objects.filter(pk=ended.pk).update(is_open=None, resolved_at=now)

        assert watch(now) == 1  # the clock of the one that ended is put away
        assert watch(now + 60 * MINUTE) == 0

        assert told(info) == told(ended) == []

    def test_an_alert_that_moved_is_told_in_its_new_ward(self, south, noor, eve, ada, now):
        alert = raised(ada, now)
        Alert.objects.filter(pk=alert.pk).update(ward=south)

        watch(now)

        assert told(alert) == [("in_app", "eve")]


class TestClock:
    def test_one_query_for_all_wards_however_many(self, north, south, ada, ben, cid, now):
        step(north, 2, whom="nurses", in_app=True)
        alerts = [raised(patient, now) for patient in (ada, ben, cid)] * 10

        with CaptureQueriesContext(connection) as restarting:
            escalation.restart(alerts, now=now)
        with CaptureQueriesContext(connection) as taking:
            escalation.taken(alerts, at=now)

        assert (len(restarting), len(taking)) == (1, 1)
        escalation.restart(alerts, now=now)
        assert [alert.next_step_at - now for alert in alerts[:3]] == [2 * MINUTE, 2 * MINUTE, 0 * MINUTE]
        escalation.stop(alerts)
        assert {alert.next_step_at for alert in alerts} == {None}

    def test_nothing_asks_nothing(self, django_assert_num_queries, db, now):
        with django_assert_num_queries(0):
            escalation.restart([], now=now)
            escalation.taken([], at=now)


class TestComingBack:
    def test_what_was_taken_and_not_solved_comes_back(self, north, noor, dora, ada, now):
        WardRules.objects.create(ward=north, taken_for=20)
        alert = raised(ada, now)
        watch(now)
        take(alert, dora, now + 2 * MINUTE)

        assert watch(now + 21.9 * MINUTE) == 0
        back = now + 22 * MINUTE
        watch(back)

        alert.refresh_from_db()
        assert (alert.state, alert.acknowledged_by, alert.escalation_step) == ("raised", None, 1)
        assert [what for what, _ in history(alert)] == ["escalated", "untaken", "escalated"]
        assert history(alert)[1][1] == "not solved 20 min after it was taken"
        assert told(alert)[1:] == [("in_app", "dora"), ("in_app", "noor")]
        assert Delivery.objects.get(user=dora).why == "came_back"

    def test_a_clock_of_the_escalation_does_not_give_it_back_early(self, noor, ada, now):
        alert = raised(ada, now)
        Alert.objects.filter(pk=alert.pk).update(acknowledged_at=now, acknowledged_by=noor)

        watch(now + 10 * MINUTE)

        alert.refresh_from_db()
        assert alert.state == "acknowledged"
        assert alert.next_step_at == now + 30 * MINUTE
        assert history(alert) == []


class TestLeavers:
    def _shift(self, user, ward, ends_at, hours=8):
        return Shift.objects.create(user=user, ward=ward, starts_at=ends_at - timedelta(hours=hours), ends_at=ends_at)

    def test_a_leavers_alerts_go_back_to_the_queue_once(self, north, noor, dora, ada, ben, now):
        end = now + 10 * MINUTE
        self._shift(noor, north, end)
        hers, doras = raised(ada, now), raised(ben, now)
        take(hers, noor, now)
        take(doras, dora, now)

        assert not escalation.return_leavers(now=end - MINUTE)
        assert escalation.return_leavers(now=end)
        assert not escalation.return_leavers(now=end)

        hers.refresh_from_db(), doras.refresh_from_db()
        assert (hers.state, hers.escalation_step, hers.next_step_at) == ("raised", 0, end)
        assert doras.state == "acknowledged"
        assert history(hers) == [("untaken", "the shift of Noor has ended")]

    def test_not_those_of_another_ward_nor_what_was_taken_after_the_shift(self, north, south, noor, ada, cid, now):
        Membership.objects.create(user=noor, ward=south, role="nurse")
        self._shift(noor, north, now)
        elsewhere, later = raised(cid, now - MINUTE), raised(ada, now - MINUTE)
        take(elsewhere, noor, now - MINUTE)
        take(later, noor, now + MINUTE)

        escalation.return_leavers(now=now + 2 * MINUTE)

        assert set(Alert.objects.values_list("acknowledged_by", flat=True)) == {noor.pk}

    def test_who_goes_on_with_the_next_shift_keeps_them(self, north, noor, ada, now):
        self._shift(noor, north, now)
        self._shift(noor, north, now + timedelta(hours=8))
        alert = raised(ada, now - MINUTE)
        take(alert, noor, now - MINUTE)

        escalation.return_leavers(now=now)

        alert.refresh_from_db()
        assert alert.state == "acknowledged"

    def test_one_that_cannot_be_given_back_stands_before_no_other(self, north, noor, dora, ada, ben, now, monkeypatch):
        self._shift(noor, north, now - MINUTE)
        self._shift(dora, north, now)
        hers, doras = raised(ada, now - 3 * MINUTE), raised(ben, now - 3 * MINUTE)
        take(hers, noor, now - 2 * MINUTE), take(doras, dora, now - 2 * MINUTE)
        whole = escalation.history.tell

        def broken(alerts, what, **said):
            if hers in alerts:
                raise ValueError("broken")
            whole(alerts, what, **said)

        monkeypatch.setattr(escalation.history, "tell", broken)
        with pytest.raises(ValueError, match="broken"):
            escalation.return_leavers(now=now)

        doras.refresh_from_db()
        assert doras.state == "raised"


def test_one_alert_that_fails_does_not_stand_before_the_others(noor, ada, ben, now, monkeypatch):
    bad, good = raised(ada, now - MINUTE), raised(ben, now)
    Alert.objects.filter(pk=bad.pk).update(severity="critical", next_step_at=now - MINUTE)
    whole = escalation.recipients.deliveries

    def broken(step, alert, *, now):
        if alert.pk == bad.pk:
            raise ValueError("broken")
        return whole(step, alert, now=now)

    monkeypatch.setattr(escalation.recipients, "deliveries", broken)
    with pytest.raises(ValueError, match="broken"):
        escalation.advance(now=now)
    watch(now)

    assert told(good) == [("in_app", "noor")]
    assert told(bad) == history(bad) == []
    bad.refresh_from_db()
    assert (bad.escalation_step, bad.next_step_at) == (0, now - MINUTE)  # overdue, which the auditor sees


@pytest.mark.django_db(transaction=True)
def test_two_watchers_take_each_step_once(noor, dora, ada, ben, now):
    alerts = [raised(patient, now, condition=f"condition_{n}") for patient in (ada, ben) for n in range(5)]
    together = threading.Barrier(2)
    failures: list[BaseException] = []

    def watcher():
        try:
            together.wait(10)
            while escalation.advance(now=now + 5 * MINUTE):
                continue
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=watcher) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert failures == []
    assert {tuple(told(alert)) for alert in alerts} == {(("in_app", "noor"), ("in_app", "dora"))}
    assert {tuple(what for what, _ in history(alert)) for alert in alerts} == {("escalated", "escalated")}
