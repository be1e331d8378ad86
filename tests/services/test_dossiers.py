"""The dossier of a patient: sealed, opened for who treats him, and every look and change written down."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections

from accounts import emergency
from accounts.models import AuditEntry, Deed, Membership
from monitoring.models import Admission, Dossier, DossierChange, Patient
from monitoring.services import admissions, dossiers
from monitoring.services.dossiers import Contacts, EmergencyContact
from tests.audit.trail import trail
from tests.services.dossiers import HISTORY, HUSBAND, written


class TestSealed:
    def test_what_is_written_reads_the_same_and_is_nowhere_in_clear(self, ada, dora, now):
        written(ada, by=dora, at=now)

        opened = dossiers.read(ada, by=dora, at=now)
        assert (opened.history, opened.contacts, opened.version) == (HISTORY, HUSBAND, 1)
        kept = str([list(model.objects.values_list()) for model in (Dossier, DossierChange, AuditEntry, Patient)])
        for secret in ("penicillin", "William", "+44 20"):  # no shorter: a sealed text has letters at random, and no spaces
            assert secret not in kept

    def test_the_same_words_are_sealed_differently_each_time(self, ada, ben, dora, now):
        for patient in (ada, ben):
            written(patient, by=dora, at=now)

        assert len(set(Dossier.objects.values_list("history", flat=True))) == 2

    def test_the_row_of_another_patient_swapped_in_is_unreadable(self, ada, ben, dora, now, caplog):
        for patient in (ada, ben):
            written(patient, by=dora, at=now)
        bens = Dossier.objects.get(patient=ben)

        Dossier.objects.filter(patient=ada).update(history=bens.history, contacts=bens.contacts)

        opened = dossiers.read(ada, by=dora, at=now)
        assert (opened.history, opened.contacts) == (None, None)
        assert "penicillin" not in caplog.text
        assert dossiers.read(ben, by=dora, at=now).history == HISTORY

    def test_nor_can_history_stand_for_contacts(self, ada, dora, now):
        written(ada, by=dora, at=now)
        row = Dossier.objects.get()

        Dossier.objects.update(contacts=row.history)

        assert dossiers.read(ada, by=dora, at=now).contacts is None

    def test_what_cannot_be_read_is_not_written_over(self, ada, dora, now):
        written(ada, by=dora, at=now)
        Dossier.objects.update(history="v1.gone.AAAA")

        with pytest.raises(dossiers.Unreadable):
            dossiers.write(ada, history="new", by=dora, at=now, version_seen=1)

        assert dossiers.write(ada, contacts=Contacts(phone="1"), by=dora, at=now, version_seen=1) == 2
        assert Dossier.objects.get().history == "v1.gone.AAAA"

    def test_it_does_not_show_itself(self, ada, dora, now):
        written(ada, by=dora, at=now)

        assert "penicillin" not in repr(dossiers.read(ada, by=dora, at=now))
        assert "penicillin" not in repr(dossiers.former(ada))


class TestWho:
    @pytest.mark.parametrize(
        ("person", "allowed"), [("dora", True), ("noor", True), ("vera", False), ("eve", False), ("root", False)]
    )
    def test_who_treats_him_reads_and_nobody_by_rank(self, request, ada, person, allowed, now):
        who = request.getfixturevalue(person)

        assert dossiers.may_read(who, ada) is allowed
        if not allowed:
            with pytest.raises(dossiers.NotAllowed):
                dossiers.read(ada, by=who, at=now)
            assert Deed.SAW not in trail("what")

    def test_an_administrator_who_is_a_doctor_there_reads_as_one(self, root, north, ada):
        Membership.objects.create(user=root, ward=north, role=Membership.Role.DOCTOR)

        assert dossiers.may_read(root, ada)

    def test_a_doctor_changes_both_and_a_nurse_the_contacts(self, ada, dora, noor, now):
        dossiers.write(ada, history=HISTORY, by=dora, at=now, version_seen=0)
        dossiers.write(ada, contacts=HUSBAND, by=noor, at=now, version_seen=1)

        with pytest.raises(dossiers.NotAllowed):
            dossiers.write(ada, history="none", by=noor, at=now, version_seen=2)
        with pytest.raises(dossiers.NotAllowed):
            dossiers.write(ada, history="none", contacts=HUSBAND, by=noor, at=now, version_seen=2)

    @pytest.mark.parametrize("person", ["vera", "eve", "root"])
    def test_nobody_else_changes_anything(self, request, ada, person, now):
        who = request.getfixturevalue(person)

        for wanted in ({"history": HISTORY}, {"contacts": HUSBAND}, {}):
            with pytest.raises(dossiers.NotAllowed):
                dossiers.write(ada, **wanted, by=who, at=now, version_seen=0)
        assert not Dossier.objects.exists()

    def test_who_left_the_ward_reads_no_more(self, ada, dora, now):
        Membership.objects.filter(user=dora).update(ends_at=now - timedelta(minutes=1))

        assert not dossiers.may_read(dora, ada)

    def test_a_patient_goes_and_his_dossier_with_him(self, ada, dora, eve, south, now):
        admissions.transfer(Admission.objects.get(patient=ada), bed=south.beds.first(), by=None, at=now)

        assert not dossiers.may_read(dora, ada)
        assert dossiers.may_read(eve, ada)

    def test_of_who_was_discharged_the_last_ward_reads(self, ada, dora, eve, now):
        admissions.discharge(Admission.objects.get(patient=ada), by=None, at=now)

        assert dossiers.may_read(dora, ada)
        assert not dossiers.may_read(eve, ada)

    def test_of_who_was_never_admitted_whoever_treats_somewhere(self, db, dora, eve, vera, root):
        new = Patient.objects.create(patient_id="P-NEW", name="New")

        assert [dossiers.may_read(who, new) for who in (dora, eve, vera, root)] == [True, True, False, False]

    def test_in_an_emergency_the_nurse_of_another_ward_reads(self, ada, eve, north, now):
        emergency.enter(eve, north, reason="cardiac arrest", at=now)

        assert dossiers.may_read(eve, ada)


class TestWrittenDown:
    def test_reading_and_changing_are_in_the_trail_and_say_nothing_of_it(self, ada, dora, north, now):
        written(ada, by=dora, at=now)
        dossiers.read(ada, by=dora, at=now)

        rows = [row for row in trail("what", "who", "patient", "ward", "about", "detail") if row[1] == "dora"]
        assert rows == [
            ("history_changed", "dora", "P-ADA", north.pk, "", {"version": 1}),
            ("contacts_changed", "dora", "P-ADA", north.pk, "", {"version": 1}),
            ("saw", "dora", "P-ADA", north.pk, "page:dossier", {}),
        ]

    def test_what_it_said_before_is_kept_sealed(self, ada, dora, now):
        written(ada, by=dora, at=now)
        dossiers.write(ada, history="none known", contacts=Contacts(), by=dora, at=now, version_seen=1)

        assert [(one.part, one.version, one.was) for one in dossiers.former(ada)] == [
            ("contacts", 2, "phone: +44 20 1\nemergency_contact.name: William\nemergency_contact.relationship: husband"),
            ("history", 2, HISTORY),
            ("contacts", 1, ""),
            ("history", 1, ""),
        ]

    def test_a_former_text_moved_to_another_patient_is_unreadable(self, ada, ben, dora, now):
        for patient in (ada, ben):
            written(patient, by=dora, at=now)
            dossiers.write(patient, history="none known", by=dora, at=now, version_seen=1)
        bens = DossierChange.objects.get(patient=ben, part="history", version=2)
        DossierChange.objects.filter(patient=ada, part="history", version=2).update(was=bens.was)

        assert next(one.was for one in dossiers.former(ada)) is None

    def test_the_same_again_changes_nothing(self, ada, dora, now):
        written(ada, by=dora, at=now)

        assert dossiers.write(ada, history=HISTORY, contacts=HUSBAND, by=dora, at=now, version_seen=1) == 1
        assert DossierChange.objects.count() == 2


class TestRefused:
    @pytest.mark.parametrize(
        ("wanted", "named"),
        [
            ({"history": "x" * 20_001}, ["history"]),
            ({"history": "a\0b"}, ["history"]),
            ({"contacts": Contacts(phone="1" * 41)}, ["phone"]),
            ({"contacts": Contacts(phone="1\n2")}, ["phone"]),
            ({"contacts": Contacts(email="nowhere")}, ["email"]),
            (
                {"contacts": Contacts(emergency_contact=EmergencyContact("n" * 151, "1" * 41, "r" * 51))},
                ["emergency_contact.name", "emergency_contact.phone", "emergency_contact.relationship"],
            ),
        ],
    )
    def test_what_is_too_long_or_odd_is_named_and_not_repeated(self, ada, dora, wanted, named, now):
        with pytest.raises(dossiers.Invalid) as refusal:
            dossiers.write(ada, **wanted, by=dora, at=now, version_seen=0)

        assert list(refusal.value.faults) == named
        assert not any(text in str(refusal.value.faults) for text in ("nowhere", "1111", "xxxx"))

    def test_as_much_as_may_be_is_kept(self, ada, dora, now):
        long = "☂" * 20_000

        dossiers.write(ada, history=long, by=dora, at=now, version_seen=0)

        assert dossiers.read(ada, by=dora, at=now).history == long

    def test_a_page_that_was_overtaken_is_refused(self, ada, dora, noor, now):
        written(ada, by=dora, at=now)

        with pytest.raises(dossiers.Stale):
            dossiers.write(ada, contacts=Contacts(phone="1"), by=noor, at=now, version_seen=0)

    def test_of_two_at_once_one_is_told(self, transactional_db, ada, dora, now):
        def write(text):
            try:
                return dossiers.write(ada, history=text, by=dora, at=now, version_seen=0)
            except dossiers.Stale:
                return "stale"
            finally:
                connections.close_all()

        with ThreadPoolExecutor(3) as pool:
            told = list(pool.map(write, ["one", "two", "three"]))

        assert sorted(map(str, told)) == ["1", "stale", "stale"]
        assert DossierChange.objects.count() == 1
