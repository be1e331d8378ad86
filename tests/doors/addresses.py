"""Every address that MedQL answers, made from the URL configuration: a new one is there without being named."""

from __future__ import annotations

import re

from tests.access.actors import doors

SAMPLES = {"int": "1", "slug": "north", "uuid": "7f9c24e8-3b12-4fef-91e0-3c6a2f1d5b7a", "str": "P-ADA", "path": "1"}
OF_GROUPS = {"app_label": "accounts", "url": "nowhere"}  # of a regular expression


def every_address() -> list[str]:
    return sorted({"/" + _sample(door.route) for door in doors()})


def _sample(route: str) -> str:
    route = re.sub(r"\(\?P<(\w+)>[^()]*\)", lambda found: OF_GROUPS[found.group(1)], route)
    route = re.sub(r"<(?:(\w+):)?\w+>", lambda found: SAMPLES[found.group(1) or "str"], route)
    return route.removesuffix("\\Z").removesuffix("$")
