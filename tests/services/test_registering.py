"""A person is registered and changed: all of it or nothing, and of two at once one is told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from monitoring.models import Patient, Placement
from monitoring.services import admissions, dossiers, patients
from monitoring.services.dossiers import Contacts
from monitoring.services.patients import Facts
from tests.audit.trail import trail

GRACE = Facts(himself={"name": "Grace Hopper", "gender": "female"})


class TestRegister:
    def test_who_is_registered_is_written_down(self, dora, now):
        grace = patients.register("P-GRACE", GRACE, by=dora, at=now)

        assert (grace.version, grace.created_at) == (1, now)
        assert trail("what", "patient", "about") == [("added", "P-GRACE", "patient:P-GRACE")]

    def test_with_a_bed_she_lies_in_it_at_once(self, dora, north, now):
        grace = patients.register("P-GRACE", GRACE, bed=north.beds.get(position=3), by=dora, at=now)

        assert Placement.objects.get(admission__patient=grace, is_open=True).bed.name == "N3"

    def test_where_the_bed_is_taken_nobody_is_registered(self, ada, dora, north, now):
        with pytest.raises(admissions.BedTaken), transaction.atomic():
            patients.register("P-GRACE", GRACE, bed=north.beds.get(position=1), by=dora, at=now)

        assert not Patient.objects.filter(patient_id="P-GRACE").exists()

    def test_her_history_is_sealed_with_her(self, dora, now):
        grace = patients.register("P-GRACE", Facts(himself=GRACE.himself, history="asthma"), by=dora, at=now)

        assert dossiers.read(grace, by=dora, at=now).history == "asthma"
        assert Patient.objects.get(pk=grace.pk).version == 1

    def test_where_the_history_is_not_hers_to_write_nobody_is_registered(self, noor, now):
        with pytest.raises(dossiers.NotAllowed), transaction.atomic():
            patients.register("P-GRACE", Facts(himself=GRACE.himself, history="asthma"), by=noor, at=now)

        assert not Patient.objects.exists()

    def test_an_id_is_given_once(self, ada, dora, now):
        with pytest.raises(patients.DuplicateId):
            patients.register("P-ADA", GRACE, by=dora, at=now)

    @pytest.mark.parametrize(
        ("himself", "field"),
        [
            ({"name": ""}, "name"),
            ({"name": "x" * 201}, "name"),
            ({"name": "two\nlines"}, "name"),
            ({"name": "nothing\0"}, "name"),
            ({"name": "Grace", "gender": "x"}, "gender"),
        ],
    )
    def test_what_cannot_be_is_named(self, dora, now, himself, field):
        with pytest.raises(patients.Invalid) as refusal:
            patients.register("P-GRACE", Facts(himself=himself), by=dora, at=now)

        assert list(refusal.value.faults) == [field]

    def test_a_name_is_written_in_any_script(self, dora, now):
        assert patients.register("P-1", Facts(himself={"name": "سارا علی\u200cزاده"}), by=dora, at=now).pk

    def test_nobody_is_born_tomorrow(self, dora, now):
        with pytest.raises(patients.Invalid) as refusal:
            facts = Facts(himself={"name": "Grace", "birth_date": (now + timedelta(days=3)).date()})
            patients.register("P-GRACE", facts, by=dora, at=now)

        assert refusal.value.faults == {"birth_date": "This lies in the future."}

    def test_the_database_takes_an_id_once(self, ada):
        with pytest.raises(IntegrityError):
            Patient.objects.create(patient_id="P-ADA", name="Another")


class TestChange:
    def test_the_version_moves_by_one(self, ada, dora, north, now):
        before = north.change_number

        patients.change(ada, Facts(himself={"name": "Ada Lovelace"}, history="asthma"), by=dora, at=now, version_seen=1)

        ada.refresh_from_db()
        north.refresh_from_db()
        assert (ada.name, ada.version, ada.updated_at) == ("Ada Lovelace", 2, now)
        assert north.change_number > before
        assert ("changed", "dora", {"fields": ["name"]}) in trail("what", "who", "detail")

    def test_who_read_an_older_version_changes_nothing(self, ada, dora, now):
        patients.change(ada, Facts(himself={"name": "Ada Lovelace"}), by=dora, at=now, version_seen=1)

        with pytest.raises(patients.Stale):
            patients.change(ada, Facts(himself={"name": "Ada King"}), by=dora, at=now, version_seen=1)

        assert Patient.objects.get(pk=ada.pk).name == "Ada Lovelace"

    def test_a_dossier_changed_elsewhere_makes_it_stale(self, ada, dora, noor, now):
        dossiers.write(ada, contacts=Contacts(phone="1"), by=noor, at=now, version_seen=0)

        with pytest.raises(patients.Stale):
            patients.change(ada, Facts(history="asthma"), by=dora, at=now, version_seen=1)

    def test_what_may_not_be_changed_takes_the_rest_along(self, ada, root, now):
        with pytest.raises(patients.NotAllowed):
            patients.change(ada, Facts(himself={"name": "A. L."}, history="asthma"), by=root, at=now, version_seen=1)

        assert Patient.objects.get(pk=ada.pk).name == "Ada Byron"

    @pytest.mark.parametrize(
        ("facts", "who"),
        [
            (Facts(himself={"name": "A. L."}), {"dora", "root"}),
            (Facts(history="asthma"), {"dora"}),
            (Facts(contacts=Contacts(phone="1")), {"dora", "noor"}),
            (Facts(himself={"name": "A. L."}, contacts=Contacts(phone="1")), {"dora"}),
        ],
    )
    def test_each_part_is_changed_by_whom_the_table_names(self, request, ada, now, facts, who):
        for person in ("dora", "noor", "root", "vera", "eve"):
            version = Patient.objects.get(pk=ada.pk).version
            if person in who:
                patients.change(ada, facts, by=request.getfixturevalue(person), at=now, version_seen=version)
            else:
                with pytest.raises(patients.NotAllowed):
                    patients.change(ada, facts, by=request.getfixturevalue(person), at=now, version_seen=version)
            assert Patient.objects.get(pk=ada.pk).version == version + (person in who)


def test_an_archived_patient_is_not_admitted(dora, north, now):
    grace = patients.register("P-GRACE", GRACE, by=dora, at=now)
    patients.archive(grace, by=dora, at=now)

    with pytest.raises(admissions.Archived):
        admissions.admit(grace, bed=north.beds.get(position=3), by=dora, at=now)


def test_who_works_nowhere_sees_nobody_who_was_never_admitted(dora, noor, now):
    patients.register("P-GRACE", GRACE, by=dora, at=now)
    noor.memberships.all().delete()

    assert not Patient.objects.visible_to(noor).exists()
    assert Patient.objects.visible_to(dora).exists()
