"""The doors to patients: registered once, found by whoever may, read, changed by one version, archived."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitoring.models import Patient, Shift
from monitoring.services import admissions, patients
from tests.access.actors import patient_herself
from tests.audit.trail import trail
from tests.conftest import signed_in
from tests.doors.staff import GRACE, PATIENTS, fields, ids, send

HOUR = timedelta(hours=1)


class TestRegister:
    def test_the_answer_is_the_patient(self, noor):
        answer = send(signed_in(noor), PATIENTS, GRACE)

        told = answer.json()
        assert answer.status_code == 201
        assert told | {"created_at": "", "updated_at": ""} == GRACE | {"gender": "female", "version": 1} | dict.fromkeys(
            ("ward", "bed", "admission")
        ) | {"created_at": "", "updated_at": ""}
        assert answer.headers["ETag"] == '"1"'
        assert signed_in(noor).get(answer.headers["Location"]).json()["patient_id"] == "P-GRACE"

    @pytest.mark.parametrize(
        ("said", "name", "gender"),
        [
            ({"first_name": "Grace", "last_name": "Hopper"}, "Grace Hopper", "unknown"),
            ({"name": "  Grace  ", "gender": "M"}, "Grace", "male"),
            ({"name": "Grace", "gender": "other", "birth_date": None}, "Grace", "other"),
            ({"name": "Ödön 🐎 O'Brien <b>"}, "Ödön 🐎 O'Brien <b>", "unknown"),
        ],
    )
    def test_a_name_in_one_or_two_and_any_gender(self, noor, said, name, gender):
        told = send(signed_in(noor), PATIENTS, {"patient_id": 17} | said).json()

        assert (told["patient_id"], told["name"], told["gender"]) == ("17", name, gender)

    def test_an_age_is_no_field_since_it_would_be_wrong_next_year(self, noor):
        answer = send(signed_in(noor), PATIENTS, GRACE | {"age": 70})

        assert fields(answer) == ["age"]
        assert not Patient.objects.exists()

    def test_into_a_bed_at_once(self, noor):
        told = send(signed_in(noor), PATIENTS, GRACE | {"ward": "north", "bed": "N3"}).json()

        assert (told["ward"], told["bed"]) == ("north", "N3")
        assert told["admission"]

    @pytest.mark.django_db(transaction=True)
    def test_into_a_bed_that_is_taken_nobody_is_registered(self, noor, ada):
        answer = send(signed_in(noor), PATIENTS, GRACE | {"ward": "north", "bed": "N1"})

        assert (answer.status_code, answer.json()["code"]) == (409, "bed_taken")
        assert not Patient.objects.filter(patient_id="P-GRACE").exists()

    def test_a_known_id_is_409(self, noor, ada):
        answer = send(signed_in(noor), PATIENTS, GRACE | {"patient_id": "P-ADA"})

        assert (answer.status_code, answer.json()["code"]) == (409, "duplicate")
        assert "Byron" not in answer.content.decode()

    def test_contacts_and_history_are_sealed_and_read_back(self, dora):
        contact = {"phone": "1", "emergency_contact": {"name": "William", "phone": "2"}}
        send(signed_in(dora), PATIENTS, GRACE | {"contact_info": contact, "medical_history": "asthma"})

        told = signed_in(dora).get(f"{PATIENTS}/P-GRACE").json()
        assert told["medical_history"] == "asthma"
        other = {"name": "William", "phone": "2", "relationship": None}
        assert told["contact_info"] == {"phone": "1", "email": None, "emergency_contact": other, "note": None}

    def test_contacts_may_be_a_text(self, noor):
        send(signed_in(noor), PATIENTS, GRACE | {"contact_info": "her sister\n+1 555"})

        assert signed_in(noor).get(f"{PATIENTS}/P-GRACE").json()["contact_info"]["note"] == "her sister; +1 555"

    @pytest.mark.django_db(transaction=True)
    def test_a_nurse_writes_no_history(self, noor):
        assert send(signed_in(noor), PATIENTS, GRACE | {"medical_history": "asthma"}).status_code == 403
        assert not Patient.objects.exists()

    @pytest.mark.parametrize(
        ("said", "named"),
        [
            ({"patient_id": "x" * 65}, ["patient_id"]),
            ({"patient_id": "a/b"}, ["patient_id"]),
            ({"patient_id": "search"}, ["patient_id"]),
            ({"patient_id": "\0"}, ["patient_id"]),
            ({"patient_id": 10**80}, ["patient_id"]),
            ({"patient_id": True}, ["patient_id"]),
            ({"name": ""}, ["name"]),
            ({"name": "x" * 201}, ["name"]),
            ({"name": "a\0b"}, ["name"]),
            ({"name": "Grace", "first_name": "Grace", "last_name": "Hopper"}, ["name"]),
            ({"first_name": "Grace"}, ["name", "last_name"]),
            ({"gender": "X"}, ["gender"]),
            ({"birth_date": "2999-01-01"}, ["birth_date"]),
            ({"birth_date": "1700-01-01"}, ["birth_date"]),
            ({"birth_date": "yesterday"}, ["birth_date"]),
            ({"ward": "north"}, ["bed"]),
            ({"bed": "N1"}, ["ward"]),
            ({"ward": "north", "bed": "N9"}, ["bed"]),
            ({"age": 47}, ["age"]),
            ({"contact_info": {"telephone": "1"}}, ["contact_info"]),
            ({"contact_info": {"email": "nowhere"}}, ["contact_info.email"]),
            ({"contact_info": "x" * 301}, ["contact_info.note"]),
            ({"contact_info": 5}, ["contact_info"]),
            ({"medical_history": "x" * 20_001}, ["medical_history"]),
        ],
    )
    def test_what_cannot_be_is_named(self, dora, said, named):
        assert fields(send(signed_in(dora), PATIENTS, GRACE | said)) == named

    @pytest.mark.parametrize("body", [b'{"patient_id": NaN}', b'{"name": "\\ud800"}', b"[]", b"", b"\xff", b"{" * 9_000])
    def test_what_is_no_body_is_400(self, dora, body):
        assert send(signed_in(dora), PATIENTS, body).status_code == 400

    def test_a_bed_of_a_foreign_ward_is_404(self, eve, north):
        assert send(signed_in(eve), PATIENTS, GRACE | {"ward": "north", "bed": "N3"}).status_code == 404

    def test_a_viewer_registers_nobody(self, vera):
        assert send(signed_in(vera), PATIENTS, GRACE).status_code == 403


class TestList:
    @pytest.fixture(autouse=True)
    def _patients(self, ada, ben, cid):
        pass

    def test_one_finds_who_is_in_ones_wards(self, noor):
        assert ids(signed_in(noor).get(PATIENTS)) == ["P-ADA", "P-BEN"]

    def test_eve_never_finds_ada(self, eve):
        assert ids(signed_in(eve).get(PATIENTS)) == ["P-CID"]
        assert signed_in(eve).get(f"{PATIENTS}?ward=north").status_code == 404

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("ward=south", ["P-CID"]),
            ("q=P-B", ["P-BEN"]),
            ("q=n1", ["P-ADA"]),
            ("q=S1", ["P-CID"]),
            ("q=Byron", []),
            ("q=%25", []),
            ("q=%00", []),
            ("archived=true", []),
            ("mine=true", ["P-ADA", "P-BEN", "P-CID"]),
        ],
    )
    def test_it_is_narrowed(self, office, query, found):
        assert ids(office.get(f"{PATIENTS}?{query}")) == found

    def test_mine_are_the_beds_of_my_shift(self, noor, north, now):
        shift = Shift.objects.create(
            user=noor, ward=north, starts_at=now - timedelta(hours=1), ends_at=now + timedelta(hours=1)
        )
        assert ids(signed_in(noor).get(f"{PATIENTS}?mine=true")) == ["P-ADA", "P-BEN"]

        shift.beds.add(north.beds.get(name="N2"))
        assert ids(signed_in(noor).get(f"{PATIENTS}?mine=true")) == ["P-BEN"]

    def test_a_shift_in_a_ward_that_is_no_longer_hers_shows_nothing(self, noor, south, now):
        Shift.objects.create(user=noor, ward=south, starts_at=now - HOUR, ends_at=now + HOUR)

        assert ids(signed_in(noor).get(f"{PATIENTS}?mine=true")) == []

    def test_archived_ones_are_asked_for(self, office, root, ben, now):
        admissions.discharge(ben.admissions.get(), by=root, at=now)
        patients.archive(ben, by=root, at=now)

        assert ids(office.get(PATIENTS)) == ["P-ADA", "P-CID"]
        assert ids(office.get(f"{PATIENTS}?archived=true")) == ["P-BEN"]

    def test_pages_follow_each_other(self, office):
        first = office.get(f"{PATIENTS}?limit=2")

        assert ids(first) == ["P-ADA", "P-BEN"]
        assert ids(office.get(first.json()["next"])) == ["P-CID"]

    def test_a_longer_page_asks_no_more(self, office, north, django_assert_max_num_queries):
        for number in range(30):
            Patient.objects.create(patient_id=f"P{number}", name="Somebody")

        with django_assert_max_num_queries(6):
            assert len(ids(office.get(PATIENTS))) == 33

    @pytest.mark.parametrize(
        ("query", "named"),
        [
            ("limit=0", "limit"),
            ("limit=1e9", "limit"),
            ("cursor=x", "cursor"),
            ("mine=perhaps", "mine"),
            ("q=" + "x" * 65, "q"),
            ("name=ada", "name"),
        ],
    )
    def test_a_question_that_is_none(self, office, query, named):
        assert fields(office.get(f"{PATIENTS}?{query}")) == [named]

    def test_a_patient_finds_herself(self, ada):
        herself = signed_in(patient_herself(ada))

        assert ids(herself.get(PATIENTS)) == ids(herself.get(f"{PATIENTS}?mine=true")) == ["P-ADA"]

    def test_a_patient_does_not_find_who_was_never_admitted(self, ada, dora, now):
        send(signed_in(dora), PATIENTS, GRACE)

        assert ids(signed_in(patient_herself(ada)).get(PATIENTS)) == ["P-ADA"]


class TestSearch:
    @pytest.mark.parametrize(
        ("name", "found"), [("ada", ["P-ADA"]), ("BYR ada", ["P-ADA"]), ("ada okri", []), ("cid", []), ("%%", [])]
    )
    def test_by_every_word(self, noor, ada, ben, cid, name, found):
        assert ids(send(signed_in(noor), f"{PATIENTS}/search", {"name": name})) == found

    def test_pages_are_asked_with_the_same_body(self, noor, ada, ben):
        for name in ("Ada Lovelace", "Adam Smith"):
            Patient.objects.create(patient_id=name.replace(" ", "-"), name=name)

        first = send(signed_in(noor), f"{PATIENTS}/search?limit=2", {"name": "ada"})
        assert "name" not in first.json()["next"]
        assert ids(first) + ids(send(signed_in(noor), first.json()["next"], {"name": "ada"})) == [
            "Ada-Lovelace",
            "Adam-Smith",
            "P-ADA",
        ]

    @pytest.mark.parametrize(
        "body", [{}, {"name": "a"}, {"name": "\0\0"}, {"name": "a\x85b"}, {"name": "x" * 201}, {"name": 5}]
    )
    def test_what_is_no_name(self, noor, body):
        assert fields(send(signed_in(noor), f"{PATIENTS}/search", body)) == ["name"]

    def test_the_name_is_in_no_trail(self, noor, ada):
        send(signed_in(noor), f"{PATIENTS}/search", {"name": "byron"})

        assert "byron" not in str(trail("what", "about", "detail"))
