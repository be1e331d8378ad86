"""Tokens as the guide tells them to people: its lines are run as they stand, against a real process."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
from pathlib import Path

import pytest
from django.contrib.auth.hashers import make_password

from accounts import hashing
from accounts.models import RefreshFamily, SocketTicket, TokenSession, User
from tests.conftest import PASSWORD
from tests.live.processes import PATIENCE, Server, running

pytestmark = pytest.mark.django_db(transaction=True)

GUIDE = Path(__file__).parents[2] / "docs" / "access.md"


def lines() -> list[str]:
    """The commands under the heading Tokens."""
    section = GUIDE.read_text().partition("\n## Tokens\n")[2].partition("\n## ")[0]
    return [line.strip() for line in section.splitlines() if line.startswith("    ")]


@pytest.mark.curl
def test_the_lines_of_the_guide_do_what_it_says(noor):
    User.objects.filter(pk=noor.pk).update(password=make_password(PASSWORD, hasher=hashing.Argon2()))

    with running() as server:
        script = "set -euo pipefail\n" + "\n".join(lines())
        told = {"BASE": server.url, "PASSWORD": PASSWORD}
        ran = subprocess.run(
            ["bash", "-c", script], env=os.environ | told, capture_output=True, text=True, timeout=PATIENCE, check=False
        )

    assert ran.stderr == ""
    assert ran.returncode == 0
    assert '"id":"noor","kind":"person"' in ran.stdout
    assert User.objects.get(login="nina").is_waiting
    assert SocketTicket.objects.count() == 1
    assert not TokenSession.objects.filter(ended_at=None).exists()
    assert not RefreshFamily.objects.filter(ended_at=None).exists()


ODD = [b"x" * 15_000, b"x\0y.z", b"\xff\xfe.x.y", b"x\r\n\r\n", b"\t" * 2000]


def test_a_header_that_is_no_token_is_a_4xx_and_disturbs_nobody(db):
    with running() as server:
        for value in ODD:
            assert _first_line(server, value).split()[1] in (b"400", b"401")
        # Beyond all measure it is refused before MedQL sees it; who goes on sending may not hear of it.
        assert _first_line(server, b"x" * 1_000_000) in (b"", b"HTTP/1.1 400 Bad Request\r\n")
        assert server.get("/health")[0] == 200


def _first_line(server: Server, token: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as link, contextlib.suppress(ConnectionError):
        link.sendall(b"GET /auth/me HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token + b"\r\n\r\n")
        return link.makefile("rb").readline()
    return b""


def test_the_guide_has_lines_to_run():
    assert len(lines()) == 9
