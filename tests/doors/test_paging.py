"""Lists in pages: everything once, whatever comes in meanwhile, and a cursor that is none is told so."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from accounts.api import queries
from accounts.api.errors import Invalid
from monitoring.api import paging, versions
from monitoring.models import Patient

ORDER = ("-created_at", "pk")
THEN = datetime(2026, 1, 10, tzinfo=UTC)


def request_of(address: str, **headers: str) -> Request:
    return Request(APIRequestFactory().get(address, headers=headers))


def page(address: str):
    request = request_of(address)
    asked, rows = queries.read(request, paging.Paged), Patient.objects.all()
    return paging.page(request, rows, asked, order=ORDER, read=lambda found: [{"id": row.patient_id} for row in found]).data


def ids(found) -> list[str]:
    return [row["id"] for row in found["results"]]


def told(cursor: object) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


@pytest.fixture
def seven(db):
    """Of whom two and three share their time."""
    for number in range(7):
        at = THEN + timedelta(microseconds=number if number != 3 else 2)
        Patient.objects.create(patient_id=f"P{number}", name="N", created_at=at)


def test_pages_together_are_the_whole_list_once(seven):
    address, seen = "/list?limit=2", []
    while address:
        found = page(address)
        seen += ids(found)
        address = found["next"]

    assert seen == ["P6", "P5", "P4", "P2", "P3", "P1", "P0"]


def test_what_comes_in_meanwhile_moves_no_page(seven):
    first = page("/list?limit=3")
    Patient.objects.create(patient_id="P9", name="N", created_at=THEN + timedelta(days=1))

    assert ids(page(first["next"])) == ["P2", "P3", "P1"]


def test_the_last_page_has_no_next(seven):
    assert page("/list?limit=7")["next"] is None


def test_the_next_address_keeps_what_was_asked(seven):
    assert page("/list?limit=3")["next"].startswith("http://testserver/list?limit=3&cursor=")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "%00",
        "é",
        "a" * 600,
        told({}),
        told([]),
        told(["2026-01-10T00:00:00Z"]),
        told(["2026-01-10T00:00:00", 1]),
        told(["yesterday", 1]),
        told([None, 1]),
        told(["2026-01-10T00:00:00Z", 2**64]),
        told(["2026-01-10T00:00:00Z", "one"]),
        told(["9999-12-31T23:59:59-23:59", 1]),
        told([[1], {}]),
        told([1.5, True]),
    ],
)
def test_what_is_no_cursor_is_refused_by_name(seven, cursor):
    with pytest.raises(Invalid) as refusal:
        page(f"/list?cursor={cursor}")

    assert refusal.value.errors[0]["field"] == "cursor"


@pytest.mark.parametrize("limit", ["0", "-1", "201", "1e3", "99999999999999999999", "all", ""])
def test_an_absurd_limit_is_refused_by_name(seven, limit):
    with pytest.raises(Invalid) as refusal:
        page(f"/list?limit={limit}")

    assert refusal.value.errors[0]["field"] == "limit"


def test_parameters_that_nobody_knows_are_refused_and_all_are_named():
    with pytest.raises(Invalid) as refusal:
        page("/list?limit=x&limits=3&cursor=1&cursor=2")

    assert {(error["field"], error["code"]) for error in refusal.value.errors} == {
        ("limits", "unknown_field"),
        ("limit", "invalid"),
        ("cursor", "invalid"),
    }


@pytest.mark.parametrize(
    ("header", "in_body", "version"), [('"3"', None, 3), ("3", None, 3), (None, 3, 3), ('"3"', 3, 3), (None, 0, 0)]
)
def test_the_version_that_was_read_comes_in_the_body_or_as_a_tag(header, in_body, version):
    request = request_of("/", **({"If-Match": header} if header else {}))

    assert versions.seen(request, in_body) == version


@pytest.mark.parametrize(
    ("header", "in_body", "field"),
    [
        (None, None, "version"),
        ('"3"', 4, "version"),
        ("*", None, "If-Match"),
        ('W/"3"', 3, "If-Match"),
        ("9" * 40, None, "If-Match"),
    ],
)
def test_no_version_is_guessed(header, in_body, field):
    request = request_of("/", **({"If-Match": header} if header else {}))

    with pytest.raises(Invalid) as refusal:
        versions.seen(request, in_body)

    assert refusal.value.errors[0]["field"] == field
