"""What protects nothing or makes no sense is refused before anything starts."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from base64 import b64encode

import pytest
from django.core.exceptions import ImproperlyConfigured

from medql import required

VAPID = "3KzvKasA2SoCxsp0iIG_o9B0Ozvl1XDwI63JRKNIWBM"
ELSEWHERE = "mysql://medql:9f2c71d0e4b85a36@db.example.org:3306/medql"
STRONG = "5b1c09e7fa23d8640c7e91ab52fd3068"


def started(**environment: str) -> subprocess.CompletedProcess[str]:
    """What the settings say of this environment, and nothing else of ours."""
    bare = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "medql.settings"}
    command = [sys.executable, "-c", "from django.conf import settings; settings.DEBUG"]
    return subprocess.run(command, env=bare | environment, capture_output=True, text=True, check=False)


def production(**changes: str) -> dict[str, str]:
    ring = f"2026a:{b64encode(secrets.token_bytes(32)).decode()}"
    return {
        "SECRET_KEY": secrets.token_hex(32),
        "MEDQL_KEYS": ring,
        "DATABASE_URL": ELSEWHERE,
        "REDIS_URL": "redis://redis.example.org:6379/0",
        "ALLOWED_HOSTS": "ward.example.org,127.0.0.1",
        "MEDQL_HTTPS": "true",
        "METRICS_TOKEN": secrets.token_hex(16),
        "VAPID_PRIVATE_KEY": VAPID,
        "VAPID_SUBJECT": "mailto:it@example.org",
    } | changes


class TestStart:
    def test_without_anything_it_starts(self):
        assert started().returncode == 0

    def test_in_production_it_starts(self):
        assert started(**production()).returncode == 0

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ({"SECRET_KEY": ""}, "SECRET_KEY is not in the environment"),
            ({"SECRET_KEY": "collectstatic"}, "fewer than 32 letters"),
            ({"SECRET_KEY": f"django-insecure-{STRONG}"}, "can be guessed"),
            ({"SECRET_KEY": "ab" * 32}, "can be guessed"),
            ({"SECRET_KEY": f"ChangeMe{STRONG}"}, "can be guessed"),
            ({"MEDQL_KEYS": ""}, "MEDQL_KEYS is not in the environment"),
            ({"MEDQL_KEYS": "2026a:short"}, "MEDQL_KEYS"),
            ({"METRICS_TOKEN": "metrics"}, "fewer than 16 letters"),
            ({"METRICS_TOKEN": "m" * 40}, "can be guessed"),
            ({"DATABASE_URL": "mysql://medql@db.example.org/medql"}, "no password"),
            ({"DATABASE_URL": "mysql://medql:medql@db.example.org/medql"}, "the user's name"),
            ({"VAPID_PRIVATE_KEY": "no key"}, "VAPID_PRIVATE_KEY is no key"),
            ({"VAPID_PRIVATE_KEY": "A" * 43}, "VAPID_PRIVATE_KEY is no key"),
            ({"VAPID_SUBJECT": ""}, "VAPID_SUBJECT is neither"),
            ({"DEBUG": "true"}, "DEBUG is for this machine alone, and ALLOWED_HOSTS names ward.example.org"),
            ({"DEBUG": "true", "ALLOWED_HOSTS": "localhost"}, "DEBUG is for this machine alone, and MEDQL_HTTPS is set"),
            ({"MEDQL_DEMO": "true"}, "MEDQL_DEMO is for this machine alone"),
            (
                {"MEDQL_DEMO": "true", "ALLOWED_HOSTS": "localhost", "MEDQL_HTTPS": "false"},
                "MEDQL_DEMO is for this machine alone, and the database is elsewhere",
            ),
            ({"MEDQL_DEVICE_RATES": "monitor=0"}, "MEDQL_DEVICE_RATES says monitor=0"),
        ],
    )
    def test_what_protects_nothing_is_refused_by_name(self, change, told):
        fell = started(**production(**change))

        assert fell.returncode != 0
        last = fell.stderr.strip().splitlines()[-1]
        assert last.startswith("django.core.exceptions.ImproperlyConfigured: ")
        assert told in last

    @pytest.mark.parametrize("name", ["SECRET_KEY", "METRICS_TOKEN", "VAPID_PRIVATE_KEY", "MEDQL_KEYS"])
    def test_and_never_shown(self, name):
        weak = "hush-hush-hush" + "!" * 30

        fell = started(**production(**{name: weak}))

        assert fell.returncode != 0
        assert "hush-hush" not in fell.stderr

    def test_a_database_on_this_machine_may_be_tried_with(self):
        assert started(DATABASE_URL="mysql://root@127.0.0.1:3306/medql", MEDQL_DEMO="true", DEBUG="true").returncode == 0


def test_check_deploy_finds_nothing_in_production():
    environment = {"PATH": os.environ["PATH"]} | production()
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]

    checked = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout == "System check identified no issues (0 silenced).\n"


def test_a_kind_of_device_may_be_given_another_rate():
    assert required.rates(["monitor=20"]) == required.DEVICE_RATES | {"monitor": 20}


@pytest.mark.parametrize(
    "told", ["monitor=0", "monitor=-1", "monitor=many", f"monitor={'9' * 30}", "monitor", "toaster=5", "=5", "monitor=5=5"]
)
def test_a_rate_that_makes_no_sense_is_refused_by_name(told):
    with pytest.raises(ImproperlyConfigured, match="MEDQL_DEVICE_RATES"):
        required.rates([told])
