"""What docker-compose.yml, the Dockerfile and the deploy check promise to whoever runs MedQL for real."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from medql.checks import key_ring_is_given, secret_key_is_given, web_push_is_whole
from monitoring.services.channels import push

ROOT = Path(__file__).parents[2]
SCHEMA = Path(__file__).parent / "compose_spec" / "compose-spec.json"
COMPOSE = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
EXAMPLE = (ROOT / ".env.example").read_text()


@pytest.fixture
def compose() -> dict[str, Any]:
    return yaml.safe_load(COMPOSE)


def faults_of(compose: dict[str, Any]) -> list[str]:
    schema = Draft7Validator(json.loads(SCHEMA.read_text()))
    return [f"{fault.json_path}: {fault.message}" for fault in schema.iter_errors(compose)]


def test_compose_file_follows_the_specification(compose):
    assert faults_of(compose) == []


def test_the_schema_is_read_at_all(compose):
    compose["services"]["web"]["helthcheck"] = {}

    assert len(faults_of(compose)) == 1


def test_no_secret_has_a_default(compose):
    asked = set(re.findall(r"\$\{(\w*(?:SECRET|PASSWORD|KEY)\w*)(:\?|[^}]*)", COMPOSE))
    optional = re.findall(r"\$\{(\w*TOKEN\w*)([^}]*)", COMPOSE)

    needed = asked - {("VAPID_PRIVATE_KEY", ":-"), ("BREACHED_PASSWORDS", ":-")}  # no web push without it; the name of a file
    assert {name for name, _ in needed} == {"SECRET_KEY", "MEDQL_KEYS", "MYSQL_PASSWORD", "MYSQL_ROOT_PASSWORD"}
    assert {mark for _, mark in needed} == {":?"}
    assert optional == [("METRICS_TOKEN", ":-")]  # empty means: no token opens the door


def test_example_names_every_variable_and_gives_no_secret():
    named = set(re.findall(r"^#?(\w+)=", EXAMPLE, re.MULTILINE))

    assert set(re.findall(r"\$\{(\w+)", COMPOSE)) <= named
    assert re.findall(r"^#?\w*(?:SECRET|PASSWORD|KEY|TOKEN)\w*=(.+)$", EXAMPLE, re.MULTILINE) == []


def test_services_start_only_on_what_they_need(compose):
    services = compose["services"]
    needs = {
        name: {other: how["condition"] for other, how in services[name]["depends_on"].items()}
        for name in ("migrate", "web", "watch")
    }
    all_there = {"db": "service_healthy", "redis": "service_healthy", "migrate": "service_completed_successfully"}

    assert needs == {
        "migrate": {"db": "service_healthy"},
        "web": all_there,
        "watch": all_there,
    }
    assert all("test" in services[name]["healthcheck"] for name in ("db", "redis"))
    assert re.search(r"^HEALTHCHECK .*\n.*/health", DOCKERFILE, re.MULTILINE)  # web's


def test_a_watcher_runs_beside_the_web_process_and_is_asked_whether_it_beats(compose):
    watch = compose["services"]["watch"]

    assert watch["command"] == ["python", "manage.py", "watch"]
    assert watch["healthcheck"]["test"] == ["CMD", "python", "manage.py", "watch", "--check"]
    assert watch["restart"] == "unless-stopped"
    assert watch["image"] == compose["services"]["web"]["image"]


def test_readings_outlive_the_containers(compose):
    assert "db:/var/lib/mysql" in compose["services"]["db"]["volumes"]
    assert "db" in compose["volumes"]


def test_only_the_web_service_is_reached_and_only_from_this_machine(compose):
    ports = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}

    assert ports == {"web": ["${MEDQL_ADDRESS:-127.0.0.1:8000}:8000"]}
    assert compose["networks"]["inside"]["internal"] is True
    assert compose["services"]["db"]["networks"] == compose["services"]["redis"]["networks"] == ["inside"]


@pytest.mark.parametrize("name", ["web", "watch", "migrate"])
def test_medql_runs_with_few_rights(compose, name):
    service = compose["services"][name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]


def test_image_runs_as_nobody_special_and_carries_no_secrets():
    final = DOCKERFILE.rsplit("\nFROM ", 1)[1]

    assert re.findall(r"^USER (.+)$", final, re.MULTILINE) == ["medql"]
    assert not re.search(r"^(ENV|ARG).*(SECRET|PASSWORD|KEY)", DOCKERFILE, re.MULTILINE)
    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*"  # what is not named stays out, .env with it


def test_image_keeps_no_log_of_addresses():
    """A name that somebody typed into a search would stand there."""
    (command,) = re.findall(r"^CMD (.+)$", DOCKERFILE, re.MULTILINE)

    assert json.loads(command)[:3] == ["daphne", "-v", "0"]


@pytest.mark.parametrize(("embedded", "key", "faults"), [(True, "", 0), (False, "a key", 0), (False, "", 1)])
@pytest.mark.parametrize(("name", "check"), [("SECRET_KEY", secret_key_is_given), ("MEDQL_KEYS", key_ring_is_given)])
def test_a_server_needs_given_keys(settings, monkeypatch, name, check, embedded, key, faults):
    settings.EMBEDDED = embedded
    monkeypatch.setenv(name, key)

    assert len(check(None)) == faults


@pytest.mark.parametrize(
    ("key", "subject", "found"),
    [
        ("", "", []),
        ("3KzvKasA2SoCxsp0iIG_o9B0Ozvl1XDwI63JRKNIWBM", "mailto:it@example.org", []),
        ("3KzvKasA2SoCxsp0iIG_o9B0Ozvl1XDwI63JRKNIWBM", "", ["medql.E002"]),
        ("no key", "https://example.org", ["medql.E003"]),
        ("bm8ga2V5", "https://example.org", ["medql.E003"]),
    ],
)
def test_web_push_is_set_up_whole_or_not_at_all(settings, key, subject, found):
    settings.VAPID_PRIVATE_KEY, settings.VAPID_SUBJECT = key, subject
    push.public_key.cache_clear()

    assert [message.id for message in web_push_is_whole(None)] == found
