"""`manage.py stream` against real processes: it prints what happens, is cut off, and goes on where it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from accounts import hashing
from accounts.models import User
from monitoring.models import AlertEvent
from monitoring.services import history
from tests.conftest import PASSWORD
from tests.live.processes import PATIENCE, running
from tests.live.roads import Road
from tests.live.streams import access_token
from tests.world import item, open_alert, unscored

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def streaming(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "stream", *arguments],
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)


def until(process: subprocess.Popen[str], type: str) -> dict[str, Any]:
    for line in process.stdout or ():
        if (frame := json.loads(line))["type"] == type:
            return dict(frame)
    raise AssertionError(f"it ended before {type}: {process.communicate()[1]}")


@pytest.fixture
def alert(ada, gateway, now) -> Any:
    unscored(ada)
    gateway.post([item(ada, now, spo2=84)])
    return open_alert(ada)


def silence(alert: Any, note: str) -> None:
    history.tell([alert], AlertEvent.What.SILENCED, by=None, at=timezone.now(), note=note)


def test_cut_off_it_comes_back_by_itself_and_misses_nothing(noor, alert):
    User.objects.filter(pk=noor.pk).update(password=make_password(PASSWORD, hasher=hashing.Argon2()))
    with running() as server:
        road = Road("127.0.0.1", server.port)
        told = [f"http://127.0.0.1:{road.port}", "--login", "noor", "--ward", "north"]
        with streaming(*told, MEDQL_PASSWORD=PASSWORD) as process:
            until(process, "present")
            silence(alert, "first")
            assert until(process, "ALERT_UPDATED")["data"]["event"]["note"] == "first"

            road.close()
            silence(alert, "while it was away")
            road.open()

            assert until(process, "ALERT_UPDATED")["data"]["event"]["note"] == "while it was away"
        road.close()


def test_it_goes_on_from_an_earlier_line_and_ends_when_told(noor, alert):
    token = access_token(noor)
    with running() as server:
        with streaming(server.url, MEDQL_TOKEN=token) as process:
            after = until(process, "present")["id"]
        silence(alert, "one")
        silence(alert, "two")

        with streaming(server.url, "--after", after, "--count", "2", MEDQL_TOKEN=token) as process:
            said, _ = process.communicate(timeout=PATIENCE)

    notes = [
        frame["data"]["event"]["note"] for frame in map(json.loads, said.splitlines()) if frame["type"].startswith("ALERT")
    ]
    assert (notes, process.returncode) == (["one", "two"], 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Say who listens"),
        (["ftp://x", "--token", "t"], "begins with http"),
        (["--token", "x.y.z"], "not known, expired or revoked"),
        (["--login", "noor"], "MEDQL_PASSWORD holds no password"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(db, arguments, said):
    with running() as server:
        where = [] if arguments[:1] == ["ftp://x"] else [server.url]
        with streaming(*where, *arguments, MEDQL_PASSWORD="", MEDQL_TOKEN="") as process:
            _, told = process.communicate(timeout=PATIENCE)
    assert said in told
    assert process.returncode == 1
