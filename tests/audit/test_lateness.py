"""Entries that are not sealed for a minute are a fault of the house: its people are told, and nobody at a bed."""

from datetime import timedelta

import pytest

from accounts import audit, chain
from accounts.models import AuditEntry, User
from monitoring.models import Alert, Delivery, Fault
from monitoring.services import auditing, faults
from monitoring.services.watching import HOUSE_STEPS, STEPS, turn
from tests.audit.trail import written
from tests.conftest import signed_in
from tests.services.receivers import post_office, use_mail_server

MINUTE = timedelta(minutes=1)


@pytest.fixture
def waiting(north, root, noor, now):
    """An entry of just over a minute ago, and a seal that cannot be set."""
    written(now - timedelta(seconds=61), by=noor, ward=north)


@pytest.fixture
def office(settings):
    with post_office() as office:
        office.use(settings)
        yield office


def letters(office):
    return [(letter["To"], letter["Subject"]) for letter in office.letters]


def test_it_begins_and_ends_once(waiting, now, caplog):
    assert auditing.notice_lateness(now=now) is True
    assert auditing.notice_lateness(now=now + MINUTE) is False
    fault = Fault.objects.get()
    assert (fault.name, fault.is_open, fault.began_at) == ("audit_unsealed", True, now)

    auditing.seal(now=now)
    assert auditing.notice_lateness(now=now + 2 * MINUTE) is True
    assert auditing.notice_lateness(now=now + 3 * MINUTE) is False

    fault.refresh_from_db()
    assert (fault.is_open, fault.ended_at) == (None, now + 2 * MINUTE)
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


@pytest.mark.django_db(transaction=True)  # a step that fails closes its connection
def test_a_head_that_nobody_believes_is_told_by_the_watcher_without_a_word_at_the_bed(waiting, now):
    chain.seal_waiting()
    written(now - timedelta(seconds=61))
    chain.AuditHead.objects.update(mac="forged")

    tally = turn(clock=lambda: now, steps=[*STEPS, *HOUSE_STEPS])

    assert tally.failing == {"auditing.seal"}
    assert Fault.objects.open().get().name == "audit_unsealed"
    assert not Alert.objects.exists() and not Delivery.objects.exists()


def test_what_is_sealed_in_time_is_no_fault(noor, now):
    written(now - timedelta(seconds=61), by=noor)

    turn(clock=lambda: now, steps=HOUSE_STEPS)

    assert not AuditEntry.objects.filter(number=None).exists()
    assert not Fault.objects.exists()


def test_what_was_seen_long_ago_and_written_just_now_is_no_fault(noor, now):
    audit.saw(by=noor, at=now - timedelta(hours=1), page="ward")
    audit.flush()

    assert not chain.is_late(now=now)


def test_administrators_are_written_to_when_it_begins_while_it_lasts_and_when_it_ends(waiting, office, now):
    User.objects.create_superuser("ines", "ines@example.org", "correct horse battery", name="Ines")
    User.objects.create_superuser("gone", "gone@example.org", "correct horse battery", name="Gone", is_active=False)
    auditing.notice_lateness(now=now)

    for minutes in (0, 0, 59, 60, 61):
        faults.tell(now=now + minutes * MINUTE)
    faults.end("audit_unsealed", now=now + 62 * MINUTE)
    for minutes in (62, 63, 200):
        faults.tell(now=now + minutes * MINUTE)

    subjects = [f"MedQL: {auditing.SENTENCE}"] * 2 + ["MedQL is right again: audit_unsealed"]
    assert letters(office) == [("ines@example.org, root@example.org", subject) for subject in subjects]


def test_a_letter_that_did_not_leave_is_written_again_a_minute_later(waiting, settings, office, now):
    use_mail_server(settings, 1)
    auditing.notice_lateness(now=now)
    with pytest.raises(OSError, match="refused"):
        faults.tell(now=now)
    office.use(settings)

    assert faults.tell(now=now + timedelta(seconds=59)) is False
    assert faults.tell(now=now + MINUTE) is True
    faults.end("audit_unsealed", now=now + 2 * MINUTE)
    use_mail_server(settings, 1)
    with pytest.raises(OSError, match="refused"):
        faults.tell(now=now + 2 * MINUTE)
    office.use(settings)
    faults.tell(now=now + 3 * MINUTE)

    assert len(office.letters) == 2


def test_what_ended_before_anybody_was_told_is_not_told(waiting, office, now):
    auditing.notice_lateness(now=now)
    faults.end("audit_unsealed", now=now)

    assert faults.tell(now=now) is False


def test_without_a_mail_server_nobody_is_written_to(waiting, now):
    auditing.notice_lateness(now=now)

    assert faults.tell(now=now) is False
    assert Fault.objects.get().told_at is None


def test_administrators_see_it_on_their_first_page_and_others_do_not(waiting, root, dora, now):
    User.objects.filter(pk=dora.pk).update(is_staff=True)
    for person, sees in ((root, True), (dora, False)):
        auditing.notice_lateness(now=now)
        assert (auditing.SENTENCE in signed_in(person).get("/admin/").content.decode()) is sees
        faults.end("audit_unsealed", now=now)
        assert auditing.SENTENCE not in signed_in(person).get("/admin/").content.decode()


def test_looking_for_nothing_costs_little(north, now, django_assert_num_queries):
    with django_assert_num_queries(4):
        turn(clock=lambda: now, steps=HOUSE_STEPS)
