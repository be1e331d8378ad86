"""/health, /ready and /metrics: what they ask, what they say, and to whom."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from channels.layers import get_channel_layer
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.test.utils import CaptureQueriesContext

from medql import health
from monitoring.clinical.escalation import Way
from monitoring.models import Delivery, WatcherBeat
from monitoring.services import alerts, auditing, watching
from monitoring.services.watching import Tally
from tests.audit.trail import written
from tests.conftest import signed_in
from tests.services.alerting import raised
from tests.services.outbox import queued
from tests.world import item, open_alert

pytestmark = pytest.mark.django_db

PARTS = ("database", "migrations", "channel_layer", "watcher", "audit")


def ready() -> tuple[int, dict]:
    answer = Client().get("/ready")
    return answer.status_code, answer.json()


@pytest.fixture
def beating(now):
    watching.beat("icu-1:7", started_at=now, tallies=[Tally(turns=12, failures=2)])


class TestReady:
    def test_all_is_well(self, beating):
        status, told = ready()

        assert (status, told["status"]) == (200, "ok")
        assert told["parts"] == {part: {"status": "ok"} for part in PARTS}

    def test_without_a_watcher_it_is_degraded(self):
        status, told = ready()

        assert (status, told["status"]) == (200, "degraded")
        assert told["parts"]["watcher"]["detail"].startswith("No watcher has beaten yet")
        assert told["parts"]["database"] == {"status": "ok"}

    def test_a_watcher_that_has_not_beaten_for_15_s_is_none(self, now):
        at = now - timedelta(seconds=40)
        WatcherBeat.objects.create(name="dead:1", started_at=at, beat_at=at)

        assert re.match(r"No watcher has beaten for \d+ s", ready()[1]["parts"]["watcher"]["detail"])

    def test_a_watcher_whose_step_fails_is_named(self, now):
        watching.beat("one:1", started_at=now, tallies=[Tally(failing={"alerts.confirm"})])

        assert ready()[1]["parts"]["watcher"]["detail"] == "Steps of the watcher fail: alerts.confirm."

    def test_a_step_of_the_house_that_fails_does_not_unsettle_the_boards(self, now):
        watching.beat("one:1", started_at=now, tallies=[Tally(failing={"auditing.seal"})])

        assert ready()[1]["parts"]["watcher"] == {"status": "ok"}
        assert WatcherBeat.objects.ages().exists()

    def test_an_audit_that_is_not_sealed_degrades(self, beating, now):
        written(now - timedelta(seconds=61))

        status, told = ready()

        assert (status, told["status"]) == (200, "degraded")
        assert told["parts"]["audit"] == {"status": "fault", "detail": auditing.SENTENCE}

    @pytest.mark.parametrize("fault", ["refuses", "is silent"])
    def test_a_channel_layer_that_carries_nothing_degrades(self, beating, monkeypatch, fault):
        async def lost(self, channel, message):
            if fault == "refuses":
                raise ConnectionError("redis://:password@inside")

        monkeypatch.setattr(health, "PATIENCE", 0.1)
        layer = type(get_channel_layer())
        monkeypatch.setattr(layer, "send", lost, raising=False)

        status, told = ready()

        assert (status, told["status"]) == (200, "degraded")
        assert "carries no messages" in told["parts"]["channel_layer"]["detail"]
        assert "password" not in str(told)

    async def test_asking_often_leaves_no_channel_behind(self):
        for _ in range(5):
            await health._send_and_receive()

        assert get_channel_layer().channels == {}

    def test_pending_migrations_are_503(self, beating):
        MigrationRecorder(connection).migration_qs.filter(app="monitoring").latest("id").delete()

        status, told = ready()

        assert (status, told["code"]) == (503, "not_ready")
        assert told["parts"]["migrations"]["detail"] == "Migrations are pending (1): run manage.py migrate."

    def test_without_the_database_503_and_no_word_of_its_address(self, monkeypatch):
        def refused(*args, **kwargs):
            raise OperationalError(2002, "Can't connect to medql:secret@db")

        monkeypatch.setattr(connection, "cursor", refused)

        answer = Client().get("/ready")

        assert answer.status_code == 503
        assert answer["Retry-After"]
        assert answer.json()["parts"]["database"]["detail"] == "The database does not answer."
        assert "secret" not in answer.content.decode()

    def test_http_is_enough_for_a_health_check(self, beating, settings):
        settings.SECURE_SSL_REDIRECT = True

        assert Client().get("/ready").status_code == 200
        assert Client().get("/health").status_code == 200
        assert Client().get("/metrics").status_code == 301

    def test_it_is_only_read(self):
        assert Client().post("/ready").status_code == 405


class TestMetrics:
    @pytest.fixture(autouse=True)
    def _token(self, settings):
        settings.METRICS_TOKEN = "a long token"

    def get(self, **headers: str):
        return Client().get("/metrics", headers=headers)

    def figures(self) -> dict[str, float]:
        text = self.get(Authorization="Bearer a long token").content.decode()
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")}

    @pytest.mark.parametrize("word", ["", "Bearer wrong", "Basic a long token", "Bearer ", "Bearer a long tokén"])
    def test_without_the_token_401(self, word):
        answer = self.get(Authorization=word)

        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    def test_where_no_token_is_set_an_empty_one_opens_nothing(self, settings):
        settings.METRICS_TOKEN = ""

        assert self.get(Authorization="Bearer ").status_code == 401

    def test_staff_may_read_them_and_a_nurse_may_not(self, root, noor):
        assert signed_in(root).get("/metrics").status_code == 200
        assert signed_in(noor).get("/metrics").status_code == 401

    def test_open_alerts_are_counted_by_severity_kind_and_state(self, noor, ada, ben, gateway, now):
        gateway.post([item(ada, now, spo2=84), item(ben, now, spo2=84)])
        alerts.acknowledge(open_alert(ben), by=noor, at=now)

        figures = self.figures()

        of = {name: value for name, value in figures.items() if name.startswith("medql_alerts_open")}
        assert of == {
            'medql_alerts_open{kind="physiological",severity="critical",state="raised"}': 1,
            'medql_alerts_open{kind="physiological",severity="critical",state="acknowledged"}': 1,
        }
        assert figures["medql_vitals_stored_total"] >= 2

    def test_watchers_and_their_failures_are_told(self, beating, now):
        at = now - timedelta(minutes=1)
        WatcherBeat.objects.create(name="dead:1", started_at=at, beat_at=at, failures=9)

        figures = self.figures()

        assert figures["medql_watchers_alive"] == 1
        assert 0 <= figures["medql_watcher_beat_age_seconds"] < 15
        assert figures['medql_watcher_step_failures_total{watcher="icu-1:7"}'] == 2
        assert figures['medql_watcher_turns_total{watcher="icu-1:7"}'] == 12

    def test_a_step_of_the_house_that_fails_is_told(self, now):
        watching.beat("one:1", started_at=now, tallies=[Tally(failing={"auditing.seal", "alerts.confirm"})])

        figures = self.figures()

        for step in ("auditing.seal", "alerts.confirm"):
            assert figures[f'medql_watcher_step_failing{{step="{step}",watcher="one:1"}}'] == 1

    def test_what_waits_for_a_seal_and_what_is_sealed_is_told(self, now):
        written(now)
        auditing.seal(now=now)
        assert "medql_audit_unsealed_age_seconds" not in self.figures()
        for _ in range(2):
            written(now - timedelta(seconds=61))
        auditing.notice_lateness(now=now)

        figures = self.figures()

        assert (figures["medql_audit_sealed_total"], figures["medql_audit_unsealed"]) == (1, 2)
        assert figures["medql_audit_unsealed_age_seconds"] >= 61
        assert figures['medql_faults_open{name="audit_unsealed"}'] == 1

    def test_without_any_watcher_there_is_no_age(self):
        figures = self.figures()

        assert figures["medql_watchers_alive"] == 0
        assert "medql_watcher_beat_age_seconds" not in figures

    def test_deliveries_are_counted_by_state_and_those_sent_or_withdrawn_for_a_day(self, ada, noor, now):
        alert = raised(ada, now)
        for age in (timedelta(hours=1), timedelta(hours=25)):
            queued(alert, now - age, Way.IN_APP, user=noor)
            queued(alert, now - age, Way.EMAIL, user=noor)
            withdrawn = queued(alert, now - age, Way.PUSH, user=noor)
            Delivery.objects.filter(pk=withdrawn.pk).update(state="withdrawn", next_attempt_at=None)

        figures = self.figures()

        assert figures['medql_deliveries{state="sent"}'] == 1
        assert figures['medql_deliveries{state="withdrawn"}'] == 1
        assert figures['medql_deliveries{state="waiting"}'] == 2

    def test_no_figure_reads_all_that_was_ever_sent(self, beating):
        with CaptureQueriesContext(connection) as asked:
            self.figures()
        plans = []
        for query in [each["sql"] for each in asked if "monitoring_delivery" in each["sql"]]:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{query}")
                plans.append(str(cursor.fetchall()))

        assert "delivery_by_time" in plans[0]
        assert len(plans) == 2
        assert "SEARCH" in plans[1] or connection.vendor == "mysql"

    def test_the_number_of_queries_is_fixed(self, ada, ben, gateway, now, beating, django_assert_num_queries):
        gateway.post([item(ada, now, spo2=84), item(ben, now, heart_rate=200)])

        with django_assert_num_queries(13):
            self.figures()
