"""What a test may need, and when it may be skipped.

On a developer's machine a test is skipped, with the reason, where its browser, service or recordings are not there.
With CI=true a skip is a failure, unless its run was not given what the test needs: no DATABASE_URL or REDIS_URL (the other
run of `.ci/run` has them), or no MEDQL_DATA (not every machine holds the recordings).
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

CI = os.environ.get("CI", "").lower() in {"1", "true"}
RECORDINGS = Path(os.environ.get("MEDQL_DATA") or Path(__file__).parents[2] / "shared" / "data")

LOUDSPEAKER = "--use-fake-device-for-media-stream"  # chromium's, for machines that have none


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


def press() -> bool:
    """WeasyPrint, and Pango on which it stands."""
    return subprocess.run([sys.executable, "-m", "weasyprint", "--info"], capture_output=True, check=False).returncode == 0


NEEDS = {
    "pdf": (press, "no WeasyPrint, or no Pango (apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0)"),
    "curl": (lambda: shutil.which("curl") and shutil.which("jq"), "no curl, or no jq (apt-get install curl jq)"),
    "browser": (chromium, "no chromium (apt-get install chromium)"),
    "recordings": (RECORDINGS.is_dir, f"no recordings in {RECORDINGS} (MEDQL_DATA names them)"),
    "mysql": (lambda: os.environ.get("DATABASE_URL", "").startswith("mysql"), "DATABASE_URL names no MySQL or MariaDB"),
    "redis": (lambda: os.environ.get("REDIS_URL"), "no REDIS_URL"),
}
GIVEN_BY = {"mysql": "DATABASE_URL", "redis": "REDIS_URL", "recordings": "MEDQL_DATA"}


def pytest_runtest_setup(item: pytest.Item) -> None:
    for need in missing(item):
        pytest.skip(NEEDS[need][1])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    excused = any(need in GIVEN_BY and not os.environ.get(GIVEN_BY[need]) for need in missing(item))
    if not excused and not hasattr(report, "wasxfail"):
        _no_skip_in_ci(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _no_skip_in_ci(report)
    return report


def _no_skip_in_ci(report: pytest.TestReport | pytest.CollectReport) -> None:
    if CI and report.skipped:
        report.outcome, report.longrepr = "failed", f"skipped in CI: {report.longrepr}"


def missing(item: pytest.Item) -> list[str]:
    return [need for need, (is_there, _) in NEEDS.items() if item.get_closest_marker(need) and not is_there()]
