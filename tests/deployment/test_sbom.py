"""The bill of materials names what runs, each with its version and licence, and nothing that only tests."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("sbom") / "sbom.cdx.json"
    told = subprocess.run([sys.executable, ".ci/sbom.py", path], cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    return path.read_text()


@pytest.fixture(scope="module")
def components(text: str) -> dict[str, Any]:
    return {each["name"].lower().replace("_", "-"): each for each in json.loads(text)["components"]}


def test_it_is_cyclonedx(text: str) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_every_pinned_package_is_in_it_at_its_version(components: dict[str, Any]) -> None:
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if "==" in line and not line.startswith("#")]
    pins = dict(line.split("==") for line in lines)

    assert {name: components[name.split("[")[0].lower().replace("_", "-")]["version"] for name in pins} == pins


def test_what_they_need_and_what_browsers_get_is_in_it(components: dict[str, Any]) -> None:
    assert {"asgiref", "sqlparse", "twisted", "htmx"} <= set(components)
    assert components["htmx"]["components"][0]["hashes"]


def test_every_component_has_a_version_and_a_licence(components: dict[str, Any]) -> None:
    assert [name for name, each in components.items() if not each.get("version") or not each.get("licenses")] == []


@pytest.mark.parametrize("name", ["pytest", "mypy", "playwright", "schemathesis", "cyclonedx-bom"])
def test_what_only_tests_is_not(components: dict[str, Any], name: str) -> None:
    assert name not in components
