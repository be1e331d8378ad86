"""Links by which a person chooses a password: good once, for a while, and told to nobody else."""

from __future__ import annotations

import re
import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import connections
from django.test import Client

from accounts import letters, links, rates, tokens
from accounts.links import WrongLink
from accounts.models import AuditEntry, FailedSignIn, OneTimeLink, Session, User
from tests.access.authenticator import set_up, with_password
from tests.conftest import PASSWORD, signed_in
from tests.live.processes import wait_until
from tests.ports import free_port
from tests.services.receivers import post_office, use_mail_server

NEW = "another sentence of mine"
HOUR = timedelta(hours=1)


@pytest.fixture
def mail():
    with post_office() as office:
        yield office


@pytest.fixture(autouse=True)
def _nobody_was_counted_yet() -> None:
    rates.alone().storage.reset()
    if together := rates.shared():
        together.storage.reset()


def follow(token: str) -> tuple[Client, object]:
    client = Client()
    return client, client.get(f"/accounts/link/{token}")


def choose(client: Client, new: str = NEW, again: str | None = None):
    return client.post("/accounts/link/", {"new_password": new, "again": new if again is None else again})


def link_in(letter) -> str:
    found = re.search(r"http://\S+/accounts/link/(\S+)", letter.get_content())
    assert found
    return found[1]


class TestOnce:
    def test_it_sets_the_password(self, noor, now):
        client, answer = follow(links.make(noor, by=None, at=now))
        assert answer["Location"] == "/accounts/link/"
        assert "for noor" in client.get("/accounts/link/").content.decode()

        page = choose(client)

        assert "Your password is set" in page.content.decode()
        assert Client().login(username="noor", password=NEW)

    def test_and_no_second_time(self, noor, now):
        token = links.make(noor, by=None, at=now)
        choose(follow(token)[0])

        client, answer = follow(token)
        assert answer.status_code == 410
        assert choose(client, "yet another sentence").status_code == 410

    def test_nor_in_a_browser_that_had_followed_it_before(self, noor, now):
        token = links.make(noor, by=None, at=now)
        one, other = follow(token)[0], follow(token)[0]
        choose(one)

        assert choose(other, "yet another sentence").status_code == 410
        assert Client().login(username="noor", password=NEW)

    def test_looking_uses_nothing_up(self, noor, now):
        token = links.make(noor, by=None, at=now)
        for _ in range(3):
            follow(token)

        assert choose(follow(token)[0]).status_code == 200

    def test_a_newer_one_ends_the_older(self, noor, now):
        older = links.make(noor, by=None, at=now)
        newer = links.make(noor, by=None, at=now)

        assert follow(older)[1].status_code == 410
        assert follow(newer)[1].status_code == 302

    def test_for_an_hour_and_an_invitation_for_a_week(self, noor, now):
        reset = links.digest_of(links.make(noor, by=None, at=now))
        noor.set_unusable_password()
        noor.save()
        assert links.found(reset, now=now + HOUR) is None
        invite = links.digest_of(links.make(noor, by=None, at=now))

        assert links.found(invite, now=now + 7 * 24 * HOUR - HOUR)
        assert links.found(invite, now=now + 7 * 24 * HOUR) is None

    def test_not_for_who_was_deactivated(self, noor, now):
        token = links.make(noor, by=None, at=now)
        User.objects.update(is_active=False)

        assert follow(token)[1].status_code == 410
        with pytest.raises(WrongLink):
            links.use(links.digest_of(token), NEW, at=now)
        assert OneTimeLink.objects.get().used_at is None

    @pytest.mark.parametrize("token", ["x", "x" * 5000, "%00", "ü"])
    def test_what_is_none_is_gone(self, db, token):
        assert follow(token)[1].status_code == 410

    def test_the_database_holds_no_token(self, noor, now):
        token = links.make(noor, by=None, at=now)
        follow(token)

        rows = [*OneTimeLink.objects.values(), *Session.objects.values(), *AuditEntry.objects.values()]
        assert not [row for row in rows if token in str(row)]

    def test_the_token_leaves_the_address_and_no_other_site_is_told(self, noor, now):
        token = links.make(noor, by=None, at=now)
        client, answer = follow(token)

        assert answer["Referrer-Policy"] == "no-referrer"
        assert "no-store" in answer["Cache-Control"]
        assert token not in client.get("/accounts/link/").content.decode()


class TestEnds:
    def test_everybody_who_is_signed_in_by_the_old_password(self, noor, now):
        browser, pair = signed_in(noor), tokens.sign_in(noor, at=now)

        links.use(links.digest_of(links.make(noor, by=None, at=now)), NEW, at=now)

        assert browser.get("/notices/").status_code == 302
        with pytest.raises(tokens.WrongRefreshToken):
            tokens.renew(pair.refresh_token, at=now)
        assert Session.objects.get(user=noor).ending == "password"

    def test_it_is_no_way_around_the_second_factor(self, noor, now):
        set_up(noor, now)
        choose(follow(links.make(noor, by=None, at=now))[0], PASSWORD)

        assert with_password(noor)[1]["Location"] == "/accounts/code/"

    def test_who_was_shut_out_here_may_sign_in(self, noor, now):
        for _ in range(5):
            Client().post("/accounts/login/", {"username": "noor", "password": "wrong"})
        assert FailedSignIn.objects.exists()

        choose(follow(links.make(noor, by=None, at=now))[0])

        assert Client().post("/accounts/login/", {"username": "noor", "password": NEW}).status_code == 302

    def test_the_trail_tells_it(self, noor, root, now):
        token = links.make(noor, by=root, at=now)

        links.use(links.digest_of(token), NEW, at=now)

        entries = AuditEntry.objects.order_by("pk").values_list("what", "user__login", "about")
        assert list(entries) == [("reset_asked", "root", "user:noor"), ("password_changed", "noor", "user:noor")]

    @pytest.mark.parametrize(
        ("new", "again", "fault"),
        [("short", "short", "too short"), (NEW, "something else", "not the same"), ("password2026!", None, "common word")],
    )
    def test_what_is_wrong_is_named_and_the_link_stays_good(self, noor, now, new, again, fault):
        client, _ = follow(links.make(noor, by=None, at=now))

        assert fault in choose(client, new, again).content.decode()
        assert choose(client).status_code == 200

    @pytest.mark.parametrize("new", ["x" * 1_000_000, "nul\0in the middle"])
    def test_what_no_browser_sends_is_refused(self, noor, now, new):
        client, _ = follow(links.make(noor, by=None, at=now))

        assert choose(client, new).status_code == 400


@pytest.mark.django_db(transaction=True)
class TestRace:
    def test_of_two_at_once_one_is_let_in(self, noor, now):
        digest = links.digest_of(links.make(noor, by=None, at=now))
        gate, told = threading.Barrier(2), []

        def use(password: str) -> None:
            try:
                gate.wait(10)
                links.use(digest, password, at=now)
                told.append(password)
            except WrongLink:
                told.append("")
            finally:
                connections.close_all()

        both = [threading.Thread(target=use, args=(f"sentence number {word}",)) for word in ("one", "two")]
        for each in both:
            each.start()
        for each in both:
            each.join()

        assert sorted(told)[0] == ""
        assert Client().login(username="noor", password=sorted(told)[1])


@pytest.mark.django_db(transaction=True)
class TestForgotten:
    def ask(self, word: str):
        return Client().post("/accounts/reset/", {"word": word})

    @pytest.mark.parametrize("word", ["noor", "NOOR", " noor@example.org "])
    def test_a_letter_comes_with_a_link_that_is_good(self, noor, mail, settings, word):
        mail.use(settings)

        assert self.ask(word)["Location"] == "/accounts/reset/sent/"

        letter = wait_until(lambda: mail.letters, "the letter comes")[0]
        assert letter["To"] == "noor@example.org"
        assert "A new password" in letter["Subject"]
        choose(follow(link_in(letter))[0])
        assert Client().login(username="noor", password=NEW)
        assert AuditEntry.objects.filter(what="reset_asked", about="user:noor", by_kind="nobody").count() == 1

    def test_the_answer_is_the_same_whoever_that_is(self, noor, dora, mail, settings):
        mail.use(settings)
        User.objects.filter(login="dora").update(is_active=False)

        answers = {(answer.status_code, answer["Location"]) for answer in map(self.ask, ["noor", "dora", "nobody", "x@y.z"])}

        assert len(answers) == 1
        wait_until(lambda: mail.letters, "the letter comes")
        letters.later(lambda: None).result(60)
        assert [letter["To"] for letter in mail.letters] == ["noor@example.org"]

    def test_nor_is_the_request_longer_where_there_is_somebody(self, noor, settings, monkeypatch):
        """Whatever is done for the person is done beside the request."""
        use_mail_server(settings, free_port())
        asked: list[object] = []
        monkeypatch.setattr(letters, "later", asked.append)

        self.ask("noor")

        assert len(asked) == 1
        assert not OneTimeLink.objects.exists()

    def test_nobody_fills_a_mailbox(self, noor, mail, settings, now):
        mail.use(settings)

        with time_machine.travel(now, tick=False):  # all of it in one hour
            for _ in range(8):
                self.ask("noor")
        letters.later(lambda: None).result(60)
        letters.later(lambda: None).result(60)
        wait_until(lambda: len(mail.letters) == 5, "five letters")

        assert OneTimeLink.objects.count() == 5

    def test_nor_asks_for_ever_from_one_address(self, db, mail, settings, now):
        mail.use(settings)

        with time_machine.travel(now, tick=False):  # all of it in one hour
            statuses = [self.ask("nobody").status_code for _ in range(31)]

        assert statuses == [302] * 30 + [429]

    def test_a_mail_server_that_is_away_is_in_the_log(self, noor, settings, caplog):
        use_mail_server(settings, free_port())

        self.ask("noor")

        wait_until(lambda: "was not sent" in caplog.text, "the log says so")

    def test_without_a_mail_server_the_page_says_whom_to_ask(self, noor, settings):
        settings.EMAIL_URL = ""

        assert "An administrator gives you a link" in Client().get("/accounts/reset/").content.decode()
        assert self.ask("noor").status_code == 200
        assert not OneTimeLink.objects.exists()

    def test_who_was_only_invited_has_nothing_to_forget(self, noor, mail, settings):
        mail.use(settings)
        noor.set_unusable_password()
        noor.save()

        links.send_reset("noor", address="http://x/TOKEN", at=noor.created_at)

        assert not OneTimeLink.objects.exists()

    @pytest.mark.parametrize("word", ["x" * 300, "n\0r"])
    def test_what_no_browser_sends_is_refused(self, db, mail, settings, word):
        mail.use(settings)

        assert self.ask(word).status_code == 400
