"""Another key: everything is sealed under it while people go on reading and writing, and then the old one can go."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import connections

from accounts import audit, chain, keyring, rotation, sealing
from accounts.models import AuditEntry, Deed, RefreshToken
from monitoring.models import Dossier, DossierChange, Patient
from monitoring.services import dossiers
from tests.access.bearers import login, refresh
from tests.services.dossiers import HISTORY, HUSBAND, written

OLD, NEW, OTHER = (keyring.Key(id, bytes(range(start, start + 32))) for id, start in (("old", 0), ("new", 100), ("other", 200)))


@pytest.fixture
def under_old(settings):
    """What is written now is sealed under the old key."""
    settings.KEY_RING = (OLD,)


def bring_in_the_new(settings):
    settings.KEY_RING = (NEW, OLD)


def rotate(*arguments):
    """What the command prints, and whether it ended well."""
    out = StringIO()
    try:
        call_command("rotate_keys", *arguments, stdout=out)
    except CommandError as fault:
        return f"{out.getvalue()}{fault}", False
    return out.getvalue(), True


def keys_in_use():
    kept = [
        *Dossier.objects.values_list("history", flat=True),
        *Dossier.objects.values_list("contacts", flat=True),
        *DossierChange.objects.exclude(was="").values_list("was", flat=True),
        *RefreshToken.objects.values_list("sealed", flat=True),
    ]
    return {sealing.key_id(text) for text in kept}


def test_every_sealed_column_is_known():
    assert {"accounts.RefreshToken.sealed", "monitoring.Dossier.history", "monitoring.Dossier.contacts"} <= {
        str(column) for column in rotation.columns()
    }


def test_the_whole_way_from_one_key_to_another(under_old, settings, ada, ben, dora, now):
    for patient in (ada, ben):
        written(patient, by=dora, at=now)
        dossiers.write(patient, history="None known.", by=dora, at=now, version_seen=1)
    token = login("dora").json()["refresh_token"]
    settings.KEY_RING = (OLD, NEW)  # first everybody learns to open what the new key seals
    assert keys_in_use() == {"old"}

    bring_in_the_new(settings)
    said, ended_well = rotate("--check")
    assert not ended_well
    assert "Key old is needed: 2 rows of monitoring.Dossier.history." in said

    said, ended_well = rotate()
    assert ended_well
    assert "monitoring.Dossier.history: 2 sealed anew." in said
    assert keys_in_use() == {"new"}

    said, ended_well = rotate("--check")
    assert ended_well
    assert "is needed" not in said
    assert "Key old verifies" in said  # what was written of it meanwhile
    settings.KEY_RING = (NEW,)
    assert dossiers.read(ada, by=dora, at=now).contacts == HUSBAND
    assert {one.was for one in dossiers.former(ben)} == {"", HISTORY}
    assert refresh(token).status_code == 200
    assert run_checks(tags=["database"], databases=["default"]) == []


def test_twice_is_once(under_old, settings, ada, dora, now):
    written(ada, by=dora, at=now)
    bring_in_the_new(settings)
    rotate()
    sealed = Dossier.objects.get().history

    said, _ = rotate()

    assert "monitoring.Dossier.history: 0 sealed anew." in said
    assert Dossier.objects.get().history == sealed
    assert AuditEntry.objects.filter(what=Deed.SEALED_ANEW).count() == 1


def test_what_cannot_be_opened_is_counted_and_left(under_old, settings, ada, ben, dora, now):
    for patient in (ada, ben):
        written(patient, by=dora, at=now)
    torn = Dossier.objects.get(patient=ben).history
    Dossier.objects.filter(patient=ada).update(history=torn)
    bring_in_the_new(settings)

    said, ended_well = rotate()

    assert "monitoring.Dossier.history: 1 sealed anew, 1 UNREADABLE and left." in said
    assert not ended_well
    assert Dossier.objects.get(patient=ada).history == torn
    assert dossiers.read(ben, by=dora, at=now).history == HISTORY


def test_it_goes_in_batches_and_passes_by_what_it_cannot_open(monkeypatch, under_old, settings, dora, now):
    monkeypatch.setattr(rotation, "BATCH", 2)
    patients = [Patient.objects.create(patient_id=f"P-{place}", name="One of many") for place in range(7)]
    for patient in patients:
        written(patient, by=dora, at=now)
    Dossier.objects.filter(patient__in=patients[1:4]).update(history="v1.gone.AAAA")
    bring_in_the_new(settings)

    said, _ = rotate()

    assert "monitoring.Dossier.history: 4 sealed anew, 3 UNREADABLE and left." in said
    assert "No key in MEDQL_KEYS opens 3 rows of monitoring.Dossier.history." in said


def test_who_writes_meanwhile_wins(monkeypatch, under_old, settings, ada, dora, now):
    written(ada, by=dora, at=now)
    bring_in_the_new(settings)
    column = next(column for column in rotation.columns() if str(column) == "monitoring.Dossier.history")
    read_before = list(column.beside("new"))
    dossiers.write(ada, history="Written meanwhile.", by=dora, at=now, version_seen=1)

    assert rotation._seal(column, read_before) == rotation.Outcome(raced=1)

    assert dossiers.read(ada, by=dora, at=now).history == "Written meanwhile."


def test_writers_and_a_rotation_at_the_same_time(transactional_db, under_old, settings, north, dora):
    patients = [Patient.objects.create(patient_id=f"P-{place}", name="One of many") for place in range(12)]
    for patient in patients:
        written(patient, by=dora, at=datetime.now(UTC))
    bring_in_the_new(settings)
    begin = threading.Barrier(5)

    def write(mine):
        begin.wait()
        try:
            for version in range(1, 6):
                for patient in mine:
                    dossiers.write(patient, history=f"{patient} {version}", by=dora, at=datetime.now(UTC), version_seen=version)
        finally:
            connections.close_all()

    def seal():
        begin.wait()
        try:
            for _ in range(3):
                rotate()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(5) as pool:
        works = [pool.submit(seal), *(pool.submit(write, patients[place::4]) for place in range(4))]
    for work in works:
        work.result()

    rotate()
    settings.KEY_RING = (NEW,)
    for patient in patients:
        opened = dossiers.read(patient, by=dora, at=datetime.now(UTC))
        assert (opened.history, opened.contacts, opened.version) == (f"{patient} 5", HUSBAND, 6)
        assert None not in [one.was for one in dossiers.former(patient)]
    assert keys_in_use() == {"new"}


def test_a_key_that_was_taken_out_too_early_is_missed_by_the_check(under_old, settings, ada, dora, now):
    written(ada, by=dora, at=now)
    settings.KEY_RING = (NEW,)

    found = {error.msg for error in run_checks(tags=["database"], databases=["default"])}
    said, ended_well = rotate("--check")

    assert "No key in MEDQL_KEYS opens 1 rows of monitoring.Dossier.history." in said
    assert not ended_well
    assert "monitoring.Dossier.history has rows that no key in MEDQL_KEYS opens." in found
    assert dossiers.read(ada, by=dora, at=now).history is None


def test_it_says_what_of_the_audit_an_old_key_proves(under_old, settings, root, now):
    audit.record(Deed.ADDED, by=root, at=now)
    chain.seal_waiting()
    bring_in_the_new(settings)

    said, ended_well = rotate("--check")

    assert ended_well
    assert "Key old verifies 1 entries of the audit" in said


def test_a_third_key_is_looked_at_by_itself(under_old, settings, ada, dora, now):
    written(ada, by=dora, at=now)
    settings.KEY_RING = (NEW, OTHER, OLD)

    needed = rotation.needed()

    assert needed["other"] == {}
    assert sum(needed["old"].values()) == 2


def test_the_check_waits_for_the_tables(monkeypatch, db):
    monkeypatch.setattr("accounts.checks.connections", _Empty())

    assert [error for error in run_checks(tags=["database"], databases=["default"]) if error.id == "accounts.E006"] == []


class _Empty:
    """A database that nobody has migrated yet."""

    def __getitem__(self, alias):
        real = connections[alias]

        class Bare:
            vendor = "sqlite"
            cursor = staticmethod(real.cursor)

            class introspection:
                @staticmethod
                def table_names(cursor):
                    return []

        return Bare


def test_a_key_that_nothing_needs_can_go(db, settings):
    settings.KEY_RING = (OLD,)
    bring_in_the_new(settings)

    assert "Key old can be taken out of MEDQL_KEYS." in rotate("--check")[0]
