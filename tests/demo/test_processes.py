"""The player against a real web process, and the whole demo as a real process."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

import monitoring.demo.server
from accounts.models import Ward
from monitoring.demo import player
from monitoring.demo.server import DidNotComeUp, Server, must_be_free
from monitoring.models import Alert, RejectedVital, Vital
from tests.live.processes import PATIENCE
from tests.ports import free_port

pytestmark = pytest.mark.django_db(transaction=True)


def database_url() -> str:
    """The test's own database, as another process is told of it."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{settings['NAME']}"
    person = ":".join(urllib.parse.quote(settings[part], safe="") for part in ("USER", "PASSWORD") if settings[part])
    return f"mysql://{person}@{settings['HOST'] or '127.0.0.1'}:{settings['PORT'] or 3306}/{settings['NAME']}"


def until(true: Callable[[], object], *, within: float) -> None:
    """Wait for something to become true, at most so many seconds."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.05)


@pytest.fixture
def server(monkeypatch, tmp_path) -> Iterator[Server]:
    """A web process on the test's database."""
    monkeypatch.setenv("DATABASE_URL", database_url())
    for module, name in ((monitoring.demo.server, "COMES_UP_WITHIN"), (player, "PATIENCE"), (player, "LINGER")):
        monkeypatch.setattr(module, name, PATIENCE)
    with Server(free_port(), log=tmp_path / "server.log") as server:
        server.wait_until_it_answers()
        yield server


def simulate(server: Server, capsys, **options) -> str:
    call_command("simulate", url=server.url, create=True, **options)
    return capsys.readouterr().out


def test_player_keeps_its_rate_and_says_what_it_did(server, capsys):
    said = simulate(server, capsys, patients=5, rate=20, duration=2, scenario="stable")

    assert "Sent 40 readings in " in said
    assert "Statuses 202: 40" in said
    assert "Items stored 40, duplicates 0, values refused 0" in said
    assert 0 < float(re.search(r"([\d.]+)% of the target 20", said)[1]) <= 101  # how much of it is the machine's
    assert Vital.objects.count() == 40
    assert not Alert.objects.exists()


def test_recordings_are_sent_sensor_by_sensor(server, capsys):
    said = simulate(server, capsys, patients=12, duration=2, speed=2, batch=4)

    assert "Sent 48 readings" in said and "Statuses 202: 12" in said
    assert {sensor.partition("/")[2] for sensor in Vital.objects.values_list("sensor_id", flat=True)} >= {"", "art"}


def test_arrest_is_a_critical_alert(server, capsys):
    simulate(server, capsys, patients=1, duration=2, speed=20, rate=5, scenario="arrest")

    alert = Alert.objects.open().get(condition="heart_rate_low")
    assert (alert.severity, alert.worst_value) == ("critical", 0)


def test_moved_monitor_sends_for_the_next_patient(server, capsys):
    said = simulate(server, capsys, scenario="assign", patients=2, duration=4, rate=5)

    assert "is on P00002 now" in said
    counts = [Vital.objects.filter(patient__patient_id=patient).count() for patient in ("P00001", "P00002")]
    assert sum(counts) == 20 and min(counts) > 0
    assert f"Stored of P00001: {counts[0]}, P00002: {counts[1]}" in said
    assert not RejectedVital.objects.exists()


def test_wrong_key_is_no_success(server, capsys):
    with pytest.raises(CommandError, match="Nothing was taken"):
        call_command("simulate", url=server.url, key="no.key", patients=2, duration=1, scenario="stable")

    assert "Statuses 401: 2" in capsys.readouterr().out


def test_nobody_there_is_said(capsys):
    with pytest.raises(CommandError, match="Nothing was taken"):
        call_command("simulate", url=f"http://127.0.0.1:{free_port()}", key="no.key", patients=2, duration=1)

    assert "Statuses no answer: 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "Say with which key"),
        ({"scenario": "assign", "key": "a.b"}, "local database"),
        ({"key": "a.b", "rate": -1.0}, "--rate must be more than 0"),
        ({"key": "a.b", "batch": 9}, "may not be more than --patients"),
        ({"key": "a.b", "url": "ward"}, "http"),
    ],
)
def test_senseless_options_are_refused(options, sentence):
    with pytest.raises(CommandError, match=sentence):
        call_command("simulate", **options)


def test_taken_port_is_said():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(DidNotComeUp, match=r"cannot be used .* PORT="):
            must_be_free(other.getsockname()[1])


def test_web_process_that_dies_says_why(monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", "nonsense://")
    with Server(free_port(), log=tmp_path / "log") as server, pytest.raises(DidNotComeUp, match="ended with code"):
        server.wait_until_it_answers()


@pytest.fixture
def demo(tmp_path) -> Iterator[tuple[subprocess.Popen, int, Path]]:
    """`manage.py demo` at five recorded minutes a second, on the test's database; its port and what it prints."""
    port, output = free_port(), tmp_path / "output"
    command = [sys.executable, "manage.py", "demo", "--port", str(port), "--speed", "5"]
    with output.open("wb") as file:
        process = subprocess.Popen(
            command, stdout=file, stderr=subprocess.STDOUT, process_group=0, env=os.environ | {"DATABASE_URL": database_url()}
        )
    yield process, port, output
    if process.poll() is None:
        process.terminate()  # and no sooner than its web process does it end
        process.wait(timeout=PATIENCE)


def answers(port: int) -> bool:
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=PATIENCE).status == 200
    except OSError:
        return False


@pytest.mark.parametrize(("ending", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_demo_comes_up_alarms_and_ends_cleanly(demo, ending, code):
    process, port, output = demo
    hypotension = Alert.objects.filter(
        condition="blood_pressure_low", severity="critical", patient__patient_id__startswith="DEMO"
    )

    until(lambda: process.poll() is not None or hypotension.exists(), within=2 * PATIENCE)
    assert process.poll() is None, output.read_text()
    until(lambda: answers(port), within=PATIENCE)
    process.send_signal(ending)

    assert process.wait(timeout=PATIENCE) == code
    must_be_free(port)
    printed = output.read_text()
    assert f"http://127.0.0.1:{port}/" in printed and "demo-nurse" in printed and "The demo has ended." in printed
    assert "Traceback" not in printed
    assert Ward.objects.count() == 2
    assert not re.search(r"[0-9a-f]{12}\.[\w-]{40}", printed), "a device's key was printed"
