"""Programs that are no person: they read what their wards have, until somebody revokes their token."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts import audit, service_tokens, tokens
from accounts.access import Permission, permissions
from accounts.models import AuditEntry, ByKind, Deed, ServiceToken, Ward
from monitoring.models import Patient
from tests.access.bearers import get, me, post, refused
from tests.admin.pages import act, address, errors, said
from tests.audit.trail import trail
from tests.conftest import signed_in


@pytest.fixture
def research(north, root, now):
    program = ServiceToken(name="research")
    return service_tokens.issue(program, wards=[north], by=root, at=now)


def program():
    return ServiceToken.objects.get(name="research")


class TestReads:
    def test_the_limits_of_its_wards_and_patients(self, research, north, ada):
        for path in (
            "patients/P-ADA/thresholds",
            "wards/north/thresholds",
            "thresholds",
            "patients/P-ADA/thresholds/suggestion",
        ):
            assert get(f"/api/v1/{path}", bearer=research).status_code == 200

    def test_a_foreign_ward_is_not_there(self, research, south, cid):
        for path in ("patients/P-CID/thresholds", "wards/south/thresholds"):
            assert refused(get(f"/api/v1/{path}", bearer=research))[0] == 404

    def test_a_patient_who_was_never_admitted_is_nobody_of_its_wards(self, research, ada):
        Patient.objects.create(patient_id="P-NEW", name="New")

        assert refused(get("/api/v1/patients/P-NEW/thresholds", bearer=research))[0] == 404
        assert list(Patient.objects.visible_to(program())) == [ada]

    def test_it_changes_nothing_and_asks_for_no_dry_run(self, research, ada):
        headers = {"Authorization": f"Bearer {research}"}
        put = Client().put("/api/v1/patients/P-ADA/thresholds", {}, content_type="application/json", headers=headers)
        run = Client().post("/api/v1/thresholds/preview", {}, content_type="application/json", headers=headers)

        assert refused(put) == refused(run) == (403, "permission_denied")

    def test_in_its_wards_it_may_read_records_and_write_vitals_down_and_nothing_else(self, research, north, south):
        assert permissions(program(), north) == {Permission.READ_RECORD, Permission.RECORD}
        assert permissions(program(), south) == frozenset()

    def test_it_opens_no_page_and_no_administration(self, research):
        headers = {"Authorization": f"Bearer {research}"}

        for page in ("/", "/wards/north/", "/admin/", "/load/"):
            assert Client().get(page, headers=headers).status_code in (302, 403)

    def test_it_is_no_device(self, research, ada):
        answer = Client().post("/api/v1/vitals", [], content_type="application/json", headers={"X-API-Key": research})

        assert answer.status_code == 401

    def test_it_is_told_who_it_is(self, research):
        assert me(research).json() == {"id": "research", "kind": "service", "wards": [{"ward": "north"}]}

    def test_it_signs_nobody_out(self, research):
        assert refused(post("logout", bearer=research)) == (401, "not_authenticated")


class TestKept:
    def test_the_token_is_kept_as_a_hash(self, research):
        assert research.startswith("svc-")
        assert research.partition(".")[2] not in str(list(ServiceToken.objects.values_list()))

    @pytest.mark.parametrize(
        "change", [lambda t: t[:-1] + "!", lambda t: t.partition(".")[0] + ".", lambda t: t + "x", str.upper]
    )
    def test_nearly_right_is_wrong(self, research, change):
        assert refused(me(change(research))) == (401, "invalid_token")

    def test_checking_it_is_one_query_when_it_was_used_within_a_minute(self, research, now, django_assert_num_queries):
        service_tokens.bearer(research, now=now)

        with django_assert_num_queries(1):
            service_tokens.bearer(research, now=now + timedelta(seconds=59))

    def test_its_use_is_written_down_once_a_minute(self, research, now):
        seen = []
        for seconds in (0, 30, 59, 60, 90):
            service_tokens.bearer(research, now=now + timedelta(seconds=seconds))
            seen.append((program().used_at - now).total_seconds())

        assert seen == [0, 0, 0, 60, 60]

    def test_it_is_named_where_it_acts(self, research, north, now):
        audit.saw(by=program(), at=now, patient="P-ADA", ward=north, page="limits")

        assert trail("by_kind", "who", "patient")[-1] == (ByKind.SERVICE, "research", "P-ADA")


class TestEnds:
    def test_a_revoked_token_is_out_at_once(self, research, root, now):
        assert service_tokens.revoke(program(), by=root, at=now)

        assert refused(me(research)) == (401, "invalid_token")
        assert not service_tokens.revoke(program(), by=root, at=now)
        assert not Ward.objects.visible_to(program()).exists()

    def test_an_expired_one_too(self, research, now):
        ServiceToken.objects.update(expires_at=now + timedelta(hours=1))

        assert service_tokens.bearer(research, now=now) == program()
        with pytest.raises(service_tokens.WrongServiceToken):
            service_tokens.bearer(research, now=now + timedelta(hours=1))


class TestAdministration:
    @pytest.fixture
    def office(self, root):
        return signed_in(root)

    def make(self, office, *wards, **fields):
        page = {"name": "research", "wards": [ward.pk for ward in wards], "expires_at_0": "", "expires_at_1": ""}
        return office.post(address(ServiceToken, "add"), page | fields)

    def test_it_is_made_there_and_shown_once(self, office, north, south, root):
        answer = self.make(office, north, south)

        sentence = said(answer)[0]
        token = sentence.partition("<code>")[2].partition("</code>")[0]
        assert {ward["ward"] for ward in me(token).json()["wards"]} == {"north", "south"}
        assert (program().created_by, program().used_at is None) == (root, False)
        pages = [office.get(address(ServiceToken, "change", program().pk)).content.decode() for _ in range(2)]
        assert [token in page for page in pages] == [True, False]
        assert AuditEntry.objects.get(what=Deed.SERVICE_TOKEN_ISSUED).detail == {"wards": ["north", "south"]}

    def test_it_needs_a_ward_and_a_time_that_is_not_over(self, office, north):
        assert list(errors(self.make(office))) == ["wards"]
        assert list(errors(self.make(office, north, expires_at_0="2020-01-01", expires_at_1="00:00"))) == ["expires_at"]

    def test_it_is_revoked_there(self, office, research, root):
        answer = act(office, ServiceToken, "revoke", program())

        assert said(answer) == ["research is shut out."]
        assert program().revoked_by == root
        assert refused(me(research)) == (401, "invalid_token")
        assert AuditEntry.objects.filter(what=Deed.SERVICE_TOKEN_REVOKED, about="service:research").exists()

    def test_nothing_of_it_is_changed_afterwards(self, office, research, south):
        answer = office.post(address(ServiceToken, "change", program().pk), {"name": "other", "wards": [south.pk]})

        assert answer.status_code == 403
        assert [ward.slug for ward in program().wards.all()] == ["north"]

    @pytest.mark.parametrize("person", ["dora", "noor", "vera"])
    def test_nobody_else_sees_it(self, request, research, person):
        staff = request.getfixturevalue(person)
        staff.is_staff = True
        staff.save()

        assert signed_in(staff).get(address(ServiceToken)).status_code == 403
        assert signed_in(staff).get(address(ServiceToken, "add")).status_code == 403


class TestStaffToken:
    """People by token have what they have in a browser, and need no CSRF token."""

    def test_reads_and_writes_as_in_a_browser(self, dora, ada, now):
        bearer = tokens.sign_in(dora, at=timezone.now()).access_token
        limits = get("/api/v1/patients/P-ADA/thresholds", bearer=bearer).json()

        client = Client(enforce_csrf_checks=True)
        body = {"version": limits["version"], "limits": []}
        answer = client.put(
            "/api/v1/patients/P-ADA/thresholds",
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {bearer}"},
        )

        assert answer.status_code == 200

    def test_a_cookie_alone_still_needs_one(self, dora, ada):
        client = Client(enforce_csrf_checks=True)
        client.force_login(dora)

        answer = client.put("/api/v1/patients/P-ADA/thresholds", {}, content_type="application/json")

        assert refused(answer) == (403, "permission_denied")

    def test_a_foreign_ward_is_404_with_a_good_token(self, eve, ada):
        bearer = tokens.sign_in(eve, at=timezone.now()).access_token

        assert get("/api/v1/patients/P-ADA/thresholds", bearer=bearer).status_code == 404

    def test_a_stranger_is_told_how_to_come_back(self, ada):
        answer = Client().get("/api/v1/patients/P-ADA/thresholds")

        assert refused(answer) == (401, "not_authenticated")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
