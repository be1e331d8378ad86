"""The tables of docs/security.md and docs/weaknesses.md leave nothing out, and every test that they name exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/[\w/]+\.py(?:::\w+)+)`")
# Of OWASP ASVS 5.0, level 2, what MedQL is held to.
ASVS = re.findall(
    r"\S+",
    """
    2.2.1 2.2.2 2.2.3 2.4.1 3.3.2 3.4.1 3.4.2 3.4.3 3.4.4 3.4.5 3.4.6 3.5.1 4.4.1 4.4.2 4.4.3 4.4.4 5.2.1 5.2.2 5.2.3
    6.2.1 6.2.4 6.2.5 6.2.10 6.2.12 6.3.1 6.3.2 6.3.3 7.2.4 7.3.1 7.3.2 7.4.1 7.4.2 7.4.5 8.2.1 8.2.2 8.2.3 8.3.1
    12.1.1 12.1.3 13.3.1 14.2.1 14.2.2 14.3.1 14.3.2 14.3.3 15.1.2 15.2.1 16.2.1 16.2.2 16.3.1 16.3.2 16.3.3 16.3.4
    16.4.1 16.4.2 16.5.1 16.5.2 16.5.3
    """,
)
WEAKNESSES = {
    "A8": [*map(str, range(1, 16)), "15b", *map(str, range(16, 32))],
    "B5": [*map(str, range(1, 13))],
    "C6": [*map(str, range(1, 23))],
}


def rows(page: str, heading: str) -> list[list[str]]:
    """The lines of the table under a heading, without its head."""
    text = (ROOT / "docs" / page).read_text()
    (section,) = re.findall(rf"^## {re.escape(heading)}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@cache
def names_in(path: str) -> frozenset[str]:
    """The tests of a file as pytest names them; none where there is no such file."""
    file = ROOT / path
    return frozenset(_tests(ast.parse(file.read_text()))) if file.exists() else frozenset()


def _tests(module: ast.Module) -> Iterator[str]:
    for node in module.body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        for each in inner:
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name.startswith("test_"):
                yield prefix + each.name


@pytest.mark.parametrize("page", ["security.md", "weaknesses.md"])
def test_every_test_that_is_named_exists(page):
    named = NAMED.findall((ROOT / "docs" / page).read_text())

    assert len(named) > 50
    assert [one for one in named if one.partition("::")[2] not in names_in(one.partition("::")[0])] == []


@pytest.mark.parametrize("page", ["security.md", "weaknesses.md"])
def test_nothing_that_looks_like_a_test_is_left_unread(page):
    """A name with a slip in it would not be looked up."""
    text = (ROOT / "docs" / page).read_text()

    assert [one for one in re.findall(r"`(tests/[^`]*::[^`]*)`", text) if not NAMED.fullmatch(f"`{one}`")] == []


def test_every_item_of_asvs_has_its_line():
    assert [row[0] for row in rows("security.md", "OWASP ASVS 5.0, level 2")] == ASVS


@pytest.mark.parametrize("heading", ["OWASP ASVS 5.0, level 2", "HIPAA §164.312", "GDPR and IEC 62304"])
def test_what_no_test_shows_is_said_not_to_be_so(heading):
    for item, what, shown in rows("security.md", heading):
        assert what, item
        assert NAMED.search(shown) or what.startswith("Not so"), item


@pytest.mark.parametrize("system", WEAKNESSES)
def test_every_weakness_of_the_systems_before_has_its_line(system):
    found = rows("weaknesses.md", system)

    assert [row[0] for row in found] == WEAKNESSES[system]
    assert [number for number, _, shown in found if not NAMED.search(shown) and not shown.startswith("not yet: ")] == []
