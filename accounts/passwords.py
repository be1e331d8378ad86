"""Which passwords are taken: long ones that nobody guesses. No rule about kinds of letters, and no change by the calendar."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

from accounts import breached
from accounts.hashing import LONGEST
from accounts.models import User, Ward

log = logging.getLogger(__name__)

# What somebody thinks of who sits in a hospital before a program of this name.
OF_THE_PLACE = ("medql", "hospital", "clinic", "ward", "nurse", "doctor", "patient", "monitor", "station", "welcome")
ROWS = ("abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm")
LETTERS_THAT_COUNT = 6  # of one's own beside the words of the place
SHORTEST_WORD = 3
LOOKS_LIKE = str.maketrans("0134578@$!", "oieastbasi")


class MaximumLengthValidator:
    """A bound far above every sentence, so that nobody lets us hash a book."""

    def validate(self, password: str, user: User | None = None) -> None:
        if len(password) > LONGEST:
            raise ValidationError(f"Use at most {LONGEST} letters.", code="password_too_long")

    def get_help_text(self) -> str:
        return "A sentence of a few words is easier to keep in mind, and harder to guess, than a short word with signs."


class GuessableValidator:
    """Common words, names, rows of keys and repetitions are no better with digits and signs around them."""

    def validate(self, password: str, user: User | None = None) -> None:
        if len(password) > LONGEST:
            return  # refused for that already
        plain = password.lower()
        if _is_common(plain):
            raise ValidationError("This is a common word with digits or signs around it.", code="password_guessable")
        if _is_row(plain):
            raise ValidationError("This is a row of keys, or one piece again and again.", code="password_guessable")
        if _is_of_names(plain, _names(user)):
            raise ValidationError("This is little more than names of this place or your own.", code="password_guessable")

    def get_help_text(self) -> str:
        return "Not a common word, nor a name of this hospital or yours, with digits or signs around it."


class BreachedValidator:
    """Passwords that are in the file BREACHED_PASSWORDS. Where it is named and cannot be read, no password is taken."""

    def validate(self, password: str, user: User | None = None) -> None:
        if not settings.BREACHED_PASSWORDS:
            return
        try:
            found = breached.holds(settings.BREACHED_PASSWORDS, password)
        except OSError:
            log.exception("the file BREACHED_PASSWORDS cannot be read")
            raise ValidationError(
                "The list of breached passwords cannot be read. Call the administrator.", code="password_unchecked"
            ) from None
        if found:
            raise ValidationError("This password was found in a breach: others try it everywhere.", code="password_breached")

    def get_help_text(self) -> str:
        return "Not one that was found in a breach." if settings.BREACHED_PASSWORDS else ""


@cache
def _common() -> frozenset[str]:
    return frozenset(CommonPasswordValidator().passwords)


def _is_common(password: str) -> bool:
    core = re.sub(r"[^a-z]+$", "", password)
    words = {re.sub(r"^[^a-z]+", "", reading) for reading in (core, core.translate(LOOKS_LIKE))}
    return any(len(word) >= SHORTEST_WORD and word in _common() for word in words)


def _is_row(password: str) -> bool:
    """`qwertyuiop12`, `aaaaaaaaaaaa`, `nightnightnight`: as much to guess as its one piece."""
    piece = re.sub(r"[^a-z0-9]+", "", password)
    return bool(re.fullmatch(r"(.{1,5}?)\1+.{0,3}|(.{6,}?)\2+", password)) or _of_rows(piece)


def _of_rows(piece: str) -> bool:
    """Whether all of it lies on a few rows of neighbours, to and fro."""
    parts, rest = 0, piece
    while rest:
        length = max(length for row in ROWS for way in (row, row[::-1]) for length in [_shared(rest, way)])
        if length < 4:
            return False
        rest, parts = rest[length:], parts + 1
    return 0 < parts <= 3


def _shared(text: str, row: str) -> int:
    """How long a beginning of the text is a piece of this row."""
    length = 0
    while length < len(text) and text[: length + 1] in row:
        length += 1
    return length


def _names(user: User | None) -> Iterable[str]:
    words = [*OF_THE_PLACE]
    for ward in Ward.objects.all():
        words += re.split(r"\W+", f"{ward.name} {ward.slug}".lower())
    if user is not None:
        words += re.split(r"\W+", f"{user.login} {user.name} {user.email}".lower())
    return sorted({word for word in words if len(word) >= SHORTEST_WORD}, key=len, reverse=True)


def _is_of_names(password: str, names: Iterable[str]) -> bool:
    rest = password
    for name in names:
        rest = rest.replace(name, " ")
    return rest != password and len(re.findall(r"[^\W\d_]", rest)) < LETTERS_THAT_COUNT


def unusable(value: Any) -> bool:
    """Whether this can be nobody's password: it is not even hashed."""
    return not isinstance(value, str) or len(value) > LONGEST or "\0" in value
