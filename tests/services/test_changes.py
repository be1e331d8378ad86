"""Every change of what a board shows moves its ward's number, in the order of commits."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, OperationalError, transaction

from accounts.models import Ward
from accounts.transactions import TRIES, WriterBusy, retried
from monitoring import realtime
from monitoring.models import AlertEvent
from monitoring.services import alerts
from tests.world import item, open_alert


def number(ward: Ward) -> int:
    return Ward.objects.get(pk=ward.pk).change_number


def test_a_stored_vital_moves_the_number_of_its_ward_alone(ada, south, north, gateway, now):
    before = number(north), number(south)

    gateway.post([item(ada, now, spo2=97)])

    assert (number(north), number(south)) == (before[0] + 1, before[1])


def test_a_duplicate_moves_nothing(ada, north, gateway, now):
    gateway.post([item(ada, now, spo2=97)])
    before = number(north)

    gateway.post([item(ada, now, spo2=97)])

    assert number(north) == before


def test_events_carry_the_number_of_their_commit(ada, north, gateway, noor, now):
    gateway.post([item(ada, now - timedelta(minutes=2), sensor_id="cuff", mean_bp=140), item(ada, now, spo2=84)])
    first = number(north)
    alerts.acknowledge(open_alert_of(ada, "spo2_low"), by=noor, at=now)

    assert list(AlertEvent.objects.order_by("pk").values_list("number", "ward")) == [
        (first, north.pk),
        (first, north.pk),
        (first + 1, north.pk),
    ]


def open_alert_of(patient, condition):
    return patient.alerts.open().get(condition=condition)


def test_what_is_rolled_back_was_never_announced(ada, north, gateway, now):
    before = number(north)

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        gateway.post([item(ada, now, spo2=84)])
        _ = 1 / 0

    assert number(north) == before


@pytest.mark.django_db(transaction=True)
def test_a_failed_publish_never_changes_a_202(ada, gateway, now, monkeypatch):
    def broken() -> None:
        raise ConnectionError("the channel layer is down")

    monkeypatch.setattr(realtime, "get_channel_layer", broken)

    assert gateway.post([item(ada, now, spo2=84)]).status_code == 202
    assert open_alert(ada)


@pytest.mark.django_db(transaction=True)
class TestLostRaces:
    def test_a_deadlock_is_tried_again(self):
        tries = []

        @retried
        def verb() -> str:
            tries.append(1)
            if len(tries) < 3:
                raise OperationalError(1213, "Deadlock found when trying to get lock")
            return "done"

        assert (verb(), len(tries)) == ("done", 3)

    def test_after_the_last_try_the_writer_is_busy(self):
        tries = []

        @retried
        def verb() -> None:
            tries.append(1)
            raise OperationalError("database is locked")

        with pytest.raises(WriterBusy):
            verb()
        assert len(tries) == TRIES

    def test_a_rule_that_is_broken_every_time_is_no_race(self):
        @retried
        def verb() -> None:
            raise IntegrityError("UNIQUE constraint failed: monitoring_alert.subject")

        with pytest.raises(IntegrityError):
            verb()

    def test_a_database_that_went_away_is_503_so_that_the_device_keeps_its_readings(self, ada, gateway, now, monkeypatch):
        def gone(*args: object, **kwargs: object) -> None:
            raise OperationalError(2006, "MySQL server has gone away")

        monkeypatch.setattr(alerts, "judge", gone)

        answer = gateway.post([item(ada, now, spo2=97)])

        assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "busy", "2")
        assert "MySQL" not in answer.content.decode()

    def test_any_other_fault_is_not_hidden(self):
        tries = []

        @retried
        def verb() -> None:
            tries.append(1)
            raise OperationalError(2006, "MySQL server has gone away")

        with pytest.raises(OperationalError):
            verb()
        assert len(tries) == 1

    def test_the_door_says_503_and_when_to_come_back(self, ada, gateway, now, monkeypatch):
        def always_locked(*args: object, **kwargs: object) -> None:
            raise OperationalError(1205, "Lock wait timeout exceeded")

        monkeypatch.setattr(alerts, "judge", always_locked)

        answer = gateway.post([item(ada, now - timedelta(seconds=1), spo2=97)])

        assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "busy", "2")
