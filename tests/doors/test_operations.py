"""What the document says of bodies and addresses is so, of every operation there is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator

from accounts import tokens
from accounts.models import User
from medql.schema import document
from monitoring.models import Patient, Vital
from tests.doors.operations import OPERATIONS, Operation, World
from tests.services.alerting import raised
from tests.world import Monitor

TAKING = [one for one in OPERATIONS if "requestBody" in one.told]
NEEDING = [one for one in TAKING if one.told["requestBody"]["required"]]
BODILESS = [one for one in OPERATIONS if one.method == "POST" and one not in NEEDING]
NOTHING_SENT = {(400, "malformed"), (422, "required")}
# A reading, a heartbeat and a call for help are taken whatever else their address says; who signs in says all in the body.
TAKEN_ALL_THE_SAME = {"/api/v1/vitals", "/api/v1/devices/heartbeat", "/api/v1/patients/{patient_id}/emergency"}
ASKED = [
    one for one in OPERATIONS if one.method == "GET" or not (one.path in TAKEN_ALL_THE_SAME or one.path.startswith("/auth/"))
]
ASKING = [(one, parameter["name"]) for one in OPERATIONS for parameter in one.parameters]
NEEDED = {"what": "vitals", "format": "csv", "from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
RUBBISH = {
    "integer": ["", "null", "x", "1.5", "-1", "9" * 30],
    "boolean": ["", "null", "x", "2"],
    "enum": ["", "null", "x"],
    "date": ["", "null", "x", "2026-02-30", "0001-01-01"],
    "date-time": ["", "null", "x", "1767225600", "2026-01-01", "2026-01-01T00:00:00", "9999-12-31T23:59:59-23:59"],
    "cursor": ["", "null", "x", "%00"],
    "ward": ["", "null", "x", "%00"],
    "patient_id": ["", "null", "x", "%00"],
    "word": [""],  # anything else is how something may begin, or be called
}
PAIRS = [("from", "to"), ("start_time", "end_time")]
RANGES = {since for since, _ in PAIRS}


@pytest.fixture
def world(ada: Patient, monitor: Monitor, root: User, now: datetime) -> World:
    stay = ada.admissions.get()
    vital = Vital.objects.create(patient=ada, admission=stay, sensor_id="M7", measured_at=now, received_at=now, spo2=97)
    names = {"patient_id": "P-ADA", "slug": "north", "vital_id": str(vital.pk), "device_id": str(monitor.device.pk)}
    token = {"Authorization": f"Bearer {tokens.sign_in(root, at=now).access_token}"}
    keys = {"bearer": token, "device_key": {"X-API-Key": monitor.key}}
    return World(names | {"alert_id": str(raised(ada, now).pk)}, keys, Client())


@pytest.mark.parametrize("operation", NEEDING, ids=str)
def test_a_body_that_is_needed_is_missed(world: World, operation: Operation) -> None:
    answer = operation.send(world)

    assert (answer.status_code, answer.json()["code"]) in NOTHING_SENT


@pytest.mark.parametrize("operation", BODILESS, ids=str)
def test_a_body_that_may_be_empty_is_not_missed(world: World, operation: Operation) -> None:
    answer = operation.send(world)

    assert answer.status_code in (200, 201, 204), answer.content


def test_whether_a_body_is_needed_is_said_of_every_one() -> None:
    assert {one.method for one in TAKING} == {"POST", "PUT", "PATCH"}
    assert len(NEEDING) > len(TAKING) - len(NEEDING) > 0


def wrong(operation: Operation, name: str) -> list[str]:
    """What this parameter may not be."""
    told = next(one["schema"] for one in operation.parameters if one["name"] == name)
    beyond = [str(told["maximum"] + 1)] if "maximum" in told else []
    kinds = ("enum" if "enum" in told else "", told.get("format", ""), name, told.get("type", ""), "word")
    return beyond + next(RUBBISH[kind] for kind in kinds if kind in RUBBISH)


def needed(operation: Operation, *but: str) -> str:
    required = [one["name"] for one in operation.parameters if one.get("required") and one["name"] not in but]
    return "".join(f"&{name}={NEEDED[name]}" for name in required)


def said(operation: Operation) -> str:
    """A body that is right, where one is needed beside parameters."""
    return '{"name": "Ada"}' if operation in NEEDING else ""


def named(answer: Any) -> set[str]:
    """The fields that are refused."""
    assert answer.status_code == 422, answer.content
    return {error["field"] for error in answer.json()["errors"]}


@pytest.mark.parametrize("operation", ASKED, ids=str)
def test_a_parameter_that_nobody_knows_is_refused_by_name(world: World, operation: Operation) -> None:
    answer = operation.send(world, body="{}", query=f"nonsense=1{needed(operation)}", **{"If-Match": '"1"'})

    assert named(answer) == {"nonsense"}
    assert answer.json()["code"] == "unknown_field"
    told = operation.told["responses"]["422"]["content"]["application/json"]["schema"]
    Draft202012Validator(document() | told).validate(answer.json())


@pytest.mark.parametrize("path", ["/api/v1/alerts", "/api/v1/patients/{patient_id}"])
def test_a_method_that_is_not_there_is_405_whatever_the_address_says(world: World, path: str) -> None:
    answer = Operation("TRACE", path, {"security": [{"bearer": []}]}).send(world, query="limit=1")

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize(("operation", "name"), ASKING, ids=str)
def test_no_parameter_that_is_wrong_is_passed_over(world: World, operation: Operation, name: str) -> None:
    for value in wrong(operation, name):
        answer = operation.send(world, body=said(operation), query=f"{name}={value}{needed(operation, name)}")

        if answer.status_code != 404:  # nobody of this name, or not theirs to see
            assert named(answer) == {name}, value
        assert answer.status_code == 422 or (value and name in ("ward", "patient_id"))


@pytest.mark.parametrize(("operation", "name"), ASKING, ids=str)
def test_no_parameter_is_said_twice(world: World, operation: Operation, name: str) -> None:
    answer = operation.send(world, body=said(operation), query=f"{name}=1&{name}=1{needed(operation, name)}")

    assert named(answer) == {name}


@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if RANGES & {each["name"] for each in one.parameters}], ids=str
)
def test_no_range_ends_before_it_begins(world: World, operation: Operation) -> None:
    since, until = next(pair for pair in PAIRS if pair[0] in {each["name"] for each in operation.parameters})
    backwards = f"{since}=2026-01-02T00:00:00Z&{until}=2026-01-01T00:00:00Z"

    answer = operation.send(world, query=backwards + needed(operation, since, until))

    assert named(answer) <= {since, until}
