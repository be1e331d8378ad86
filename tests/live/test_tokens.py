"""Tokens as the guide tells them to people: its lines are run as they stand, against a real process."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from django.contrib.auth.hashers import make_password

from accounts import hashing
from accounts.models import RefreshFamily, SocketTicket, TokenSession, User
from tests.conftest import PASSWORD
from tests.live.processes import PATIENCE, running

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


def test_the_guide_has_lines_to_run():
    assert len(lines()) == 9
