"""The audit with real processes: watchers that race and are killed, a commit that comes late, an account that may only add."""

from __future__ import annotations

import contextlib
import random
import signal
import threading
import time
from http.client import HTTPConnection

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, connections, transaction
from django.utils import timezone

from accounts import audit, seals, verifying
from accounts.models import AuditEntry, Deed
from monitoring.services import auditing
from tests.conftest import signed_in
from tests.live.processes import PATIENCE, running, wait_until, watching

pytestmark = pytest.mark.django_db(transaction=True)


def write(by, count, about="alert:1"):
    for _ in range(count):
        audit.record(Deed.SILENCED, by=by, at=timezone.now(), patient="P-ADA", about=about)


def all_sealed():
    return not AuditEntry.objects.filter(number=None).exists()


def check_whole(count):
    report = verifying.verify()
    assert (report.first, report.sealed, report.waiting, report.head.number) == ("", count, 0, count)


@contextlib.contextmanager
def writing(by, threads=2):
    """People who write entries all the time, and none of them ever fails; how many they were, in the end."""
    written, failed, ending = [], [], threading.Event()

    def work():
        try:
            while not ending.is_set():
                write(by, 1)
                written.append(1)
                time.sleep(0.02)  # SQLite lets other processes in only where nobody writes
        except Exception as error:
            failed.append(error)
        finally:
            connections.close_all()

    people = [threading.Thread(target=work) for _ in range(threads)]
    for person in people:
        person.start()
    try:
        yield written
    finally:
        ending.set()
        for person in people:
            person.join(PATIENCE)
    assert failed == []


def test_two_that_seal_at_once_make_one_chain(noor):
    write(noor, 400)
    ready, failed = threading.Barrier(4), []

    def seal():
        try:
            ready.wait()
            while auditing.seal(now=timezone.now()):
                pass
        except Exception as error:
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=seal) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)

    assert failed == []
    check_whole(400)


@pytest.mark.parametrize("seed", [1, 2])
def test_watchers_that_are_killed_at_any_moment_break_no_chain(noor, seed):
    chance = random.Random(seed)
    with contextlib.ExitStack() as stack:
        written = stack.enter_context(writing(noor))
        for _ in range(2):
            pair = [stack.enter_context(watching()) for _ in range(2)]
            sealed = AuditEntry.objects.exclude(number=None).count()
            wait_until(lambda sealed=sealed: AuditEntry.objects.filter(number__gt=sealed).exists(), "they seal")
            time.sleep(chance.uniform(0, 0.5))
            for each in pair:
                each.send_signal(signal.SIGKILL)
    with watching():
        wait_until(all_sealed, "the rest is sealed")

    check_whole(len(written))


@pytest.mark.mysql
def test_a_transaction_that_commits_late_is_sealed_late(noor):
    may_commit, has_written = threading.Event(), threading.Event()

    def late():
        try:
            with transaction.atomic():
                write(noor, 1, "late")
                has_written.set()
                assert may_commit.wait(PATIENCE)
        finally:
            connections.close_all()

    thread = threading.Thread(target=late)
    thread.start()
    assert has_written.wait(PATIENCE)
    write(noor, 2, "quick")
    assert auditing.seal(now=timezone.now())  # and waits for nobody
    may_commit.set()
    thread.join(PATIENCE)
    auditing.seal(now=timezone.now())

    in_order_of_ids = AuditEntry.objects.order_by("pk").values_list("about", "number")
    assert list(in_order_of_ids) == [("late", 3), ("quick", 1), ("quick", 2)]
    check_whole(3)


def test_a_lower_id_that_comes_later_is_sealed_later(noor):
    """The same where one writer at a time gives the ids in the order of the commits: as if one had come late."""
    facts = {"at": timezone.now(), "what": "silenced", "by_kind": "person", "door": "page"}
    for pk in (1_001, 1_009, 1_005):
        AuditEntry.objects.bulk_create([seals.marked(AuditEntry(pk=pk, **facts))])
        auditing.seal(now=timezone.now())

    assert list(AuditEntry.objects.order_by("pk").values_list("number", flat=True)) == [1, 3, 2]
    check_whole(3)


@pytest.fixture
def narrow_account():
    """An account as docs/running.md makes it: everything but changing the audit."""
    name, host, table = "medql_narrow", "127.0.0.1", AuditEntry._meta.db_table
    database = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        cursor.execute(f"DROP USER IF EXISTS {name}@'{host}'")
        cursor.execute(f"CREATE USER {name}@'{host}' IDENTIFIED BY 'narrow'")
        for other in connection.introspection.table_names(cursor):
            if other != table:
                cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {database}.{other} TO {name}@'{host}'")
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE (`number`, `seal`, `key`) ON {database}.{table} TO {name}@'{host}'")
        yield f"{name}:narrow"
        cursor.execute(f"DROP USER {name}@'{host}'")


@pytest.mark.mysql
def test_an_account_that_may_only_add_writes_and_seals_and_changes_nothing(noor, narrow_account):
    port = connection.settings_dict["PORT"] or 3306
    url = f"mysql://{narrow_account}@127.0.0.1:{port}/{connection.settings_dict['NAME']}"
    with watching(DATABASE_URL=url):
        write(noor, 3)
        wait_until(all_sealed, "the narrow account seals")
    check_whole(3)

    login, _, password = narrow_account.partition(":")
    other = connection.copy("narrow")
    other.settings_dict = connection.settings_dict | {"USER": login, "PASSWORD": password}
    table = AuditEntry._meta.db_table
    with other.cursor() as cursor:
        told = "at, what, by_kind, who, patient, about, detail, address, door, seal, `key`, mark"
        cursor.execute(f"INSERT INTO {table} ({told}) SELECT {told} FROM {table} LIMIT 1")
        for forbidden in (f"UPDATE {table} SET who = 'eve'", f"DELETE FROM {table}", f"TRUNCATE {table}"):
            with pytest.raises(DatabaseError, match="denied"):
                cursor.execute(forbidden)
    other.close()


def look(server, browser, **headers):
    """At the board of North."""
    cookie = f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"
    link = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    link.request("GET", "/wards/north/", headers={"Cookie": cookie} | headers)
    assert link.getresponse().status == 200
    link.close()


def seen():
    return list(AuditEntry.objects.filter(what="saw").values_list("who", "about", "address", "door"))


class TestWebProcess:
    def test_what_was_looked_at_is_written_within_moments(self, noor, ada):
        browser = signed_in(noor)
        with running(MEDQL_WATCH="false") as server:
            look(server, browser)
            wait_until(seen, "it is written")

        assert seen() == [("noor", "page:board", "127.0.0.1", "page")]

    def test_a_process_that_is_told_to_end_writes_it_first(self, noor, ada):
        browser = signed_in(noor)
        with running(MEDQL_WATCH="false") as server:
            look(server, browser)
            server.process.terminate()
            server.process.wait(PATIENCE)

        assert seen() == [("noor", "page:board", "127.0.0.1", "page")]

    def test_the_address_behind_a_proxy_is_the_clients(self, noor, ada):
        browser = signed_in(noor)
        with running(MEDQL_WATCH="false", MEDQL_PROXIES="1") as server:
            look(server, browser, **{"X-Forwarded-For": "1.2.3.4, 203.0.113.7"})
            wait_until(seen, "it is written")

        assert seen() == [("noor", "page:board", "203.0.113.7", "page")]
