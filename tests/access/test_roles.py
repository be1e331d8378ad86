"""The table of roles: what it says in the code is what the documentation says, and what the wards' rules make of it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from accounts import access, service_tokens
from accounts.access import ROLES, Permission, Role
from accounts.models import ServiceToken, User, Ward

PAGE = Path(__file__).parents[2] / "docs" / "access.md"


def drawn() -> list[str]:
    """The table as the documentation shows it."""
    head = ["| may | " + " | ".join(role.value for role in Role) + " |", "|---|" + "---|" * len(Role)]
    lines = []
    for permission in Permission:
        marks = ["x" if permission in ROLES[role] else "" for role in Role]
        if permission in access.NURSE_WHERE_ALLOWED:
            marks[list(Role).index(Role.NURSE)] = "where the ward says so"
        lines.append(f"| {permission.value} | " + " | ".join(marks) + " |")
    return head + lines


def test_the_documentation_shows_the_table_as_it_is() -> None:
    assert "\n".join(drawn()) in PAGE.read_text()


def test_every_role_stands_in_the_table_and_nothing_else() -> None:
    assert set(ROLES) == set(Role)
    assert set().union(*ROLES.values()) == set(Permission), "a permission that nobody has is no permission"


def test_who_only_looks_on_changes_nothing() -> None:
    changes = set(Permission) - access.LOOKS_ON - {Permission.READ_OWN, Permission.CALL_FOR_HELP}

    for role in (Role.VIEWER, Role.KIOSK, Role.PATIENT):
        assert not ROLES[role] & changes
    assert ROLES[Role.SERVICE] & changes == {Permission.RECORD}, "a program writes single vitals down, and changes nothing"


def test_a_wall_sees_nobodys_name() -> None:
    assert ROLES[Role.KIOSK] == {Permission.WATCH}


@pytest.mark.parametrize("role", [Role.DOCTOR, Role.NURSE, Role.VIEWER])
def test_no_role_of_a_ward_runs_the_hospital(role: Role) -> None:
    assert not ROLES[role] & access.RUNS


def test_a_stranger_and_who_left_may_nothing(eve: User, noor: User, north: Ward) -> None:
    noor.is_active = False

    assert access.permissions(eve, north) == frozenset()
    assert access.permissions(noor, north) == frozenset()
    assert access.roles_anywhere(noor) == frozenset()


def test_a_nurse_sets_limits_where_the_ward_says_so(noor: User, north: Ward) -> None:
    assert not access.wards_where(noor, Permission.SET_LIMITS).exists()

    Ward.objects.filter(pk=north.pk).update(nurses_set_limits=True)
    north.refresh_from_db()

    assert Permission.SET_LIMITS in access.permissions(noor, north)
    assert list(access.wards_where(noor, Permission.SET_LIMITS)) == [north]


def test_a_service_has_the_role_of_services_in_its_wards(north: Ward, south: Ward, root: User, now: datetime) -> None:
    program = ServiceToken(name="report")
    service_tokens.issue(program, wards=[north], by=root, at=now)

    assert access.permissions(program, north) == ROLES[Role.SERVICE]
    assert access.permissions(program, south) == frozenset()
