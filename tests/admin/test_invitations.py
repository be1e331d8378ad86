"""What administrators do about how others sign in: invite, sign out, let choose another password, take a lost factor off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from accounts import tokens
from accounts.models import AuditEntry, SecondFactor, Session, User, Ward
from tests.access.authenticator import set_up, with_password
from tests.admin.pages import act, address, lines, said, ward_page
from tests.conftest import PASSWORD, signed_in
from tests.ports import free_port
from tests.services.receivers import PostOffice, post_office, use_mail_server

NINA = {"login": "nina", "email": "nina@example.org", "name": "Nina", "usable_password": "false"}
NEW = "another sentence of mine"


@pytest.fixture
def mail() -> Iterator[PostOffice]:
    with post_office() as office:
        yield office


def add(office: Client) -> Any:
    return office.post(address(User, "add"), NINA | {"password1": "", "password2": ""} | lines("memberships"))


def address_in(text: str) -> str:
    found = re.search(r"http://testserver(/accounts/link/[\w-]+)", text)
    assert found
    return found[1]


def is_let_in(client: Client) -> bool:
    return bool(client.get("/notices/").status_code == 200)


class TestInviting:
    def test_a_new_person_gets_a_letter_and_chooses_the_password(self, office: Client, mail: PostOffice, settings: Any) -> None:
        mail.use(settings)

        answer = add(office)

        assert "nina gets a letter with a link." in said(answer)
        (letter,) = mail.letters
        assert letter["To"] == "nina@example.org"
        nina = Client()
        nina.get(address_in(letter.get_content()), follow=True)
        nina.post("/accounts/link/", {"new_password": NEW, "again": NEW})
        assert Client().login(username="nina", password=NEW)

    def test_without_mail_the_link_is_shown_once(self, office: Client, settings: Any) -> None:
        settings.EMAIL_URL = ""

        answer = add(office)

        (sentence,) = [each for each in said(answer) if "shown this once" in each]
        assert Client().get(address_in(sentence)).status_code == 302

    def test_a_mail_server_that_is_away_is_told_and_the_link_shown(self, office: Client, settings: Any) -> None:
        use_mail_server(settings, free_port())

        told = said(add(office))

        assert any("did not take the letter" in each for each in told)
        assert any("shown this once" in each for each in told)

    def test_before_he_has_chosen_nothing_lets_him_in(self, office: Client, settings: Any) -> None:
        settings.EMAIL_URL = ""
        add(office)

        assert not Client().login(username="nina", password="")
        assert not User.objects.get(login="nina").has_usable_password()
        assert list(Ward.objects.visible_to(User.objects.get(login="nina"))) == []

    def test_the_trail_says_who_invited_whom(self, office: Client, root: User, settings: Any) -> None:
        settings.EMAIL_URL = ""

        add(office)

        entry = AuditEntry.objects.get(what="invited")
        assert (entry.user, entry.about) == (root, "user:nina")

    def test_again_by_the_action_and_the_first_link_is_no_good_any_more(self, office: Client, settings: Any) -> None:
        settings.EMAIL_URL = ""
        first = address_in(said(add(office))[-1])

        again = address_in(said(act(office, User, "send_link", User.objects.get(login="nina")))[-1])

        assert Client().get(first).status_code == 410
        assert Client().get(again).status_code == 302

    def test_whoever_has_a_password_gets_one_for_another(self, office: Client, noor: User, settings: Any) -> None:
        settings.EMAIL_URL = ""

        told = " ".join(said(act(office, User, "send_link", noor)))

        assert "for 1 h" in told
        assert Client().login(username="noor", password=PASSWORD)
        assert AuditEntry.objects.filter(what="reset_asked", about="user:noor").count() == 1

    def test_not_who_left(self, office: Client, noor: User, settings: Any) -> None:
        settings.EMAIL_URL = ""
        User.objects.filter(pk=noor.pk).update(is_active=False)

        assert said(act(office, User, "send_link", noor)) == []


class TestSigningOut:
    def test_everywhere(self, office: Client, noor: User, root: User, now: datetime) -> None:
        hers, pair = signed_in(noor), tokens.sign_in(noor, at=now)

        assert said(act(office, User, "end_sessions", noor)) == ["noor is signed out everywhere."]

        assert not is_let_in(hers)
        assert is_let_in(office)
        with pytest.raises(tokens.WrongRefreshToken):
            tokens.renew(pair.refresh_token, at=now)
        assert "An administrator has signed" in hers.get("/", follow=True).content.decode()
        assert AuditEntry.objects.get(what="sessions_ended").user == root

    def test_who_is_deactivated_is_signed_out_at_once(self, office: Client, noor: User, now: datetime) -> None:
        signed_in(noor)

        act(office, User, "deactivate", noor)

        assert not Session.objects.living(now).filter(user=noor).exists()
        assert Session.objects.get(user=noor).ending == "by_administrator"

    def test_also_on_the_persons_page(self, office: Client, noor: User) -> None:
        signed_in(noor)
        work = {"id": noor.memberships.get().pk, "ward": noor.memberships.get().ward_id, "role": "nurse"}
        person = {"login": "noor", "email": "noor@example.org", "name": "Noor"}

        office.post(address(User, "change", noor.pk), person | lines("memberships", work, stored=1))

        noor.refresh_from_db()
        assert not noor.is_active
        assert Session.objects.get(user=noor).ending == "by_administrator"

    def test_another_password_by_an_administrator_signs_out_too(self, office: Client, noor: User, root: User) -> None:
        hers = signed_in(noor)
        new = {"usable_password": "true", "password1": NEW, "password2": NEW}

        office.post(f"/admin/accounts/user/{noor.pk}/password/", new)

        assert not is_let_in(hers)
        assert Session.objects.get(user=noor).ending == "password"
        entry = AuditEntry.objects.get(what="password_changed")
        assert (entry.user, entry.about) == (root, "user:noor")

    def test_ones_own_keeps_one_here(self, office: Client, root: User) -> None:
        new = {"usable_password": "true", "password1": NEW, "password2": NEW}

        office.post(f"/admin/accounts/user/{root.pk}/password/", new)

        assert is_let_in(office)

    def test_a_wrong_new_one_changes_nothing(self, office: Client, noor: User) -> None:
        hers = signed_in(noor)

        office.post(
            f"/admin/accounts/user/{noor.pk}/password/", {"usable_password": "true", "password1": "a", "password2": "a"}
        )

        assert is_let_in(hers)
        assert not AuditEntry.objects.filter(what="password_changed").exists()


class TestLostFactor:
    def test_an_administrator_takes_it_off(self, office: Client, noor: User, root: User, now: datetime) -> None:
        set_up(noor, now)
        hers = signed_in(noor)

        assert said(act(office, User, "remove_second_factor", noor)) == ["noor has no second factor any more."]

        assert not SecondFactor.objects.exists()
        assert not is_let_in(hers)
        assert with_password(noor)[1]["Location"] == "/"
        entry = AuditEntry.objects.get(what="second_factor_removed")
        assert (entry.user, entry.about) == (root, "user:noor")

    def test_who_has_none_loses_none(self, office: Client, noor: User) -> None:
        hers = signed_in(noor)

        assert said(act(office, User, "remove_second_factor", noor)) == []
        assert is_let_in(hers)

    @pytest.mark.parametrize("action", ["send_link", "end_sessions", "remove_second_factor"])
    def test_staff_of_a_ward_do_none_of_this(self, noor: User, dora: User, action: str, now: datetime) -> None:
        set_up(noor, now)
        dora.is_staff = True
        dora.save()
        hers = signed_in(noor)

        act(signed_in(dora), User, action, noor)

        assert SecondFactor.objects.exists()
        assert not AuditEntry.objects.filter(what__in=["invited", "reset_asked", "sessions_ended"]).exists()
        assert hers.cookies["sessionid"].value


def test_a_ward_asks_for_a_second_factor_by_a_tick(office: Client, north: Ward, noor: User, root: User) -> None:
    hers = signed_in(noor)

    office.post(address(Ward, "change", north.pk), ward_page(north) | {"second_factor": "on"})

    north.refresh_from_db()
    assert north.second_factor
    assert not is_let_in(hers)
    assert not is_let_in(office)  # who administers it is asked as well
    entry = AuditEntry.objects.get(what="changed", user=root, about="ward:north")
    assert entry.detail["fields"] == ["second_factor"]
