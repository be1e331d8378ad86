"""The chart as PDF, where WeasyPrint is installed: MedQL runs without it, and a browser prints as well.

It is made by a process of its own, since drawing takes a processor for seconds: nobody's readings wait for that.
"""

from __future__ import annotations

import subprocess
import sys
from functools import cache

from django.contrib.staticfiles import finders

STYLE = "monitoring/chart.css"
PATIENCE = 60.0  # seconds


class Failed(Exception):
    """It took too long, or the press broke."""


@cache
def is_there() -> bool:
    """WeasyPrint, and Pango on which it stands."""
    try:
        return _press("--info").returncode == 0
    except Failed:
        return False


def printed(html: str) -> bytes:
    """The page as PDF, with the style of the chart. Raises Failed."""
    made = _press("--quiet", "--stylesheet", str(finders.find(STYLE)), "-", "-", given=html.encode())
    if made.returncode:
        raise Failed(made.stderr.decode(errors="replace")[-500:])
    return made.stdout


def _press(*told: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "weasyprint", *told]
    try:
        return subprocess.run(command, input=given, capture_output=True, timeout=PATIENCE, check=False)  # noqa: S603  (our words)
    except subprocess.TimeoutExpired as reason:
        raise Failed(f"not within {PATIENCE:g} s") from reason
