"""Passwords: long ones that nobody guesses are taken, whatever letters they are made of."""

from __future__ import annotations

import hashlib
import threading
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.contrib.auth.hashers import check_password, identify_hasher, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.checks import run_checks
from django.core.exceptions import ValidationError
from django.test import Client

from accounts import breached, hashing
from accounts.models import User, Ward
from tests.conftest import PASSWORD

LISTED = ["correct horse battery", "a breached sentence", "another one of these", "one more of those"]


def codes(password: str, user: User | None = None) -> set[str]:
    """Why a password is not taken; nothing when it is."""
    try:
        validate_password(password, user)
    except ValidationError as refused:
        return {str(error.code) for error in refused.error_list}
    return set()


@pytest.fixture
def slow(settings):
    """The hashers as they are outside of tests."""
    settings.PASSWORD_HASHERS = ["accounts.hashing.Argon2", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]


class TestTaken:
    @pytest.mark.parametrize(
        "password",
        [
            "correct horse battery",
            "aaskdjwqoeiu",
            "847265019384",
            "schönes wetter heute",
            "my ward is calm tonight",
            "x" + "lazy dogs over there " * 12,
        ],
    )
    def test_whatever_letters_it_is_made_of(self, noor, password):
        assert codes(password, noor) == set()

    def test_twelve_letters_are_enough_and_eleven_are_not(self, db):
        assert codes("tqzbvkdjmwyp") == set()
        assert codes("tqzbvkdjmwy") == {"password_too_short"}

    @pytest.mark.django_db
    def test_nobody_is_made_to_choose_another_one_by_the_calendar(self, noor, now):
        with time_machine.travel(now + timedelta(days=3 * 365), tick=False):
            answer = Client().post("/accounts/login/", {"username": "noor", "password": PASSWORD})

        assert (answer.status_code, answer["Location"]) == (302, "/")

    def test_256_letters_are_the_most(self, db):
        long = "the quick brown fox and many others " * 10

        assert codes(long[:256]) == set()
        assert codes(long[:257]) == {"password_too_long"}


class TestGuessable:
    @pytest.mark.parametrize(
        "password",
        [
            "password2026!",
            "Sunshine12345",
            "123456sunshine",
            "!!!dragon!!!!!!",
            "p@ssw0rd!2026",
            "P4ssw0rd-1234",
            "iloveyou......",
            "qwertyuiop12345",
            "abcdefghijkl",
            "asdfghjkl1234",
            "qwertzuiop098765",
            "zyxwvutsrqpo",
            "aaaaaaaaaaaa",
            "abcabcabcabc",
            "night-night-night-",
            "medql-hospital-1",
            "Welcome2026!!",
            "DoctorNurse2026",
        ],
    )
    def test_it_is_refused_with_its_digits_and_signs(self, db, password):
        assert "password_guessable" in codes(password)

    def test_names_of_this_hospital(self, db):
        Ward.objects.create(name="Saint Cecilia", slug="cecilia")

        assert "password_guessable" in codes("saint-cecilia-26")

    def test_ones_own_name(self, noor):
        noor.name = "Noor Bakshi-Holm"

        assert codes("bakshi-holm-1990", noor) >= {"password_guessable"}
        assert "password_too_similar" in codes("noor bakshi holm", noor)

    def test_a_list_that_django_ships_is_asked(self, db):
        assert "password_too_common" in codes("administrator")

    def test_the_form_of_the_administration_asks_too(self, root, noor):
        client = Client()
        client.force_login(root)
        weak = {"usable_password": "true", "password1": "password2026!", "password2": "password2026!"}

        answer = client.post(f"/admin/accounts/user/{noor.pk}/password/", weak)

        assert answer.status_code == 200
        noor.refresh_from_db()
        assert noor.check_password(PASSWORD)


class TestBreached:
    @pytest.fixture
    def listed(self, tmp_path: Path, settings) -> Path:
        path = tmp_path / "pwned.txt"
        self.write(path, LISTED)
        settings.BREACHED_PASSWORDS = str(path)
        return path

    def write(self, path: Path, passwords: list[str], ending: str = "\r\n") -> None:
        lines = [f"{hashlib.sha1(each.encode()).hexdigest().upper()}:{place}" for place, each in enumerate(passwords)]
        path.write_text(ending.join(sorted(lines)) + ending, newline="")

    @pytest.mark.parametrize("password", LISTED)
    def test_what_is_in_the_file_is_refused(self, db, listed, password):
        assert codes(password) == {"password_breached"}

    def test_what_is_not_is_taken(self, db, listed):
        assert codes("nobody ever wrote this") == set()

    @pytest.mark.parametrize("count", [0, 1, 2, 3, 100, 101])
    @pytest.mark.parametrize("ending", ["\n", "\r\n"])
    def test_the_search_finds_every_line_of_files_of_every_length(self, tmp_path, count, ending):
        path = tmp_path / "list.txt"
        passwords = [f"password number {number}" for number in range(count)]
        self.write(path, passwords, ending)

        assert all(breached.holds(path, password) for password in passwords)
        assert not any(breached.holds(path, f"other number {number}") for number in range(100))

    def test_a_last_line_without_an_end_is_found(self, tmp_path):
        path = tmp_path / "list.txt"
        self.write(path, LISTED)
        path.write_bytes(path.read_bytes().rstrip())

        assert all(breached.holds(path, password) for password in LISTED)

    def test_a_file_that_has_gone_lets_nobody_choose(self, db, listed, caplog):
        listed.unlink()

        assert codes("nobody ever wrote this") == {"password_unchecked"}
        assert "cannot be read" in caplog.text

    def test_without_a_file_nothing_is_asked(self, db):
        assert codes(LISTED[0]) == set()

    @pytest.mark.parametrize(
        ("content", "fault"),
        [
            (None, "cannot be read"),
            ("", "empty"),
            ("B" * 40 + ":1\n" + "A" * 40 + ":1\n", "not ordered"),
            ("b" * 40 + ":1\n", "upper-case"),
            ("B" * 32 + ":1\n", "upper-case"),
            ("B" * 40 + "\n", "upper-case"),
            ("password\n", "upper-case"),
        ],
    )
    def test_the_deploy_check_names_what_is_wrong_with_it(self, tmp_path, settings, content, fault):
        path = tmp_path / "pwned.txt"
        if content is not None:
            path.write_text(content)
        settings.BREACHED_PASSWORDS = str(path)

        (found,) = (each for each in run_checks(include_deployment_checks=True) if each.id == "accounts.E004")

        assert fault in found.msg

    def test_the_deploy_check_takes_a_good_one(self, listed):
        assert not [each for each in run_checks(include_deployment_checks=True) if each.id == "accounts.E004"]


class TestHash:
    def test_it_is_argon2id_as_owasp_recommends(self, slow):
        assert make_password(PASSWORD).startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")

    @pytest.mark.django_db
    @pytest.mark.parametrize("older", ["pbkdf2_sha256", "weaker argon2"])
    def test_an_older_one_is_made_anew_at_the_next_signing_in(self, slow, noor, monkeypatch, older):
        if older == "weaker argon2":
            monkeypatch.setattr(hashing.Argon2, "memory_cost", 1024)
            noor.set_password(PASSWORD)
            monkeypatch.undo()
        else:
            noor.password = make_password(PASSWORD, hasher=older)
        noor.save()

        Client().post("/accounts/login/", {"username": "noor", "password": PASSWORD})

        noor.refresh_from_db()
        assert noor.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
        assert check_password(PASSWORD, noor.password)

    def test_none_at_a_time_is_refused(self, settings):
        settings.HASHES_AT_ONCE = 0

        assert [fault for fault in run_checks() if fault.id == "accounts.E005"]

    def test_a_hash_waits_for_its_turn(self, slow, monkeypatch):
        turns = threading.BoundedSemaphore(1)
        monkeypatch.setattr(hashing, "_turns", turns)
        turns.acquire()
        hashed: list[str] = []
        other = threading.Thread(target=lambda: hashed.append(make_password(PASSWORD)))

        other.start()
        assert not hashed
        turns.release()
        other.join()

        assert identify_hasher(hashed[0]).algorithm == "argon2"

    @pytest.mark.django_db
    def test_who_waits_too_long_is_told_to_come_back(self, slow, noor, monkeypatch):
        turns = threading.BoundedSemaphore(1)
        monkeypatch.setattr(hashing, "_turns", turns)
        monkeypatch.setattr(hashing, "PATIENCE", 0.01)
        noor.set_password(PASSWORD)
        noor.save()
        turns.acquire()

        answer = Client().post("/accounts/login/", {"username": "noor", "password": PASSWORD})

        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert "Try again" in answer.content.decode()
