"""What an entry holds, and that nobody changes it."""

import pytest
from django.db import models, transaction

from accounts import audit, origin
from accounts.models import AuditEntry, Deed, Door, ServiceToken
from accounts.models.audit_entry import AppendOnly


@pytest.fixture
def entry(noor, north, now):
    with origin.told(origin.Origin("203.0.113.7", Door.PAGE)):
        audit.record(
            Deed.SILENCED, by=noor, at=now, patient="P-ADA", ward=north, about="alert:7", detail={"minutes": 2, "with": [1]}
        )
    return AuditEntry.objects.get()


def test_an_entry_says_who_did_what_of_whom_from_where_and_when(entry, noor, north, now):
    assert (entry.at, entry.what, entry.by_kind, entry.user, entry.who) == (now, "silenced", "person", noor, "noor")
    assert (entry.ward, entry.patient, entry.about) == (north, "P-ADA", "alert:7")
    assert (entry.detail, entry.address, entry.door) == ({"minutes": 2, "with": [1]}, "203.0.113.7", "page")
    assert (entry.number, entry.seal) == (None, "")


def test_a_device_a_service_a_stranger_and_the_house_are_told_apart(gateway, now):
    service = ServiceToken.objects.create(name="report printer")
    with origin.told(origin.Origin("203.0.113.7", Door.API)):
        audit.record(Deed.SAW, by=service, at=now)
        audit.record(Deed.REFUSED, by=gateway.device, at=now)
        audit.record(Deed.SIGN_IN_REFUSED, by=None, at=now)
    audit.record(Deed.KEY_ISSUED, by=None, at=now)

    entries = AuditEntry.objects.order_by("pk")
    assert [(one.by_kind, one.device_id, one.service_id, one.who, one.door) for one in entries] == [
        ("service", None, service.pk, "report printer", "api"),
        ("device", gateway.device.pk, None, "GW-NORTH", "api"),
        ("nobody", None, None, "", "api"),
        ("medql", None, None, "", "command"),
    ]


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.save(),
        lambda one: one.delete(),
        lambda one: AuditEntry(pk=one.pk, at=one.at, what="saw", by_kind="nobody", door="page").save(),
        lambda one: AuditEntry.objects.filter(pk=one.pk).update(who="eve"),
        lambda one: AuditEntry.objects.filter(pk=one.pk).delete(),
        lambda one: AuditEntry.objects.bulk_update([one], ["who"]),
        lambda one: AuditEntry.objects.bulk_create([one], update_conflicts=True, update_fields=["who"], unique_fields=["id"]),
        lambda one: AuditEntry.objects.bulk_create([one], ignore_conflicts=True),
        lambda one: AuditEntry.objects.update_or_create(pk=one.pk, defaults={"who": "eve"}),
        lambda one: AuditEntry._base_manager.filter(pk=one.pk).update(who="eve"),
    ],
)
def test_nobody_changes_an_entry(entry, change):
    entry.who = "eve"

    with pytest.raises(AppendOnly):
        change(entry)

    assert AuditEntry.objects.get().who == "noor"


def test_a_person_who_is_written_of_cannot_be_deleted(entry, noor):
    noor.memberships.all().delete()

    with pytest.raises(models.ProtectedError):
        noor.delete()


def test_no_text_forges_a_line_or_turns_one_round(noor, now):
    forged = "P\r\n2026-01-01 root saw\x1b[2J\u2028\u202egpj\ud800\x00"
    audit.record(Deed.REFUSED, by=noor, at=now, patient=forged, about=forged, detail={forged: [forged, {"deep": forged}]})

    entry = AuditEntry.objects.get()
    for text in (entry.patient, entry.about, *entry.detail, next(iter(entry.detail.values()))[0], str(entry)):
        assert text.isprintable()
    assert entry.about.startswith("P\\u000d\\u000a2026-01-01")


def test_what_is_too_long_is_cut_where_all_can_see(noor, now):
    audit.record(Deed.REFUSED, by=noor, at=now, patient="P" * 1_000_000, about="a" * 1_000_000, detail={"path": "x" * 10_000})

    entry = AuditEntry.objects.get()
    assert (entry.patient, len(entry.about), len(entry.detail["path"])) == ("P" * 63 + "…", 150, 500)


def test_an_entry_goes_with_the_deed_that_it_tells(noor, now):
    with transaction.atomic():
        audit.record(Deed.ADMITTED, by=noor, at=now)
        transaction.set_rollback(True)

    assert not AuditEntry.objects.exists()


def test_writing_one_down_is_one_statement(noor, now, django_assert_num_queries):
    with django_assert_num_queries(1):
        audit.record(Deed.ADMITTED, by=noor, at=now)
