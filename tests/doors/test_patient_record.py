"""The door to one patient: read as a whole, changed by one version, archived."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.test import Client

from accounts import service_tokens
from accounts.models import Membership, ServiceToken
from monitoring.models import Dossier, Patient
from monitoring.services import admissions, dossiers
from monitoring.services.dossiers import Contacts
from tests.access.actors import patient_herself
from tests.admin.pages import address, patient_page
from tests.audit.trail import trail
from tests.conftest import signed_in
from tests.doors.staff import ADA, GRACE, PATIENTS, fields, send
from tests.services.dossiers import HISTORY, written
from tests.world import item


class TestRead:
    def test_limits_alerts_values_and_score_come_along(self, noor, ada, gateway, now):
        gateway.post([item(ada, now - timedelta(seconds=5), spo2=93), item(ada, now, spo2=79, heart_rate=70)])

        told = signed_in(noor).get(ADA).json()
        assert (told["patient_id"], told["ward"], told["bed"], told["archived_at"]) == ("P-ADA", "north", "N1", None)
        assert told["latest"]["spo2"]["value"] == 79
        assert told["latest"]["body_temp"] is None
        assert {one["sign"]: one["critical_low"] for one in told["limits"]}["spo2"] == 85
        assert [(one["severity"], one["sign"], one["state"]) for one in told["alerts"]] == [("critical", "spo2", "raised")]
        assert (told["score"]["total"], told["score"]["parts"]["spo2"]) == (None, 3)

    def test_who_lies_nowhere_has_no_bed_and_no_values(self, dora):
        send(signed_in(dora), PATIENTS, GRACE)

        told = signed_in(dora).get(f"{PATIENTS}/P-GRACE").json()
        assert (told["ward"], told["alerts"], set(told["latest"].values())) == (None, [], {None})

    def test_the_dossier_is_for_who_treats_her_and_its_opening_is_written_down(self, ada, noor, vera, root, dora, now):
        written(ada, by=dora, at=now)

        assert signed_in(noor).get(ADA).json()["medical_history"] == HISTORY
        assert ("saw", "noor", "page:dossier") in trail("what", "who", "about")
        for other in (vera, root):
            assert {"medical_history", "contact_info"} & signed_in(other).get(ADA).json().keys() == set()

    def test_an_administrator_reads_it_where_he_works(self, ada, north, root, dora, now):
        written(ada, by=dora, at=now)
        Membership.objects.create(user=root, ward=north, role=Membership.Role.DOCTOR)

        assert signed_in(root).get(ADA).json()["medical_history"] == HISTORY

    def test_a_program_reads_no_dossier(self, ada, north, root, dora, now):
        written(ada, by=dora, at=now)
        token = service_tokens.issue(ServiceToken(name="lab"), wards=[north], by=root, at=now)

        told = Client(headers={"Authorization": f"Bearer {token}"}).get(ADA).json()
        assert told["limits"]
        assert "medical_history" not in told

    @pytest.mark.parametrize("way", [ADA, f"{ADA}/summary", PATIENTS])
    def test_nobodys_name_is_told_to_a_program(self, ada, north, root, now, way):
        token = service_tokens.issue(ServiceToken(name="lab"), wards=[north], by=root, at=now)

        answer = Client(headers={"Authorization": f"Bearer {token}"}).get(way)
        assert answer.status_code == 200
        assert '"name":null' in answer.content.decode()
        assert ada.name not in answer.content.decode()

    def test_the_patient_reads_her_values_and_no_alarms(self, ada, gateway, now):
        gateway.post([item(ada, now, spo2=79)])

        told = signed_in(patient_herself(ada)).get(ADA).json()
        assert told["latest"]["spo2"]["value"] == 79
        assert {"limits", "alerts", "score", "medical_history"} & told.keys() == set()

    def test_of_others_she_reads_nothing(self, ada, ben):
        assert signed_in(patient_herself(ada)).get(f"{PATIENTS}/P-BEN").status_code == 404

    def test_eve_gets_404(self, eve, ada):
        assert signed_in(eve).get(ADA).status_code == 404

    @pytest.mark.parametrize("name", ["x" * 3_000, "%00", "P%00ADA", "-1", "🐎", "..;"])
    def test_an_id_that_cannot_be_is_404(self, office, name):
        assert office.get(f"{PATIENTS}/{name}").status_code == 404

    def test_it_costs_no_more_queries_with_more_alerts(self, noor, ada, gateway, now, django_assert_max_num_queries):
        gateway.post([item(ada, now, spo2=79, heart_rate=190, respiratory_rate=45, body_temp=41)])
        client = signed_in(noor)

        with django_assert_max_num_queries(10):  # 4 to know her, 4 for the record, 2 to open the dossier
            assert len(client.get(ADA).json()["alerts"]) > 2


class TestChange:
    @pytest.mark.parametrize("method", ["put", "patch"])
    def test_the_version_moves_by_one(self, dora, ada, method):
        answer = send(signed_in(dora), ADA, {"name": "Ada Lovelace", "birth_date": "1985-12-10", "version": 1}, method)

        told = answer.json()
        assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
        assert (told["name"], told["birth_date"], told["version"], told["ward"]) == ("Ada Lovelace", "1985-12-10", 2, "north")

    def test_a_stale_version_is_409_with_the_present_record(self, dora, ada):
        send(signed_in(dora), ADA, {"name": "Ada Lovelace", "version": 1}, "put")

        answer = send(signed_in(dora), ADA, {"name": "Ada King", "version": 1}, "put")
        told = answer.json()
        assert (answer.status_code, answer.headers["ETag"], told["code"]) == (409, '"2"', "version_conflict")
        assert (told["expected_version"], told["current_version"], told["current"]["name"]) == (1, 2, "Ada Lovelace")

    def test_if_match_is_taken_for_a_version(self, dora, ada):
        seen = {"If-Match": '"1"'}

        assert send(signed_in(dora), ADA, {"gender": "F"}, "patch", **seen).json()["version"] == 2
        assert send(signed_in(dora), ADA, {"gender": "M"}, "patch", **seen).status_code == 409

    def test_the_administration_goes_by_the_same_version(self, office, root, dora, ada):
        opened = patient_page(ada, name="Ada King")
        send(signed_in(dora), ADA, {"name": "Ada Lovelace", "version": 1}, "put")

        assert "Somebody changed this" in office.post(address(Patient, "change", ada.pk), opened).content.decode()
        ada.refresh_from_db()
        assert office.post(address(Patient, "change", ada.pk), patient_page(ada, name="Ada King")).status_code == 302
        assert send(signed_in(dora), ADA, {"name": "A. L.", "version": 2}, "put").json()["current"]["name"] == "Ada King"

    def test_a_birth_date_may_be_taken_out_and_what_is_not_sent_stays(self, dora, ada):
        Patient.objects.update(birth_date=date(1985, 12, 10))

        told = send(signed_in(dora), ADA, {"birth_date": None, "version": 1}, "patch").json()
        assert (told["birth_date"], told["name"]) == (None, "Ada Byron")

    def test_the_history_is_part_of_the_record(self, dora, ada):
        assert send(signed_in(dora), ADA, {"medical_history": "asthma", "version": 1}, "patch").json()["version"] == 2

        assert signed_in(dora).get(ADA).json()["medical_history"] == "asthma"
        assert send(signed_in(dora), ADA, {"medical_history": "none", "version": 1}, "patch").status_code == 409

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize(
        ("part", "said"), [("history", {"medical_history": "none"}), ("contacts", {"contact_info": "Ben"})]
    )
    def test_what_cannot_be_opened_is_not_written_over(self, dora, ada, now, part, said):
        written(ada, by=dora, at=now)
        Dossier.objects.update(**{part: "v1.gone.AAAA"})
        before = signed_in(dora).get(ADA).json()

        answer = send(signed_in(dora), ADA, said | {"name": "Ada King", "version": before["version"]}, "patch")

        (field,) = said
        assert (answer.status_code, answer.json()["code"]) == (409, "unreadable")
        assert answer.json()["detail"].startswith(f"{field}: This cannot be read")
        assert before[field] is None
        assert signed_in(dora).get(ADA).json() == before

    @pytest.mark.parametrize(
        ("said", "named"),
        [
            ({"name": "Ada"}, ["version"]),
            ({"version": 1}, [""]),
            ({"version": -1, "name": "Ada"}, ["version"]),
            ({"version": 10**30, "name": "Ada"}, ["version"]),
            ({"version": "1", "name": "Ada"}, ["version"]),
            ({"version": 1, "name": None}, ["name"]),
            ({"version": 1, "patient_id": "P-2", "name": "Ada"}, ["patient_id"]),
            ({"version": 1, "birth_date": "2999-01-01"}, ["birth_date"]),
        ],
    )
    def test_what_cannot_be_is_named(self, dora, ada, said, named):
        assert fields(send(signed_in(dora), ADA, said, "put")) == named

    def test_who_may_not(self, noor, vera, eve, ada):
        found = [send(signed_in(who), ADA, {"name": "A", "version": 1}, "put").status_code for who in (noor, vera, eve)]

        assert found == [403, 403, 404]

    @pytest.mark.parametrize(
        ("said", "statuses"),
        [
            ({"name": "A. L."}, {"noor": 403, "dora": 200, "root": 200}),
            ({"contact_info": "her sister"}, {"noor": 200, "dora": 200, "root": 403}),
            ({"medical_history": "asthma"}, {"noor": 403, "dora": 200, "root": 403}),
            ({"name": "A. L.", "contact_info": {"phone": "1"}}, {"noor": 403, "dora": 200, "root": 403}),
        ],
    )
    def test_each_part_takes_its_own_permission(self, request, ada, vera, eve, said, statuses):
        found = {}
        for who in ("noor", "dora", "root", "vera", "eve"):
            version = Patient.objects.get(pk=ada.pk).version
            answer = send(signed_in(request.getfixturevalue(who)), ADA, said | {"version": version}, "patch")
            found[who] = answer.status_code

        assert found == statuses | {"vera": 403, "eve": 404}

    def test_a_nurse_writes_the_contacts_as_she_does_in_the_administration(self, noor, ada, now):
        answer = send(signed_in(noor), ADA, {"contact_info": {"phone": "+44 20 1"}, "version": 1}, "put")

        assert (answer.status_code, answer.json()["version"]) == (200, 2)
        assert signed_in(noor).get(ADA).json()["contact_info"]["phone"] == "+44 20 1"
        assert dossiers.read(ada, by=noor, at=now).contacts == Contacts(phone="+44 20 1")
        assert ("contacts_changed", "noor", "P-ADA") in trail("what", "who", "patient")

    def test_who_may_not_is_told_so_before_what_changed_meanwhile(self, noor, ada):
        assert send(signed_in(noor), ADA, {"medical_history": "none", "version": 7}, "put").status_code == 403

    def test_a_doctor_elsewhere_gets_404(self, eve, ada):
        Membership.objects.update(role=Membership.Role.DOCTOR)

        assert send(signed_in(eve), ADA, {"name": "A", "version": 1}, "put").status_code == 404


class TestArchive:
    def test_it_is_an_administrators_and_keeps_the_record(self, office, root, dora, ada, now):
        assert signed_in(dora).delete(ADA).status_code == 403
        admissions.discharge(ada.admissions.get(), by=root, at=now)

        assert (office.delete(ADA).status_code, office.delete(ADA).status_code) == (204, 204)
        assert office.get(ADA).json()["archived_at"]

    def test_who_is_admitted_is_not_archived(self, office, ada):
        answer = office.delete(ADA)

        assert (answer.status_code, answer.json()["code"]) == (409, "still_admitted")


@pytest.mark.parametrize("address", [PATIENTS, ADA, f"{PATIENTS}/search"])
def test_a_stranger_is_401(ada, address):
    assert Client().get(address).status_code == 401
    assert Client().post(address, {}, content_type="application/json").status_code == 401


@pytest.mark.parametrize(
    ("address", "method"), [(PATIENTS, "put"), (PATIENTS, "delete"), (ADA, "post"), (f"{PATIENTS}/search", "get")]
)
def test_other_methods_are_405(office, ada, address, method):
    assert getattr(office, method)(address).status_code == 405


def test_a_slash_at_the_end_is_the_same_address(noor, ada):
    assert signed_in(noor).get(f"{ADA}/").json()["patient_id"] == "P-ADA"
