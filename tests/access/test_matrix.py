"""The matrix: every URL, every method, every socket and every page of the administration × everybody who may knock.

The doors are read from the URL configuration, the answers from matrix.txt: a new route without a line there fails.
`MEDQL_MATRIX=write pytest tests/access/test_matrix.py` writes down what is; read the difference before you commit it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from pathlib import Path

import pytest
from channels.db import database_sync_to_async

from accounts.models import User, Ward
from monitoring.clinical.overrides import Override
from monitoring.clinical.signs import Sign
from monitoring.models import Patient
from monitoring.models.threshold import Part
from monitoring.routing import websocket_urlpatterns
from monitoring.services import thresholds
from monitoring.services.layers import Scope
from tests.access.actors import ACTORS, Door, World, doors, path_of, patient_herself
from tests.live.test_sockets import Viewer

TABLE = Path(__file__).with_name("matrix.txt")
GROUPS = {group: list(found) for group, found in groupby(sorted(doors(), key=lambda door: door.group), lambda door: door.group)}
DENIED = set("-345")
SOCKETS = ["/" + str(pattern.pattern).lstrip("^") for pattern in websocket_urlpatterns]


def table() -> dict[str, str]:
    """Door → one letter an actor."""
    lines = [line.split() for line in TABLE.read_text().splitlines() if line.strip() and not line.startswith("#")]
    return {" ".join(line[: -len(ACTORS)]): "".join(line[-len(ACTORS) :]) for line in lines}


@pytest.fixture
def world(
    request: pytest.FixtureRequest,
    busy_ward: None,
    ada: Patient,
    north: Ward,
    root: User,
    now: datetime,
) -> World:
    thresholds.put(Scope(patient=ada), (Sign.SPO2, Part.ALWAYS), Override(80, 88), by=root, at=now)
    logins = {"viewer": "vera", "elsewhere": "eve", "nurse": "noor", "doctor": "dora", "administrator": "root"}
    people = {actor: request.getfixturevalue(login) for actor, login in logins.items()}
    return World(people | {"patient": patient_herself(ada)}, ada, north, now)


def outcomes(world: World, door: Door) -> Iterator[tuple[str, str]]:
    path = path_of(door, world)
    for method in door.methods:
        yield f"{method} /{door.route}", "".join(world.outcome(actor, method, path) for actor in ACTORS)


@pytest.mark.parametrize("group", GROUPS)
def test_every_door_lets_in_whom_the_matrix_names(world: World, group: str) -> None:
    found = {name: letters for door in GROUPS[group] for name, letters in outcomes(world, door)}
    if os.environ.get("MEDQL_MATRIX") == "write":
        _write(found)

    told = table()
    wrong = {name: f"{letters}, not {told.get(name)}" for name, letters in found.items() if told.get(name, letters) != letters}
    open_and_untold = {name: letters for name, letters in found.items() if name not in told and set(letters) - DENIED}
    assert (wrong, open_and_untold) == ({}, {})


def test_every_route_has_a_line_and_every_line_a_route() -> None:
    routes = {f"/{door.route}" for door in doors()} | {f"/{route.lstrip('/')}" for route in SOCKETS}

    assert routes == {name.split(" ", 1)[1] for name in table()}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("route", SOCKETS)
async def test_every_socket_lets_in_whom_the_matrix_names(world: World, route: str) -> None:
    found = "".join([await _through(world, actor, route) for actor in ACTORS])
    if os.environ.get("MEDQL_MATRIX") == "write":
        await database_sync_to_async(_write)({f"WS {route}": found})

    assert found == table()[f"WS {route}"]


async def _through(world: World, actor: str, route: str) -> str:
    """`x` with names, `k` without, `-` and `4` as for pages."""
    client = world.clients[actor]
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    headers = {name[5:].replace("_", "-").lower(): told for name, told in client.defaults.items() if name.startswith("HTTP_")}
    path = "north" if "slug" in route else "/elsewhere" if "<" in route else "/ws"
    async with Viewer(cookies, path, **headers) as socket:
        return await socket.fate()


def _write(found: dict[str, str]) -> None:
    """A door that is closed to everybody needs no line, unless its route would have none."""
    rows = (table() if TABLE.exists() else {}) | found
    opened = {name.split(" ", 1)[1] for name, letters in rows.items() if set(letters) - DENIED}
    first = {name.split(" ", 1)[1]: name for name in reversed(rows)}
    shut = {name for route, name in first.items() if route not in opened}
    rows = {name: letters for name, letters in rows.items() if set(letters) - DENIED or name in shut}
    wide = max(len(name) for name in rows)
    head = "# " + " " * (wide - 2) + "  " + " ".join(ACTORS)
    lines = [
        f"{name:<{wide}}  {'  '.join(letters)}"
        for name, letters in sorted(rows.items(), key=lambda row: row[0].split(" ", 1)[::-1])
    ]
    TABLE.write_text("\n".join([head, *lines, ""]))
