"""What was looked at is written together, a moment later; nothing of it is lost in silence."""

import json
import threading
from datetime import timedelta

import pytest
from django.db import OperationalError, transaction

from accounts import audit, looks, origin
from accounts.looks import buffer
from accounts.models import AuditEntry, Door
from tests.audit.trail import trail
from tests.live.processes import wait_until

SECOND = timedelta(seconds=1)


def look(by, at, patient="P-ADA", page="patient", **told):
    audit.saw(by=by, at=at, patient=patient, page=page, **told)


@pytest.fixture
def away(monkeypatch):
    """The database takes no entries until it is told to."""
    there = threading.Event()
    write = AuditEntry.objects.bulk_create

    def bulk_create(rows):
        if not there.is_set():
            raise OperationalError(2006, "gone away")
        return write(rows)

    monkeypatch.setattr(AuditEntry.objects, "bulk_create", bulk_create)
    return there


class TestWriting:
    def test_a_look_costs_its_page_no_query(self, noor, now, django_assert_num_queries):
        with django_assert_num_queries(0):
            look(noor, now)

        assert not AuditEntry.objects.exists()

    def test_many_are_written_in_one_statement(self, noor, north, now, django_assert_num_queries):
        with origin.told(origin.Origin("203.0.113.7", Door.PAGE)):
            for number in range(50):
                look(noor, now, f"P-{number}", ward=north)

        with django_assert_num_queries(3):  # savepoint, INSERT, savepoint
            assert audit.flush() == 50

        assert trail("what", "who", "patient", "ward", "about", "address", "door")[7] == (
            "saw", "noor", "P-7", north.pk, "page:patient", "203.0.113.7", "page",
        )  # fmt: skip

    def test_nothing_is_nothing(self, db, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert audit.flush() == 0

    def test_a_transaction_that_fails_does_not_unsee(self, noor, now):
        with transaction.atomic():
            look(noor, now)
            transaction.set_rollback(True)

        assert trail("patient") == ["P-ADA"]

    def test_they_are_sealed_like_everything_else(self, noor, now):
        look(noor, now)

        assert trail("number", "seal") == [(None, "")]


class TestFolding:
    def test_the_same_look_within_a_minute_is_one(self, noor, now):
        for seconds in (0, 1, 59, 60, 61):
            look(noor, now + seconds * SECOND)

        assert trail("at") == [now, now + 60 * SECOND]

    def test_it_is_one_also_when_the_first_was_written_already(self, noor, now):
        look(noor, now)
        audit.flush(now=now)
        look(noor, now + SECOND)

        assert len(trail("pk")) == 1

    def test_another_person_patient_page_ward_or_place_is_another_look(self, noor, dora, north, south, now):
        look(noor, now)
        look(dora, now)
        look(noor, now, "P-BEN")
        look(noor, now, page="alert")
        look(noor, now, ward=north)
        with origin.told(origin.Origin("203.0.113.7", Door.COMMAND)):
            look(noor, now)

        assert len(trail("pk")) == 6

    def test_a_clock_that_was_set_back_hides_nothing(self, noor, now):
        look(noor, now)
        look(noor, now - SECOND)

        assert len(trail("pk")) == 2

    def test_what_is_remembered_is_bounded(self, noor, now, monkeypatch):
        monkeypatch.setattr(looks, "REMEMBERED", 3)
        for number in range(5):
            look(noor, now, f"P-{number}")
        audit.flush(now=now)

        assert not buffer._seen
        look(noor, now + SECOND, "P-1")
        assert len(trail("pk")) == 6


class TestRefusals:
    def refuse(self, by, at, times=1):
        for number in range(times):
            audit.refused(by=by, at=at, patient="P-CID", about=f"GET /wards/{number}/", detail={"status": 404})

    def test_a_flood_fills_no_disk_and_is_counted(self, noor, now):
        self.refuse(noor, now, 5_000)
        audit.flush(now=now + 59 * SECOND)
        assert AuditEntry.objects.count() == looks.REFUSALS

        audit.flush(now=now + 60 * SECOND)

        last = AuditEntry.objects.latest("pk")
        assert (last.what, last.user, last.who, last.detail) == (
            "refused", noor, "noor", {"folded": 5_000 - looks.REFUSALS, "since": now.isoformat()},
        )  # fmt: skip
        assert audit.flush(now=now + 120 * SECOND) == 0

    def test_each_actor_and_minute_has_its_own(self, noor, gateway, now):
        self.refuse(noor, now, looks.REFUSALS)
        self.refuse(gateway.device, now, looks.REFUSALS)
        audit.flush(now=now + 60 * SECOND)
        self.refuse(noor, now + 60 * SECOND, looks.REFUSALS)

        assert len(trail("pk")) == 3 * looks.REFUSALS

    def test_no_refusal_of_the_next_minute_waits_for_the_writer(self, noor, now):
        self.refuse(noor, now, looks.REFUSALS + 5)
        self.refuse(noor, now + 61 * SECOND)

        audit.flush(now=now + 61 * SECOND)

        assert [each.get("folded") for each in trail("detail")].count(5) == 1
        assert AuditEntry.objects.filter(at=now + 61 * SECOND, detail__status=404).exists()


class TestTrouble:
    def test_what_cannot_be_written_waits_in_order(self, noor, now, away):
        look(noor, now, "P-1")
        with pytest.raises(OperationalError):
            audit.flush()
        look(noor, now, "P-2")
        away.set()

        assert trail("patient") == ["P-1", "P-2"]

    def test_without_room_it_is_written_at_once(self, noor, now, monkeypatch):
        monkeypatch.setattr(looks, "ROOM", 2)
        for number in range(3):
            look(noor, now, f"P-{number}")

        assert list(AuditEntry.objects.values_list("patient", flat=True)) == ["P-2"]
        assert len(buffer) == 2

    def test_what_finds_no_place_at_all_is_told_counted_and_said_in_the_trail(self, noor, now, monkeypatch, away, caplog):
        monkeypatch.setattr(looks, "ROOM", 2)
        for number in range(4):
            look(noor, now, f"P-{number}")

        lost = [record.args[0] for record in caplog.records if record.msg.startswith("LOST FROM THE AUDIT")]
        assert [json.loads(line)["patient"] for line in lost] == ["P-2", "P-3"]
        assert buffer.lost == 2

        away.set()
        assert trail("patient", "what", "by_kind", house=True) == [
            ("P-0", "saw", "person"),
            ("P-1", "saw", "person"),
            ("", "looks_lost", "medql"),
        ]
        assert AuditEntry.objects.latest("pk").detail == {"count": 2}

    def test_an_entry_that_the_database_never_takes_holds_up_no_other(self, noor, now, caplog):
        look(noor, now, "P-1")
        buffer.look({"at": now, "what": "saw", "by_kind": "person", "door": "page", "detail": {}, "ward_id": None, "who": None})
        look(noor, now, "P-2")

        assert trail("patient") == ["P-1", "P-2"]
        assert buffer.lost == 1
        assert trail("what", house=True) == ["saw", "saw", "looks_lost"]
        assert "LOST FROM THE AUDIT" in caplog.text

    def test_at_the_end_of_the_process_what_waits_is_written(self, noor, now):
        look(noor, now)
        for _ in range(looks.REFUSALS + 1):
            audit.refused(by=noor, at=now, about="GET /", detail={})

        buffer.end()

        assert AuditEntry.objects.count() == 1 + looks.REFUSALS + 1
        assert AuditEntry.objects.latest("pk").detail["folded"] == 1

    def test_at_an_end_without_the_database_it_is_told_in_the_log(self, noor, now, away, caplog):
        look(noor, now)

        buffer.end()

        assert '"patient": "P-ADA"' in caplog.text
        assert "the last looks could not be written" in caplog.text


@pytest.mark.django_db(transaction=True)
class TestByItself:
    @pytest.fixture(autouse=True)
    def _quick(self, settings):
        settings.LOOKS_EVERY = 0.01

    def test_a_thread_writes_soon(self, noor, now):
        look(noor, now)

        wait_until(lambda: AuditEntry.objects.filter(patient="P-ADA").exists(), "it is written")

    def test_the_thread_goes_on_after_trouble_and_tells_it_once(self, noor, now, away, caplog):
        look(noor, now)
        wait_until(lambda: "cannot be written, and waits" in caplog.text, "it is told")
        away.set()

        wait_until(lambda: AuditEntry.objects.filter(patient="P-ADA").exists(), "it is written")
        assert caplog.text.count("cannot be written, and waits") == 1

    def test_many_at_once_are_all_written(self, noor, now):
        threads = [
            threading.Thread(target=lambda start=start: [look(noor, now, f"P-{start + n}") for n in range(500)])
            for start in (0, 500, 1_000, 1_500)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        wait_until(lambda: AuditEntry.objects.count() >= 2_000, "all are written")
        wait_until(lambda: not len(buffer), "nothing waits")
        assert AuditEntry.objects.values("patient").distinct().count() == AuditEntry.objects.count() == 2_000
