"""The API's description of itself: every door is in it, it is valid, and its examples are what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator

from medql import schema
from tests.access.actors import Door, doors

DOCUMENT = schema.document()
# The page for people is a view of Django's, the others are the framework's.
API = [door for door in doors() if door.route.startswith(("api/", "auth/")) and hasattr(door.view, "cls")]
BARE = frozenset({"head", "options"})


def address(door: Door) -> str:
    """As the document writes it."""
    return "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", door.route)


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def contents(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Its body and its answers, as far as they are JSON."""
    for told in (operation.get("requestBody", {}), *operation["responses"].values()):
        if content := told.get("content", {}).get("application/json"):  # or a file, or nothing
            yield content


@pytest.mark.parametrize("door", API, ids=address)
def test_every_door_is_described_with_every_method(door):
    told = set(DOCUMENT["paths"][address(door)])

    assert told == {method.lower() for method in door.view.cls().allowed_methods} - BARE


def test_nothing_is_described_that_is_not_there():
    assert set(DOCUMENT["paths"]) == {address(door) for door in API}


def test_it_is_openapi_3_1():
    assert DOCUMENT["openapi"].startswith("3.1.")
    validate_schema(DOCUMENT)


def test_nothing_had_to_be_guessed():
    schema.SchemaGenerator().get_schema(public=True)

    assert not GENERATOR_STATS


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_every_schema_is_json_schema(name):
    Draft202012Validator.check_schema(DOCUMENT["components"]["schemas"][name])


@pytest.mark.parametrize(("name", "operation"), list(operations()), ids=lambda value: value if isinstance(value, str) else "")
def test_every_body_and_answer_has_an_example_and_it_is_what_is_described(name, operation):
    for content in contents(operation):
        assert content["examples"]
        for example in content["examples"].values():
            told = Draft202012Validator(DOCUMENT | content["schema"], format_checker=Draft202012Validator.FORMAT_CHECKER)
            told.validate(example["value"])


@pytest.mark.parametrize(("name", "operation"), list(operations()), ids=lambda value: value if isinstance(value, str) else "")
def test_no_example_has_a_field_that_says_nothing(name, operation):
    """Where nobody has said what a field may say, it has its own name."""
    for content in contents(operation):
        for example in content["examples"].values():
            assert not [field for field, value in fields(example["value"]) if value in {field, "string"}]


def fields(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for field, each in value.items():
            yield from [(field, each)] if isinstance(each, str) else fields(each)
    elif isinstance(value, list):
        for each in value:
            yield from fields(each)


def test_no_refusal_is_shown_with_the_words_of_another():
    """An example of a part is what the page shows of the whole."""
    answers = [answer for _, operation in operations() for answer in operation["responses"].values() if "content" in answer]
    told = [each["content"]["application/json"]["schema"] for each in answers if "application/json" in each["content"]]
    for whole in (each for each in told if "allOf" in each):
        for part in whole["allOf"]:
            named = DOCUMENT["components"]["schemas"].get(part.get("$ref", "").rpartition("/")[2], part)
            for example in named.get("examples", []):
                Draft202012Validator(DOCUMENT | whole).validate(example)


@pytest.mark.parametrize(("name", "operation"), list(operations()), ids=lambda value: value if isinstance(value, str) else "")
def test_every_operation_says_what_it_takes_and_how_it_refuses(name, operation):
    takes = "requestBody" in operation
    refuses = {status for status in operation["responses"] if status >= "400"}

    assert operation["summary"] and operation["operationId"]
    assert ({"400", "413", "422"} <= refuses) == takes
    assert ("401" in refuses) == (operation["security"] != [{}] or name.startswith(("post /auth/login", "post /auth/refresh")))


@pytest.mark.django_db
def test_it_is_open_to_everybody_and_costs_no_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = Client().get("/api/schema")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["info"]["title"] == "MedQL"
