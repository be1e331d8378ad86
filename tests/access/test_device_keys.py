"""One device, one key: issued once, changed over with an overlap, revoked at once; and every such deed is written down."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import IntegrityError, OperationalError, connection, transaction

from accounts import keys, known_keys
from accounts.models import AuditEntry, Device, DeviceKey
from tests.world import Monitor, item


def opens(key, *, at):
    try:
        return keys.device_of(key, now=at).name
    except (keys.WrongKey, keys.RevokedKey) as refusal:
        return type(refusal).__name__


class TestIssue:
    def test_a_device_has_one_key(self, gateway, now):
        with pytest.raises(keys.HasKey):
            keys.issue(gateway.device, at=now, by=None)

        assert DeviceKey.objects.count() == 1

    def test_the_database_holds_that_too(self, gateway):
        with pytest.raises(IntegrityError), transaction.atomic():
            DeviceKey.objects.create(device=gateway.device, prefix="another", secret_hash="0" * 64)

    def test_a_current_key_has_no_end(self, gateway, now):
        with pytest.raises(IntegrityError), transaction.atomic():
            DeviceKey.objects.update(revoked_at=now)

    def test_once_all_are_revoked_there_may_be_another(self, gateway, now):
        keys.revoke(gateway.device, at=now, by=None)

        key = keys.issue(gateway.device, at=now, by=None)

        assert opens(key, at=now) == "GW-NORTH"
        assert opens(gateway.key, at=now) == "RevokedKey"

    def test_only_the_hash_is_kept(self, gateway):
        secret = gateway.key.partition(".")[2]

        row = DeviceKey.objects.values().get()

        assert not any(secret in str(value) for value in row.values())

    def test_of_the_keys_of_former_times_the_newest_that_lives_is_the_one(self, gateway, now):
        step = import_module("accounts.migrations.0015_newest_device_keys_are_current")
        other = Device.objects.create(name="M9")
        for place, (device, revoked_at) in enumerate([(gateway.device, None), (gateway.device, now), (other, now)]):
            at = now + timedelta(hours=place)
            DeviceKey.objects.create(device=device, prefix=f"old{place}", created_at=at, revoked_at=revoked_at, is_current=None)
        DeviceKey.objects.update(is_current=None)

        step.mark_newest(apps, SimpleNamespace(connection=connection))

        assert list(DeviceKey.objects.filter(is_current=True).values_list("prefix", flat=True)) == ["old0"]
        assert opens(gateway.key, at=now) == "GW-NORTH"  # and goes on, until the device's key is rotated
        keys.rotate(gateway.device, at=now, by=None, overlap=keys.AT_ONCE)
        assert opens(gateway.key, at=now) == "RevokedKey"


class TestRotation:
    def test_the_old_key_goes_on_for_the_overlap(self, gateway, now):
        new = keys.rotate(gateway.device, at=now, by=None, overlap=timedelta(minutes=10))

        for minutes, old in ((0, "GW-NORTH"), (9, "GW-NORTH"), (10, "RevokedKey")):
            assert opens(gateway.key, at=now + timedelta(minutes=minutes)) == old
            assert opens(new, at=now + timedelta(minutes=minutes)) == "GW-NORTH"

    def test_without_overlap_it_ends_at_once(self, gateway, now):
        opens(gateway.key, at=now)

        keys.rotate(gateway.device, at=now, by=None, overlap=keys.AT_ONCE)

        assert opens(gateway.key, at=now) == "RevokedKey"

    def test_rotating_twice_lets_no_key_live_longer_than_it_was_told(self, gateway, now):
        second = keys.rotate(gateway.device, at=now, by=None, overlap=timedelta(minutes=10))

        keys.rotate(gateway.device, at=now + timedelta(minutes=5), by=None, overlap=timedelta(hours=1))

        assert opens(gateway.key, at=now + timedelta(minutes=11)) == "RevokedKey"
        assert opens(second, at=now + timedelta(minutes=11)) == "GW-NORTH"

    def test_revoking_ends_the_overlap_too(self, gateway, now):
        new = keys.rotate(gateway.device, at=now, by=None)

        assert keys.revoke(gateway.device, at=now, by=None) == 2
        assert {opens(gateway.key, at=now), opens(new, at=now)} == {"RevokedKey"}

    @pytest.mark.parametrize("overlap", [timedelta(seconds=-1), timedelta(days=7, seconds=1)])
    def test_an_overlap_is_no_longer_than_a_week(self, gateway, now, overlap):
        with pytest.raises(keys.OverlapOutOfRange):
            keys.rotate(gateway.device, at=now, by=None, overlap=overlap)

    @pytest.mark.django_db(transaction=True)
    def test_of_two_who_rotate_at_once_one_has_the_key(self, gateway, now):
        start = threading.Barrier(4)

        def rotate(_):
            start.wait()
            try:
                return keys.rotate(gateway.device, at=now, by=None, overlap=keys.AT_ONCE)
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            new = list(pool.map(rotate, range(4)))

        assert sorted(opens(key, at=now) for key in new) == ["GW-NORTH"] + 3 * ["RevokedKey"]


class TestWrittenDown:
    def test_who_issued_rotated_and_revoked_which_key(self, gateway, root, now):
        keys.revoke(gateway.device, at=now, by=None)
        keys.issue(gateway.device, at=now, by=root)
        keys.rotate(gateway.device, at=now, by=root, overlap=timedelta(minutes=10))
        keys.revoke(gateway.device, at=now, by=root)

        trail = AuditEntry.objects.order_by("pk").values_list("what", "who", "about")
        assert list(trail) == [
            ("key_revoked", "", "device:GW-NORTH"),
            ("key_issued", "root", "device:GW-NORTH"),
            ("key_rotated", "root", "device:GW-NORTH"),
            ("key_revoked", "root", "device:GW-NORTH"),
        ]
        assert AuditEntry.objects.get(what="key_rotated").detail["minutes"] == 10

    def test_never_the_secret(self, gateway, root, now):
        key = keys.rotate(gateway.device, at=now, by=root)

        told = "".join(str(row) for row in AuditEntry.objects.values())
        assert key.partition(".")[0] in told
        assert key.partition(".")[2] not in told


class TestRemembered:
    def test_a_key_that_was_just_shown_costs_no_query(self, gateway, now, django_assert_num_queries):
        with django_assert_num_queries(1):
            opens(gateway.key, at=now)
        with django_assert_num_queries(0):
            assert opens(gateway.key, at=now) == "GW-NORTH"

    def test_it_is_asked_for_again_within_five_seconds(self, gateway, now, monkeypatch, django_assert_num_queries):
        opens(gateway.key, at=now)
        steady = known_keys.time.monotonic
        monkeypatch.setattr(known_keys.time, "monotonic", lambda: steady() + 5)

        with django_assert_num_queries(1):
            opens(gateway.key, at=now)

    def test_what_another_process_revoked_ends_with_the_memory(self, gateway, now, monkeypatch):
        opens(gateway.key, at=now)
        DeviceKey.objects.update(revoked_at=now, is_current=None)  # no word of it reaches this process
        assert opens(gateway.key, at=now) == "GW-NORTH"
        steady = known_keys.time.monotonic
        monkeypatch.setattr(known_keys.time, "monotonic", lambda: steady() + 5)

        assert opens(gateway.key, at=now) == "RevokedKey"

    @pytest.mark.parametrize("deed", ["revoke", "rotate", "deactivate"])
    def test_what_this_process_did_ends_it_at_once(self, gateway, now, deed):
        opens(gateway.key, at=now)

        if deed == "revoke":
            keys.revoke(gateway.device, at=now, by=None)
        elif deed == "rotate":
            keys.rotate(gateway.device, at=now, by=None, overlap=keys.AT_ONCE)
        else:
            gateway.device.is_active = False
            gateway.device.save()

        assert opens(gateway.key, at=now) == "RevokedKey"

    def test_an_answer_that_was_overtaken_by_a_revocation_is_not_remembered(self, gateway, now, monkeypatch):
        row = DeviceKey.objects.select_related("device").get()

        class Overtaken:
            """A database that answers with what was there before."""

            def __getattr__(self, name):
                return lambda *args, **wanted: self

            def first(self):
                keys.revoke(gateway.device, at=now, by=None)
                return row

        with monkeypatch.context() as patch:
            patch.setattr(known_keys, "DeviceKey", SimpleNamespace(objects=Overtaken()))
            known_keys.find(row.prefix)

        assert opens(gateway.key, at=now) == "RevokedKey"

    def test_a_new_key_works_though_it_was_tried_before(self, north, now):
        device = Device.objects.create(name="M9")
        with transaction.atomic():
            key = keys.issue(device, at=now, by=None)
            transaction.set_rollback(True)
        assert opens(key, at=now) == "WrongKey"
        prefix, secret = key.split(".")
        DeviceKey.objects.create(device=device, prefix=prefix, secret_hash=keys._hash(secret))

        assert opens(key, at=now) == "M9"

    def test_nobody_changes_what_is_remembered(self, gateway, now):
        keys.device_of(gateway.key, now=now).zero_is_absent = True

        assert keys.device_of(gateway.key, now=now).zero_is_absent is False


class TestLastUsed:
    def test_it_is_noted_at_most_once_a_minute(self, gateway, now, django_assert_num_queries):
        keys.note_use(gateway.key, at=now)

        for seconds, queries in ((59, 0), (60, 1), (100, 0), (-3600, 1)):  # the last: the clock was set back
            with django_assert_num_queries(queries):
                keys.note_use(gateway.key, at=now + timedelta(seconds=seconds))

        assert DeviceKey.objects.get().used_at == now - timedelta(hours=1)

    def test_a_reading_is_taken_though_its_key_cannot_be_noted(self, gateway, ada, now, monkeypatch, caplog):
        def fall(pk, at):
            raise OperationalError("database is locked")

        monkeypatch.setattr(keys, "_note", fall)

        assert gateway.post([item(ada, now, spo2=97)]).status_code == 202
        assert "could not be noted" in caplog.text

    def test_a_wall_uses_its_key_too(self, north, client, now):
        device = Device.objects.create(name="WALL", kind=Device.Kind.KIOSK)
        device.wards.add(north)

        client.post("/accounts/kiosk/", {"key": keys.issue(device)})

        assert DeviceKey.objects.get().used_at is not None

    def test_the_key_that_is_used_still_is_seen(self, gateway, ada, now):
        keys.rotate(gateway.device, at=now, by=None)

        gateway.post([item(ada, now, spo2=97)])

        assert DeviceKey.objects.get(is_current=None).used_at is not None
        assert DeviceKey.objects.get(is_current=True).used_at is None


class TestCommand:
    def test_issue_makes_the_device_and_prints_the_key_alone(self, north, ada, now, capsys):
        call_command("device_key", "issue", "GW-9", "--kind", "gateway", "--ward", "north")

        key = capsys.readouterr().out.strip()
        device = Device.objects.get(name="GW-9")
        assert (device.kind, list(device.wards.all())) == ("gateway", [north])
        assert Monitor(device, key).post([item(ada, now, spo2=97)]).status_code == 202

    @pytest.mark.parametrize("options", [["--ward", "north"], ["--kind", "gateway"], ["--zero-is-absent"]])
    def test_issue_does_not_pass_over_what_it_is_told_of_a_device_that_exists(self, gateway, now, options):
        keys.revoke(gateway.device, at=now, by=None)

        with pytest.raises(CommandError, match=f"GW-NORTH exists: what {options[0]} says"):
            call_command("device_key", "issue", "GW-NORTH", *options)

    def test_issue_refuses_a_second_key(self, gateway):
        with pytest.raises(CommandError, match="rotate it"):
            call_command("device_key", "issue", "GW-NORTH")

    @pytest.mark.parametrize(("minutes", "after"), [(None, "GW-NORTH"), (30, "GW-NORTH"), (0, "RevokedKey")])
    def test_rotate_says_how_long_the_old_key_goes_on(self, gateway, now, capsys, minutes, after):
        overlap = [] if minutes is None else ["--overlap", str(minutes)]

        call_command("device_key", "rotate", "GW-NORTH", *overlap)

        assert opens(capsys.readouterr().out.strip(), at=now) == "GW-NORTH"
        assert opens(gateway.key, at=now + timedelta(minutes=9)) == after

    @pytest.mark.parametrize(
        "told",
        [
            ["rotate", "GW-NORTH", "--overlap", "-1"],
            ["rotate", "GW-NORTH", "--overlap", str(10**30)],
            ["revoke", "GW-NORTH", "--overlap", "5"],
            ["rotate", "GW-NORTH", "--ward", "north"],
            ["revoke", "GW-NORTH", "--kind", "monitor"],
            ["rotate", "NOBODY"],
            ["issue", "GW-9"],
            ["issue", "GW-9", "--ward", "nowhere"],
            ["issue", "GW 9", "--ward", "north"],
        ],
    )
    def test_what_makes_no_sense_is_refused_and_changes_nothing(self, gateway, now, told):
        with pytest.raises(CommandError):
            call_command("device_key", *told)

        assert opens(gateway.key, at=now) == "GW-NORTH"
        assert Device.objects.count() == DeviceKey.objects.count() == 1
