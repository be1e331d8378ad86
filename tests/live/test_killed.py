"""Real web and watcher processes that are killed while devices post: nothing is lost, nothing is doubled."""

from __future__ import annotations

import contextlib
import json
import random
import threading
import time
from collections import Counter
from datetime import timedelta
from http.client import HTTPException
from itertools import pairwise

import pytest
from django.utils import timezone

from monitoring.models import Alert, AlertEvent, Delivery, EscalationStep, Patient, Vital
from monitoring.services import admissions, bundles, deliveries, escalation
from tests.live.processes import PATIENCE, running, wait_until, watching
from tests.services.outbox import endpoint
from tests.services.receivers import receiver
from tests.world import item

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 540  # of readings, once a second, sent as fast as they are taken
BATCH = 5
STARTS = {"raised", "risen", "reopened"}  # of the escalation's clock


class Story:
    """What the patients of North go through, second by second."""

    def __init__(self, ada, ben, dan, start):
        self.start = start
        self.saturation = {ada: lambda second: 84 if 60 <= second < 120 or second >= 440 else 97, dan: self.of_dan}
        self.patients = [ada, ben, dan]

    def of_dan(self, second):
        """Low with the last values before the sensor falls silent."""
        return None if second >= 300 else 84 if second >= 298 else 97

    def values(self, patient, second):
        if patient in self.saturation:
            return {"spo2": self.saturation[patient](second)}
        return {"heart_rate": 150 if second >= 200 else 70}

    def batches(self):
        for first in range(0, SECONDS, BATCH):
            yield [
                item(patient, self.start + timedelta(seconds=second), **values)
                for second in range(first, first + BATCH)
                for patient in self.patients
                if None not in (values := self.values(patient, second)).values()
            ]


class Sender:
    """A gateway that sends every batch until it is answered 202, to whichever web process lives."""

    def __init__(self, key, batches):
        self.key, self.batches = key, list(batches)
        self.server = None
        self.answered = 0
        self.moved = threading.Condition()
        self.failed = None
        self.thread = threading.Thread(target=self._send_all)

    def reach(self, count):
        """Wait until so many batches are answered, or it is over."""
        with self.moved:
            assert self.moved.wait_for(lambda: self.answered >= count or not self.thread.is_alive(), 2 * PATIENCE)

    def _send_all(self):
        for batch in self.batches:
            body = json.dumps(batch).encode()
            while self._send(body) != 202:
                time.sleep(0.02)
            with self.moved:
                self.answered += 1
                self.moved.notify_all()

    def _send(self, body):
        try:
            status, told = self.server.post("/api/v1/vitals", body, **{"X-API-Key": self.key})
        except (OSError, HTTPException):
            return None
        assert status in (202, 503), told
        return status


@pytest.fixture
def hook():
    with receiver() as seen:
        yield seen


@pytest.fixture
def dan(north, now):
    patient = Patient.objects.create(patient_id="P-DAN", name="Dan Dare")
    admissions.admit(patient, bed=north.beds.get(position=3), by=None, at=now - timedelta(days=1))
    return patient


@pytest.fixture
def plan(north, hook):
    """Whatever is raised in North is told to a machine at once."""
    machine = endpoint(north, hook.url)
    return EscalationStep.objects.create(ward=north, after_minutes=0, severity="warning", whom="nobody", webhook=machine)


def web():
    return running(MEDQL_WATCH="false")


def catch_up():
    """What another watcher does when the claims of those that died have run out, and then what waited for one another."""
    now = timezone.now()
    for later in (deliveries.CLAIM, deliveries.CLAIM + bundles.HOLD):
        while escalation.advance(now=now) or deliveries.send_due(now=now + later):
            pass


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_any_moment_nothing_is_lost_or_doubled(ada, ben, dan, gateway, plan, hook, seed):
    chance = random.Random(seed)
    story = Story(ada, ben, dan, timezone.now() - timedelta(seconds=SECONDS + 20))
    sender = Sender(gateway.key, story.batches())
    moments = sorted(chance.sample(range(4, len(sender.batches) - 4), 6))
    victims = [chance.choice(["web", "watcher"]) for _ in moments[2:]] + ["web", "watcher"]

    with contextlib.ExitStack() as stack:
        server, watcher = stack.enter_context(web()), stack.enter_context(watching())
        sender.server = server
        sender.thread.start()
        for moment, victim in zip(moments, victims, strict=True):
            sender.reach(moment)
            time.sleep(chance.uniform(0, 0.05))
            if victim == "web":
                sender.server.kill()
                sender.server = stack.enter_context(web())
            else:
                watcher.kill()
                watcher = stack.enter_context(watching())
        sender.thread.join(2 * PATIENCE)
        assert sender.answered == len(sender.batches)
        wait_until(lambda: Alert.objects.filter(patient=dan).exists(), "the watcher tells what silence has confirmed")
        wait_until(lambda: not Alert.objects.open().filter(escalation_step=0).exists(), "every alert is escalated")
    catch_up()

    check_readings(sender.batches)
    check_alerts(ada, ben, dan)
    check_told(hook)


def check_readings(batches):
    """Each reading once, by its patient and time, with its value."""
    sent = {(one["patient_id"], one["timestamp"]): one.get("spo2", one.get("heart_rate")) for batch in batches for one in batch}
    rows = Vital.objects.values_list("patient__patient_id", "measured_at", "spo2", "heart_rate")
    assert Vital.objects.count() == len(sent)
    assert {(patient, at.isoformat()): spo2 or rate for patient, at, spo2, rate in rows} == sent


def check_alerts(ada, ben, dan):
    """One alert for each condition, with the history that the readings make, whoever died meanwhile."""
    alerts = {alert.patient: alert for alert in Alert.objects.filter(kind="physiological")}
    assert len(alerts) == Alert.objects.filter(kind="physiological").count() == 3
    assert {(alert.severity, alert.is_open) for alert in alerts.values()} == {("critical", True)}
    assert history(alerts[ada]) == ["raised", "returned", "reraised"]
    assert history(alerts[ben]) == history(alerts[dan]) == ["raised"]
    assert (alerts[ada].count, alerts[ben].count) == (60 + 100, 340 - 15)  # a new alert counts from its confirmation
    assert (alerts[dan].unconfirmed, alerts[ben].unconfirmed) == (True, False)
    for alert in Alert.objects.all():
        assert alert.version == alert.events.count(), alert
    events = AlertEvent.objects.order_by("pk").values_list("number", flat=True)
    assert all(before <= after for before, after in pairwise(events))


def history(alert):
    return [event.what for event in alert.events.order_by("pk") if event.what != "escalated"]


def check_told(hook):
    """Each step once for each call, with its message; each message at least once at its receiver."""
    for alert in Alert.objects.open():
        since = Counter()
        for event in alert.events.order_by("pk"):
            since = Counter() if event.what in STARTS else since + Counter([event.what])
            assert since["escalated"] <= 1
        assert since["escalated"] == 1
        assert alert.events.filter(what="escalated").count() == alert.deliveries.filter(channel="webhook").count()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}
    assert set(hook.deliveries()) == set(Delivery.objects.values_list("pk", flat=True))
    tries = dict(Delivery.objects.values_list("pk", "attempts"))
    assert all(count <= tries[pk] for pk, count in Counter(hook.deliveries()).items())
    assert escalation.audit(now=timezone.now()) == []


def test_two_watchers_at_once_send_each_message_once(ada, ben, dan, gateway, plan, hook):
    with web() as server, watching(), watching():
        for second, patient in enumerate([ada, ben, dan] * 4):
            at = timezone.now()
            values = [{"spo2": 84}, {"heart_rate": 150}, {"mean_bp": 50}, {"body_temp": 41}][second // 3]
            body = json.dumps([item(patient, at, **values)]).encode()
            status, _ = server.post("/api/v1/vitals", body, **{"X-API-Key": gateway.key})
            assert status == 202
        calling = Alert.objects.open().exclude(severity="info")
        wait_until(lambda: not calling.filter(escalation_step=0).exists(), "every alert is escalated")
        wait_until(lambda: not Delivery.objects.exclude(state="sent").exists(), "every message is sent")

    rows = Delivery.objects.values_list("pk", "attempts")
    assert len(rows) == AlertEvent.objects.filter(what="escalated").count() >= 12
    assert {attempts for _, attempts in rows} == {1}
    assert Counter(hook.deliveries()) == {pk: 1 for pk, _ in rows}
