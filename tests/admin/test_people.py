"""People sign in with what the administrator gave them, work in wards, and are deactivated when they leave."""

from __future__ import annotations

from django.test import Client

from accounts.models import Bed, Membership, User, Ward
from tests.admin.pages import act, address, errors, lines, said, ward_page
from tests.conftest import PASSWORD, signed_in

FIRST = "a long first password"


def test_a_new_nurse_signs_in_and_sees_her_ward(office: Client, north: Ward) -> None:
    person = {"login": "nina", "email": "Nina@Example.org", "name": "Nina", "usable_password": "true"}
    passwords = {"password1": FIRST, "password2": FIRST}

    answer = office.post(address(User, "add"), person | passwords | lines("memberships", {"ward": north.pk, "role": "nurse"}))

    nina = User.objects.get(login="nina")
    assert answer.status_code == 302
    assert nina.email == "nina@example.org"
    assert Client().login(username="nina", password=FIRST)
    assert Client().login(username="nina@example.org", password=FIRST)
    assert list(Ward.objects.visible_to(nina)) == [north]


def test_a_weak_password_is_named_at_its_field(office: Client) -> None:
    person = {"login": "nina", "email": "nina@example.org", "name": "Nina", "usable_password": "true"}

    answer = office.post(address(User, "add"), person | {"password1": "short", "password2": "short"} | lines("memberships"))

    assert "password2" in errors(answer)
    assert not User.objects.filter(login="nina").exists()


def test_a_login_is_taken_once(office: Client, noor: User) -> None:
    person = {"login": "noor", "email": "other@example.org", "name": "Noor", "usable_password": "true"}

    answer = office.post(address(User, "add"), person | {"password1": FIRST, "password2": FIRST} | lines("memberships"))

    assert list(errors(answer)) == ["login"]


def test_a_password_is_set_anew(office: Client, noor: User) -> None:
    new = {"usable_password": "true", "password1": FIRST, "password2": FIRST}

    office.post(f"/admin/accounts/user/{noor.pk}/password/", new)

    assert not Client().login(username="noor", password=PASSWORD)
    assert Client().login(username="noor", password=FIRST)


def test_who_leaves_is_deactivated_and_signed_out(office: Client, noor: User) -> None:
    hers = signed_in(noor)

    answer = act(office, User, "deactivate", noor)

    assert said(answer) == ["noor can no longer sign in."]
    assert not Client().login(username="noor", password=PASSWORD)
    assert hers.get("/").status_code == 302


def test_nobody_locks_himself_out(office: Client, root: User) -> None:
    person = {"login": "root", "email": "root@example.org", "name": "Root"}

    office.post(address(User, "change", root.pk), person | lines("memberships"))
    act(office, User, "deactivate", root)

    root.refresh_from_db()
    assert (root.is_active, root.is_staff, root.is_superuser) == (True, True, True)


def test_a_person_works_in_a_ward_once(office: Client, noor: User, north: Ward) -> None:
    answer = office.post(address(Membership, "add"), {"user": noor.pk, "ward": north.pk, "role": "doctor"})

    assert "__all__" in errors(answer)
    assert noor.memberships.get().role == "nurse"


def test_a_ward_gets_its_beds(office: Client) -> None:
    beds = [{"name": name, "position": place} for place, name in enumerate(["W1", "W2"], start=1)]

    office.post(address(Ward, "add"), {"name": "West", "slug": "west"} | lines("beds", *beds))

    assert [bed.name for bed in Bed.objects.filter(ward__slug="west").order_by("position")] == ["W1", "W2"]


def test_a_bed_that_was_used_stays(office: Client, north: Ward, ada: object) -> None:
    rows = [{"id": bed.pk, "name": bed.name, "position": bed.position} for bed in north.beds.order_by("position")]
    rows[0]["DELETE"] = "on"

    answer = office.post(address(Ward, "change", north.pk), ward_page(north, beds=rows))

    assert answer.status_code == 200
    assert north.beds.count() == 4


def test_boards_hear_of_a_new_bed(office: Client, north: Ward) -> None:
    rows = [{"id": bed.pk, "name": bed.name, "position": bed.position} for bed in north.beds.order_by("position")]

    office.post(address(Ward, "change", north.pk), ward_page(north, beds=[*rows, {"name": "N5", "position": 5}]))

    before, north.change_number = north.change_number, Ward.objects.get().change_number
    assert north.beds.count() == 5
    assert north.change_number > before
