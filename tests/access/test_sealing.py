"""The key ring, and what is sealed with it."""

import base64
import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import models
from django.forms import modelform_factory

from accounts import keyring, sealing
from accounts.fields import SealedField
from accounts.keyring import BadRing, UnknownKey
from accounts.sealing import Unreadable
from medql import embedded

ROOT = Path(__file__).parents[2]


def entry(id, secret=None):
    return f"{id}:{base64.b64encode(secret or hashlib.sha256(id.encode()).digest()).decode()}"


def test_the_first_key_of_the_ring_is_current(settings):
    settings.KEY_RING = keyring.read(f"{entry('new')}, {entry('old')}")

    assert keyring.current().id == "new"
    assert keyring.by_id("old").id == "old"
    with pytest.raises(UnknownKey):
        keyring.by_id("older")


def test_a_key_may_be_written_in_either_alphabet_of_base64():
    secret = bytes(range(240, 256)) * 2

    for text in (base64.b64encode(secret), base64.urlsafe_b64encode(secret), base64.urlsafe_b64encode(secret).rstrip(b"=")):
        assert keyring.read(f"a:{text.decode()}")[0].secret == secret


SAME = hashlib.sha256(b"same").digest()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Key 1 of MEDQL_KEYS has no id"),
        ("a", "is no base64|0 bytes"),
        (entry("a") + ",", "Key 2 of MEDQL_KEYS has no id"),
        (base64.b64encode(SAME).decode(), "Key 1 of MEDQL_KEYS has no id"),
        (entry("a.b"), "has no id"),
        (entry("a" * 17), "has no id"),
        ("a:not*base64", "no base64"),
        (entry("a", SAME[:16]), "16 bytes instead of 32"),
        (entry("a", SAME + b"x"), "33 bytes instead of 32"),
        (entry("a", b"\0" * 32), "not random"),
        (entry("a", b"changeme" * 4), "not random"),
        (f"{entry('a')},{entry('a')}", "two keys of one id"),
        (f"{entry('a')},{entry('A')}", "two keys of one id"),
        (f"{entry('a', SAME)},{entry('b', SAME)}", "one key under two ids"),
    ],
)
def test_a_ring_that_nobody_meant_is_refused_and_not_shown(text, sentence):
    with pytest.raises(BadRing, match=sentence) as refusal:
        keyring.read(text)

    assert base64.b64encode(SAME).decode() not in str(refusal.value)


def test_medql_does_not_start_with_a_bad_ring():
    started = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        check=False,
        env=os.environ | {"MEDQL_KEYS": entry("a", b"short")},
        capture_output=True,
        text=True,
    )

    assert started.returncode != 0
    assert "Key a of MEDQL_KEYS has 5 bytes instead of 32." in started.stderr


def test_an_installation_makes_its_own_ring_once_and_for_its_owner_only(tmp_path):
    first, again = embedded.own_keys(tmp_path), embedded.own_keys(tmp_path)

    assert first == again
    assert keyring.read(first)[0].id == "own"
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o600


def test_a_key_does_not_show_itself():
    key = keyring.read(entry("a", SAME))[0]

    assert repr(key) == "Key(id='a')"


def test_keys_of_two_purposes_or_two_rings_differ():
    one, other = keyring.read(f"{entry('a')},{entry('b')}")

    keys = {keyring.derived(one, "tokens"), keyring.derived(one, "sealing"), keyring.derived(other, "tokens"), one.secret}
    assert len(keys) == 4
    assert keyring.derived(one, "tokens") == keyring.derived(one, "tokens")


@pytest.mark.parametrize("text", ["penicillin", "", "Ünïcode ☂", "x" * 20_000, "a\0b\n"])
def test_what_is_sealed_reads_otherwise_and_opens_to_itself(text):
    sealed = sealing.seal(text, about="patient:1")

    assert not text or text not in sealed
    assert sealing.unseal(sealed, about="patient:1") == text
    assert sealing.key_id(sealed) == keyring.current().id


def test_the_same_text_is_sealed_differently_each_time():
    assert sealing.seal("penicillin", about="patient:1") != sealing.seal("penicillin", about="patient:1")


def test_what_is_sealed_about_one_row_opens_in_no_other():
    with pytest.raises(Unreadable, match="belongs to another row"):
        sealing.unseal(sealing.seal("penicillin", about="patient:1"), about="patient:2")


def test_no_letter_of_a_sealed_text_can_be_changed():
    sealed = sealing.seal("penicillin", about="patient:1")

    for place, letter in enumerate(sealed):
        changed = f"{sealed[:place]}{chr(ord(letter) ^ 1)}{sealed[place + 1 :]}"
        with pytest.raises(Unreadable):
            sealing.unseal(changed, about="patient:1")
        with pytest.raises(Unreadable):
            sealing.unseal(sealed[:place], about="patient:1")


@pytest.mark.parametrize(
    "text", ["", "penicillin", "v1", "v1.own", "v1.own.", "v2.own.AAAA", "v1.own.A", "v1.own.AAAA.BBBB", "v1..AAAA"]
)
def test_what_was_never_sealed_is_unreadable(text):
    with pytest.raises(Unreadable):
        sealing.unseal(text, about="patient:1")


def test_an_old_key_opens_while_it_is_in_the_ring(settings):
    old, new = keyring.read(f"{entry('old')},{entry('new')}")
    settings.KEY_RING = (old,)
    sealed = sealing.seal("penicillin", about="patient:1")

    settings.KEY_RING = (new, old)
    assert sealing.unseal(sealed, about="patient:1") == "penicillin"
    assert sealing.key_id(sealing.seal("penicillin", about="patient:1")) == "new"

    settings.KEY_RING = (new,)
    with pytest.raises(Unreadable, match="key old, which is not in the ring"):
        sealing.unseal(sealed, about="patient:1")


class Locker(models.Model):
    owner = models.IntegerField()
    code = SealedField(about="tests.locker", by="owner")

    class Meta:
        app_label = "tests"
        managed = False

    def __str__(self) -> str:
        return f"of {self.owner}"


CODE = Locker._meta.get_field("code")


def test_a_sealed_column_shows_nothing_by_itself():
    locker = Locker(owner=7)

    CODE.put(locker, "4711")

    assert "4711" not in locker.code
    assert CODE.text(locker) == "4711"
    assert sealing.unseal(locker.code, about="tests.locker:7") == "4711"


def test_a_sealed_column_that_is_moved_to_another_row_is_unreadable():
    locker = Locker(owner=7)
    CODE.put(locker, "4711")

    with pytest.raises(Unreadable):
        CODE.text(Locker(owner=8, code=locker.code))


def test_nothing_is_sealed_for_a_row_that_nobody_knows_yet():
    with pytest.raises(ValueError, match="not known by its owner yet"):
        CODE.put(Locker(), "4711")


def test_no_text_is_kept_as_none():
    locker = Locker(owner=7)

    CODE.put(locker, "")

    assert (locker.code, CODE.text(locker)) == ("", "")


def test_a_sealed_column_offers_no_input():
    assert list(modelform_factory(Locker, fields="__all__").base_fields) == ["owner"]
