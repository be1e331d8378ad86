"""The chain of seals: what was sealed cannot be changed, taken out, put in or moved unnoticed."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts import audit, chain, keyring, seals, verifying
from accounts.models import AuditEntry, AuditHead, Deed
from monitoring.services import auditing
from tests.audit.trail import written

TABLE = AuditEntry._meta.db_table
HEAD = AuditHead._meta.db_table
NEW_KEY = (keyring.Key("new", bytes(range(32))),)


def write(by, at, count):
    for number in range(count):
        audit.record(Deed.SILENCED, by=by, at=at + timedelta(seconds=number), patient="P-ADA", about=f"alert:{number}")


def sql(statement, *params):
    """What somebody does who has the database, but not the keys."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params)


def verified(*words):
    told = io.StringIO()
    call_command("verify_audit", *words, stdout=told)
    return told.getvalue()


def fault(*words):
    with pytest.raises(CommandError) as found:
        verified(*words)
    assert found.value.returncode == 1
    return str(found.value)


def numbers():
    return list(AuditEntry.objects.order_by("pk").values_list("number", flat=True))


@pytest.fixture
def six(noor, now):
    """Six entries, sealed in two batches."""
    write(noor, now, 4)
    auditing.seal(now=now)
    write(noor, now, 2)
    auditing.seal(now=now)
    return list(AuditEntry.objects.order_by("pk"))


class TestSealing:
    def test_what_waits_is_sealed_in_order(self, six, now):
        assert [one.number for one in six] == [1, 2, 3, 4, 5, 6]
        assert len({one.seal for one in six}) == 6
        assert {one.key for one in six} == {keyring.current().id}
        assert auditing.seal(now=now) is False
        assert verified() == f"6 entries are sealed, 0 not yet.\nThe chain is whole.\nHead: 6:{six[-1].seal}\n"

    def test_a_batch_is_bounded(self, noor, now, monkeypatch):
        monkeypatch.setattr(chain, "BATCH", 2)
        write(noor, now, 5)

        assert [chain.seal_waiting(most=2) for _ in range(4)] == [2, 2, 1, 0]
        assert numbers() == [1, 2, 3, 4, 5]

    @pytest.mark.parametrize("count", [1, chain.AT_ONCE])
    def test_the_number_of_statements_does_not_depend_on_the_number_of_entries(
        self, six, noor, now, django_assert_num_queries, count
    ):
        write(noor, now, count)
        with django_assert_num_queries(6):  # the head, the entries, their update, the head; and a savepoint
            chain.seal_waiting()

    def test_without_work_it_is_one_question(self, six, now, django_assert_num_queries):
        with django_assert_num_queries(1):
            auditing.seal(now=now)

    def test_other_keys_make_other_seals_and_old_entries_stay_whole(self, six, noor, now, settings):
        settings.KEY_RING = (*NEW_KEY, *settings.KEY_RING)
        write(noor, now, 1)
        auditing.seal(now=now)

        assert AuditEntry.objects.latest("pk").key == "new"
        assert "The chain is whole." in verified()

    def test_a_key_that_was_thrown_away_is_named(self, six, settings):
        old = keyring.current().id
        settings.KEY_RING = NEW_KEY

        assert f"Entry 1 is sealed with the key {old}, which MEDQL_KEYS does not hold." in fault()

    def test_an_entry_waits_too_long_after_a_minute(self, noor, now):
        written(now, by=noor)

        assert not chain.is_late(now=now + timedelta(seconds=60))
        assert chain.is_late(now=now + timedelta(seconds=61))
        auditing.seal(now=now)
        assert not chain.is_late(now=now + timedelta(seconds=61))


class TestVerifying:
    def test_nothing_is_whole(self, db):
        assert verified() == "0 entries are sealed, 0 not yet.\nThe chain is whole.\n"

    def test_what_waits_is_counted(self, six, noor, now):
        write(noor, now, 3)

        assert verified().startswith("6 entries are sealed, 3 not yet.\nThe chain is whole.")

    @pytest.mark.parametrize("piece", [1, 2, 5, 6, 1_000])
    def test_it_is_read_in_pieces(self, six, monkeypatch, piece):
        monkeypatch.setattr(verifying, "PIECE", piece)

        assert verified().startswith("6 entries are sealed")

    @pytest.mark.parametrize("column", seals.MARKED)
    def test_every_field_is_sealed(self, six, column):
        value = {"at": "2026-01-01 00:00:00", "written_at": "2026-01-01 00:00:00", "detail": '{"a": 1}'}.get(column, "7")
        sql(f"UPDATE {TABLE} SET {column} = %s WHERE number = 3", value)

        assert fault().startswith("THE AUDIT IS DAMAGED. Entry 3 was changed")

    @pytest.mark.parametrize("column", ["seal", "key", "mark"])
    def test_so_is_the_seal(self, six, column):
        sql(f"UPDATE {TABLE} SET {connection.ops.quote_name(column)} = %s WHERE number = 3", "f" * 64)

        assert "Entry 3 " in fault()

    @pytest.mark.parametrize(("where", "named"), [("= 1", "Entry 1 is missing."), ("IN (2, 3)", "Entries 2 to 3 are missing.")])
    def test_what_was_taken_out_is_missing(self, six, where, named):
        sql(f"DELETE FROM {TABLE} WHERE number {where}")

        assert named in fault()

    def test_closing_the_gap_hides_nothing(self, six):
        sql(f"DELETE FROM {TABLE} WHERE number = 3")
        for number in (4, 5, 6):
            sql(f"UPDATE {TABLE} SET number = %s WHERE number = %s", number - 1, number)

        assert "Entry 3 was changed (or the one before it taken out, and the numbers closed up)." in fault()

    def test_what_was_put_in_is_named(self, six):
        for number in (6, 5, 4):
            sql(f"UPDATE {TABLE} SET number = %s WHERE number = %s", number + 1, number)
        copy(six[2], number=4)

        assert "Entry 4 was inserted" in fault()

    def test_what_was_put_in_to_be_sealed_is_named(self, six, noor, now):
        """Before its seal and after: MedQL did not write it."""
        copy(six[2], number=None)
        ids = f"{six[2].pk}, {AuditEntry.objects.latest('pk').pk}"
        assert f"The entries with the ids {ids} are copies" in fault()

        auditing.seal(now=now)
        assert f"The entries with the ids {ids} are copies" in fault()

    def test_what_was_made_up_is_named(self, six, now):
        copy(six[2], number=None)
        sql(f"UPDATE {TABLE} SET patient = 'P-EVE' WHERE number IS NULL")
        assert "which waits for its seal, was inserted" in fault()

        auditing.seal(now=now)
        assert "Entry 7 was inserted, or changed before it was sealed: MedQL did not write it so." in fault()

    @pytest.mark.parametrize("column", seals.MARKED)
    def test_what_was_changed_before_its_seal_is_named(self, six, noor, now, column):
        written(now, by=noor)
        value = {name: "2026-01-01 00:00:00" for name in ("at", "written_at")} | {"detail": '{"a": 1}'}
        sql(f"UPDATE {TABLE} SET {column} = %s WHERE number IS NULL", value.get(column, "7"))
        assert "which waits for its seal, was inserted" in fault()

        auditing.seal(now=now)
        assert "Entry 7 was inserted, or changed before it was sealed" in fault()

    def test_what_was_put_in_behind_the_head_is_named(self, six):
        copy(six[5], number=7)

        assert "Entry 7 was inserted behind the head." in fault()

    def test_two_that_changed_places_are_named(self, six):
        for was, becomes in ((3, 99), (5, 3), (99, 5)):
            sql(f"UPDATE {TABLE} SET number = %s WHERE number = %s", becomes, was)

        assert "Entry 3 was reordered" in fault()
        assert "more faults follow" in fault()

    @pytest.mark.parametrize(("kept", "named"), [(5, "Entry 6 is missing."), (0, "Entries 1 to 6 are missing.")])
    def test_a_tail_that_was_cut_is_noticed(self, six, kept, named):
        sql(f"DELETE FROM {TABLE} WHERE number > %s", kept)

        assert f"The tail is cut: {named}" in fault()

    def test_a_head_that_was_set_back_with_it_is_noticed(self, six):
        sql(f"DELETE FROM {TABLE} WHERE number > 4")
        sql(f"UPDATE {HEAD} SET number = 4, seal = %s", six[3].seal)

        assert "The head was changed." in fault()

    def test_a_head_that_was_taken_away_is_noticed(self, six):
        sql(f"DELETE FROM {HEAD}")

        assert "The head is missing" in fault()

    def test_an_older_head_that_was_put_back_is_noticed_by_the_one_kept_outside(self, noor, now):
        write(noor, now, 4)
        auditing.seal(now=now)
        old = AuditHead.objects.values_list("number", "seal", "key", "mac").get()
        write(noor, now, 2)
        auditing.seal(now=now)
        kept = verified().rsplit("Head: ")[1].strip()
        sql(f"DELETE FROM {TABLE} WHERE number > 4")
        sql(f"UPDATE {HEAD} SET number = %s, seal = %s, {connection.ops.quote_name('key')} = %s, mac = %s", *old)

        assert "The chain is whole." in verified()  # by itself it cannot know
        assert "The tail is cut: the kept head is entry 6, which is not there." in fault("--head", kept)

    def test_another_chain_is_not_the_one_whose_head_was_kept(self, six, now):
        kept = f"3:{six[3].seal}"

        assert "Entry 3 has another seal than the kept head" in fault("--head", kept)
        assert "The chain is whole." in verified("--head", f"3:{six[2].seal}")

    @pytest.mark.parametrize("head", ["", "3", "3:", "x:" + "0" * 64, "3:" + "z" * 64])
    def test_what_is_no_head_is_refused(self, db, head):
        with pytest.raises(CommandError, match="a head is NUMBER:SEAL"):
            verified("--head", head)


class TestGoingOn:
    @pytest.mark.parametrize("damage", [f"DELETE FROM {HEAD}", f"UPDATE {HEAD} SET number = 3", f"UPDATE {HEAD} SET mac = ''"])
    def test_nothing_is_sealed_after_a_head_that_nobody_believes(self, six, noor, now, damage):
        sql(damage)
        write(noor, now, 1)

        with pytest.raises(chain.HeadLost):
            auditing.seal(now=now)

        assert numbers()[-1] is None

    def test_after_a_look_into_it_the_chain_goes_on_and_says_so(self, six, noor, now):
        sql(f"DELETE FROM {HEAD}")

        assert verified("--resume") == f"The chain goes on after 6:{six[-1].seal}\n"
        auditing.seal(now=now)

        entry = AuditEntry.objects.get(number=7)
        assert (entry.what, entry.by_kind) == ("chain_resumed", "medql")
        assert entry.detail == {"head_was": "0:", "goes_on_after": f"6:{six[-1].seal}"}
        assert "The chain is whole." in verified()

    def test_going_on_repairs_nothing(self, six, now):
        sql(f"UPDATE {TABLE} SET who = 'eve' WHERE number = 2")
        verified("--resume")
        auditing.seal(now=now)

        assert "Entry 2 was changed" in fault()


def copy(entry, *, number):
    """Another row with the words of this one, and a number of its own."""
    columns = [
        connection.ops.quote_name(field.column)
        for field in AuditEntry._meta.concrete_fields
        if field.name not in ("id", "number")
    ]
    listed = ", ".join(columns)
    sql(f"INSERT INTO {TABLE} (number, {listed}) SELECT %s, {listed} FROM {TABLE} WHERE id = %s", number, entry.pk)
