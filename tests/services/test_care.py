"""Whose patient is it: of the ward where he lies, or lay last, and of no other; who never lay anywhere, of any."""

from __future__ import annotations

import pytest

from accounts import emergency, service_tokens
from accounts.access import ROLES, Permission, Role
from accounts.models import Membership, ServiceToken, User, Ward
from monitoring.models import Patient
from monitoring.services import care
from tests.conftest import PASSWORD
from tests.services.stories import HERS, HOUR, back_here, discharged_from_here, lies_elsewhere_now

OF_A_PATIENT = [each for each in Permission if each not in ROLES[Role.KIOSK] | {Permission.READ_OWN}]


@pytest.fixture
def dan(south) -> User:
    """A doctor of South, as Dora is of North."""
    user = User.objects.create_user("dan", "dan@example.org", PASSWORD, name="Dan")
    Membership.objects.create(user=user, ward=south, role=Membership.Role.DOCTOR)
    return user


@pytest.fixture
def dave(south) -> User:
    """Looks on in South."""
    user = User.objects.create_user("dave", "dave@example.org", PASSWORD, name="Dave")
    Membership.objects.create(user=user, ward=south, role=Membership.Role.VIEWER)
    return user


@pytest.mark.parametrize(("story", "ward"), HERS.items(), ids=lambda each: getattr(each, "__name__", each))
class TestOneWard:
    def test_its_staff_may_what_their_role_may_and_the_other_wards_see_nobody(self, ada, south, dora, dan, story, ward, now):
        story(ada, south, now)

        theirs, others = (dora, dan) if ward == "north" else (dan, dora)
        assert care.ward_of(ada).slug == ward
        assert _allowed(theirs, ada) == ROLES[Role.DOCTOR] & set(OF_A_PATIENT)
        assert _allowed(others, ada) == set()
        assert (_sees(theirs, ada), _sees(others, ada)) == (1, 0)

    def test_a_program_goes_by_its_wards(self, ada, north, south, root, story, ward, now):
        story(ada, south, now)

        for each in (north, south):
            program = _program(each, root, now)
            assert _allowed(program, ada) == (ROLES[Role.SERVICE] if each.slug == ward else set())
            assert _sees(program, ada) == (each.slug == ward)

    def test_an_administrator_may_what_his_rank_may(self, ada, south, root, story, ward, now):
        story(ada, south, now)

        assert _allowed(root, ada) == ROLES[Role.ADMINISTRATOR] & set(OF_A_PATIENT)
        assert _sees(root, ada) == 1


class TestNeverAdmitted:
    @pytest.fixture
    def new(self, db):
        return Patient.objects.create(patient_id="P-NEW", name="New")

    def test_he_is_any_wards_patient(self, new, north, root, dora, dan, dave, now):
        assert care.ward_of(new) is None
        for who, role in ((dora, Role.DOCTOR), (dan, Role.DOCTOR), (dave, Role.VIEWER), (root, Role.ADMINISTRATOR)):
            assert _allowed(who, new) == ROLES[role] & set(OF_A_PATIENT)
            assert _sees(who, new) == 1

    def test_and_nobodys_who_works_in_no_ward(self, new, north, root, now):
        stranger = User.objects.create_user("sam", "sam@example.org", PASSWORD, name="Sam")

        for who in (stranger, _program(north, root, now)):
            assert (_allowed(who, new), _sees(who, new)) == (set(), 0)

    def test_where_there_is_no_ward_yet_he_is_the_administrators(self, new, root):
        assert care.may(root, new, Permission.CHANGE_PATIENT)


class TestRole:
    """Which of them may do it is the table's; where, is the patient's ward."""

    def test_a_role_elsewhere_opens_nothing_here(self, ada, noor, south, now):
        Membership.objects.create(user=noor, ward=south, role=Membership.Role.DOCTOR)

        assert _allowed(noor, ada) == ROLES[Role.NURSE] & set(OF_A_PATIENT)

    def test_a_nurse_sets_limits_where_the_ward_says_so(self, ada, noor, north, south, now):
        north.nurses_set_limits = True
        north.save()
        assert care.may(noor, ada, Permission.SET_LIMITS)

        lies_elsewhere_now(ada, south, now)

        assert not care.may(noor, ada, Permission.SET_LIMITS)

    def test_who_left_the_ward_or_the_house_may_nothing(self, ada, dora, noor, root, now):
        Membership.objects.filter(user=dora).update(ends_at=now - HOUR)
        User.objects.filter(pk__in=(noor.pk, root.pk)).update(is_active=False)

        for who in User.objects.all():
            assert (_allowed(who, ada), _sees(who, ada)) == (set(), 0)

    def test_in_an_emergency_the_ward_where_she_lay_last_is_entered(self, ada, north, south, eve, now):
        discharged_from_here(ada, south, now)
        emergency.enter(eve, north, reason="cardiac arrest at the door", at=now)

        assert _allowed(eve, ada) == ROLES[Role.NURSE] & set(OF_A_PATIENT)


@pytest.mark.parametrize("login", ["noor", "dora", "vera", "eve", "root"])
def test_who_sees_a_ward_sees_its_patients(request, ada, ben, cid, login):
    who = request.getfixturevalue(login)

    assert set(Patient.objects.visible_to(who)) == set(Patient.objects.of_wards(Ward.objects.visible_to(who)))


def test_a_patient_of_many_stays_is_one_patient(ada, noor, south, root, north, now):
    back_here(ada, south, now)

    for who in (noor, root, _program(north, root, now)):
        assert list(Patient.objects.visible_to(who)) == [ada]


def _allowed(who, patient):
    return {each for each in OF_A_PATIENT if care.may(who, patient, each)}


def _sees(who, patient):
    return Patient.objects.visible_to(who).filter(pk=patient.pk).count()


def _program(ward, root, now):
    token = ServiceToken(name=f"reads {ward}")
    service_tokens.issue(token, wards=[ward], by=root, at=now)
    return ServiceToken.objects.get(pk=token.pk)
