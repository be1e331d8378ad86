"""Whoever registers himself waits: until an administrator approves, no door opens to him, and then no ward."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connections, transaction
from django.test import Client

from accounts.models import AuditEntry, Deed, User, Ward
from tests.access.bearers import fields, login, me, post, refused
from tests.admin.pages import act, address, said
from tests.conftest import signed_in

GOOD = "a long new password"
NINA = {"id": "nina", "password": GOOD, "name": "Nina Simone"}


def register(**changes):
    return post("register", NINA | changes)


def test_who_registers_is_answered_201_and_waits(db):
    answer = register()

    assert answer.status_code == 201
    assert answer.json() == {"id": "nina", "name": "Nina Simone", "created_at": answer.json()["created_at"]}
    assert refused(login("nina", GOOD)) == (403, "not_approved")
    assert not Client().login(username="nina", password=GOOD)
    assert AuditEntry.objects.filter(what=Deed.REGISTERED, about="user:nina").exists()


def test_only_who_knows_the_password_is_told_of_the_waiting(db):
    register()

    assert refused(login("nina", "a guess at it")) == (401, "wrong_login")


@pytest.mark.parametrize(
    "changes", [{}, {"id": "NINA"}, {"id": "other", "email": "noor@example.org"}, {"id": "other", "email": "Noor@Example.ORG"}]
)
def test_an_id_or_e_mail_is_taken_once(noor, changes):
    register()

    assert refused(register(**changes)) == (409, "duplicate")


def test_of_two_at_once_one_is_told_that_the_other_was_first(transactional_db):
    def ask(_):
        try:
            return register()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(ask, range(3)))

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"password": "sh0rt"}, ["password"]),
        ({"password": "1234567890123"}, ["password"]),
        ({"id": "nina@example.org"}, ["id"]),
        ({"id": "nina\u0000"}, ["id"]),
        ({"id": "n" * 51}, ["id"]),
        ({"id": ""}, ["id"]),
        ({"id": 7}, ["id"]),
        ({"name": "  "}, ["name"]),
        ({"name": "Nina\nroot signed in"}, ["name"]),
        ({"name": "n" * 151}, ["name"]),
        ({"email": "nowhere"}, ["email"]),
        ({"is_superuser": True}, ["is_superuser"]),
        ({"id": None, "name": None}, ["id", "name"]),
        ({"password": "x" * 1025}, ["password"]),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(db, changes, named):
    answer = register(**changes)

    assert sorted(set(fields(answer))) == sorted(set(named))
    assert str(changes.get("password", GOOD)) not in answer.content.decode()
    assert not User.objects.exists()


def test_what_is_left_out_is_named(db):
    assert fields(post("register", {})) == ["id", "password", "name"]


class TestApproval:
    @pytest.fixture
    def nina(self, db):
        register()
        return User.objects.get(login="nina")

    def test_an_administrator_lets_her_in_and_no_ward_comes_with_it(self, office, nina, root, north):
        answer = act(office, User, "approve", nina)

        nina.refresh_from_db()
        assert said(answer) == ["nina may sign in. A ward comes by a membership."]
        assert (nina.is_active, nina.approved_by, nina.is_staff, nina.is_superuser) == (True, root, False, False)
        assert me(login("nina", GOOD).json()["access_token"]).json()["wards"] == []
        assert not Ward.objects.visible_to(nina).exists()
        assert AuditEntry.objects.get(what=Deed.APPROVED).who == "root"

    def test_who_was_approved_once_is_not_approved_again(self, office, nina):
        act(office, User, "approve", nina)
        act(office, User, "deactivate", nina)
        act(office, User, "approve", nina)

        nina.refresh_from_db()
        assert not nina.is_active
        assert refused(login("nina", GOOD)) == (401, "wrong_login")

    def test_a_tick_on_her_page_does_not_approve(self, office, nina):
        page = {"login": "nina", "name": "Nina", "email": "nina@example.org", "is_active": "on"}
        lists = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}

        assert office.post(address(User, "change", nina.pk), page | lists).status_code == 302

        nina.refresh_from_db()
        assert (nina.email, nina.is_active) == ("nina@example.org", False)

    def test_the_database_holds_it(self, nina):
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.filter(pk=nina.pk).update(is_active=True)

    def test_a_doctor_approves_nobody(self, dora, nina):
        dora.is_staff = True
        dora.save()

        act(signed_in(dora), User, "approve", nina)

        assert User.objects.get(pk=nina.pk).is_waiting

    def test_the_list_finds_who_waits(self, office, nina, noor):
        page = office.get(address(User), {"registration": "waits for approval"}).content.decode()

        assert "nina" in page
        assert "noor@example.org" not in page


@pytest.fixture
def office(root):
    return signed_in(root)
