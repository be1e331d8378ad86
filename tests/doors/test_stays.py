"""The doors to a stay: admit, transfer, discharge, and what was."""

from __future__ import annotations

from datetime import timedelta, timezone

import pytest

from accounts.models import Membership
from monitoring.models import Admission, Patient
from monitoring.services import admissions, patients
from tests.conftest import signed_in
from tests.doors.staff import ADA, PATIENTS, fields, send

HERS = f"{PATIENTS}/P-GRACE"
N3 = {"ward": "north", "bed": "N3"}


def codes(answer):
    return answer.status_code, answer.json().get("code")


@pytest.fixture
def grace(db):
    """Known, and in no bed."""
    return Patient.objects.create(patient_id="P-GRACE", name="Grace Hopper")


class TestAdmit:
    def test_the_answer_is_the_stay(self, noor, grace, now):
        began = now - timedelta(hours=2)
        by_her_clock = began.astimezone(timezone(timedelta(hours=2))).isoformat()

        told = send(signed_in(noor), f"{HERS}/admit", N3 | {"at": by_her_clock}).json()
        assert (told["patient_id"], told["status"], told["ward"], told["bed"]) == ("P-GRACE", "admitted", "north", "N3")
        assert (told["admitted_by"], told["discharged_at"]) == ("Noor", None)
        assert told["admitted_at"] == told["placements"][0]["started_at"] == began.isoformat().replace("+00:00", "Z")
        assert signed_in(noor).get(HERS).json()["admission"] == told["id"]

    def test_the_same_again_is_answered_as_it_stands(self, noor, grace):
        first = send(signed_in(noor), f"{HERS}/admit", N3).json()

        again = send(signed_in(noor), f"{HERS}/admit", N3 | {"at": first["admitted_at"]})
        assert (again.status_code, again.json()) == (200, first)
        assert send(signed_in(noor), f"{HERS}/admit", N3).json() == first

    def test_another_bed_or_time_is_409(self, noor, ada, now):
        hers = {"ward": "north", "bed": "N1"}

        assert codes(send(signed_in(noor), f"{ADA}/admit", N3)) == (409, "already_admitted")
        assert codes(send(signed_in(noor), f"{ADA}/admit", hers | {"at": now.isoformat()})) == (409, "already_admitted")

    def test_a_taken_bed_is_409(self, noor, ada, grace):
        assert codes(send(signed_in(noor), f"{HERS}/admit", {"ward": "north", "bed": "N1"})) == (409, "bed_taken")

    def test_who_was_discharged_elsewhere_is_admitted_by_the_whole_id(self, noor, cid, now):
        admissions.discharge(Admission.objects.get(patient=cid), by=None, at=now - timedelta(hours=1))
        browser = signed_in(noor)
        assert browser.get("/api/v1/patients/P-CID").status_code == 404

        told = send(browser, "/api/v1/patients/P-CID/admit", N3)

        assert (told.status_code, told.json()["bed"]) == (200, "N3")
        assert browser.get("/api/v1/patients/P-CID").status_code == 200

    def test_who_lies_elsewhere_is_404_and_who_is_archived_there_too(self, noor, root, cid, now):
        assert send(signed_in(noor), "/api/v1/patients/P-CID/admit", N3).status_code == 404
        admissions.discharge(Admission.objects.get(patient=cid), by=None, at=now - timedelta(hours=1))
        patients.archive(cid, by=root, at=now)

        assert send(signed_in(noor), "/api/v1/patients/P-CID/admit", N3).status_code == 404
        assert not Admission.objects.filter(patient=cid, is_open=True).exists()

    def test_who_may_not_admit_learns_nothing_of_who_was_discharged_elsewhere(self, vera, cid, now):
        admissions.discharge(Admission.objects.get(patient=cid), by=None, at=now - timedelta(hours=1))

        answers = [send(signed_in(vera), f"/api/v1/patients/{each}/admit", N3) for each in ("P-CID", "P-NOBODY")]

        assert [answer.status_code for answer in answers] in ([403, 403], [404, 404])

    def test_who_is_archived_is_409(self, noor, root, grace, now):
        patients.archive(grace, by=root, at=now)

        assert codes(send(signed_in(noor), f"{HERS}/admit", N3)) == (409, "archived")

    @pytest.mark.parametrize(
        ("said", "named"),
        [
            ({"ward": "north"}, ["bed"]),
            (N3 | {"bed": "N9"}, ["bed"]),
            (N3 | {"bed": 3}, ["bed"]),
            (N3 | {"at": "2999-01-01T00:00:00Z"}, ["at"]),
            (N3 | {"at": "0001-01-01T00:00:00Z"}, ["at"]),
            (N3 | {"at": "9999-12-31T23:59:59Z"}, ["at"]),
            (N3 | {"at": "0001-01-01T00:00:00+14:00"}, ["at"]),
            (N3 | {"at": "2026-03-01T00:00:00"}, ["at"]),
            (N3 | {"at": 5}, ["at"]),
            (N3 | {"room": 5}, ["room"]),
        ],
    )
    def test_what_cannot_be_is_named(self, noor, grace, said, named):
        assert fields(send(signed_in(noor), f"{HERS}/admit", said)) == named

    def test_before_she_was_born_is_no_time(self, noor, grace, now):
        Patient.objects.update(birth_date=now.date())

        assert fields(send(signed_in(noor), f"{HERS}/admit", N3 | {"at": (now - timedelta(days=2)).isoformat()})) == ["at"]

    def test_before_the_last_stay_ended_is_too_early(self, noor, ada, now):
        send(signed_in(noor), f"{ADA}/discharge", {})

        answer = send(signed_in(noor), f"{ADA}/admit", N3 | {"at": (now - timedelta(hours=1)).isoformat()})
        assert (fields(answer), answer.json()["code"]) == (["at"], "too_early")

    def test_a_foreign_ward_is_404_and_a_viewer_403(self, eve, vera, grace):
        assert send(signed_in(eve), f"{HERS}/admit", N3).status_code == 404
        assert send(signed_in(vera), f"{HERS}/admit", N3).status_code == 403


class TestTransfer:
    def test_to_another_bed(self, noor, ada):
        told = send(signed_in(noor), f"{ADA}/transfer", N3).json()

        assert [(one["bed"], one["ended_at"] is None) for one in told["placements"]] == [("N1", False), ("N3", True)]

    def test_to_the_same_bed_changes_nothing(self, noor, ada):
        told = send(signed_in(noor), f"{ADA}/transfer", {"ward": "north", "bed": "N1"}).json()

        assert len(told["placements"]) == 1

    def test_what_is_not_so(self, noor, ada, ben, grace):
        assert codes(send(signed_in(noor), f"{ADA}/transfer", {"ward": "north", "bed": "N2"})) == (409, "bed_taken")
        assert codes(send(signed_in(noor), f"{HERS}/transfer", N3)) == (409, "not_admitted")

    def test_before_she_came_is_too_early(self, noor, ada, now):
        assert fields(send(signed_in(noor), f"{ADA}/transfer", N3 | {"at": (now - timedelta(days=2)).isoformat()})) == ["at"]

    def test_only_to_where_one_admits(self, noor, ada, south):
        away = {"ward": "south", "bed": "S2"}
        assert send(signed_in(noor), f"{ADA}/transfer", away).status_code == 404

        Membership.objects.create(user=noor, ward=south, role=Membership.Role.VIEWER)
        assert send(signed_in(noor), f"{ADA}/transfer", away).status_code == 403

        Membership.objects.filter(ward=south).update(role=Membership.Role.NURSE)
        assert send(signed_in(noor), f"{ADA}/transfer", away).json()["ward"] == "south"


class TestDischarge:
    def test_the_stay_is_over(self, noor, ada):
        told = send(signed_in(noor), f"{ADA}/discharge", {"notes": "home\nwith her sister"}).json()

        assert (told["status"], told["discharged_by"], told["notes"]) == ("discharged", "Noor", "home\nwith her sister")
        assert signed_in(noor).get(ADA).json()["bed"] is None

    def test_twice_is_409_unless_it_is_the_same_fact(self, noor, ada, now):
        at = {"at": now.isoformat()}
        first = send(signed_in(noor), f"{ADA}/discharge", at).json()

        assert send(signed_in(noor), f"{ADA}/discharge", at).json() == first
        assert codes(send(signed_in(noor), f"{ADA}/discharge", {})) == (409, "not_admitted")

    @pytest.mark.parametrize(
        ("said", "named"),
        [({"notes": "x" * 2_001}, ["notes"]), ({"notes": "a\0"}, ["notes"]), ({"at": "2999-01-01T00:00:00Z"}, ["at"])],
    )
    def test_what_cannot_be_is_named(self, noor, ada, said, named):
        assert fields(send(signed_in(noor), f"{ADA}/discharge", said)) == named


class TestHistory:
    def test_every_stay_with_its_beds_the_last_one_first(self, noor, ada, django_assert_max_num_queries):
        client = signed_in(noor)
        send(client, f"{ADA}/transfer", N3)
        send(client, f"{ADA}/discharge", {})
        send(client, f"{ADA}/admit", N3)

        with django_assert_max_num_queries(6):
            rows = client.get(f"{ADA}/admissions").json()["results"]
        assert [(row["status"], [one["bed"] for one in row["placements"]]) for row in rows] == [
            ("admitted", ["N3"]),
            ("discharged", ["N1", "N3"]),
        ]

    def test_pages_follow_each_other(self, noor, ada):
        client = signed_in(noor)
        send(client, f"{ADA}/discharge", {})
        send(client, f"{ADA}/admit", N3)

        first = client.get(f"{ADA}/admissions?limit=1").json()
        (older,) = client.get(first["next"]).json()["results"]
        assert [first["results"][0]["status"], older["status"]] == ["admitted", "discharged"]


@pytest.mark.parametrize("deed", ["admit", "transfer", "discharge", "admissions"])
def test_eve_never_sees_ada(eve, ada, deed):
    asked = signed_in(eve).get if deed == "admissions" else signed_in(eve).post

    assert asked(f"{ADA}/{deed}").status_code == 404
    assert Admission.objects.get(is_open=True).patient == ada


@pytest.mark.parametrize(
    ("deed", "method"), [("admit", "get"), ("transfer", "put"), ("discharge", "delete"), ("admissions", "post")]
)
def test_other_methods_are_405(office, ada, deed, method):
    assert getattr(office, method)(f"{ADA}/{deed}").status_code == 405
