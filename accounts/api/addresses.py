"""Addresses of the API: each answers with and without a slash at its end, and is told without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern
from django.urls.resolvers import RoutePattern


class EitherWay(RoutePattern):
    """A route that takes one slash more at its end than it says."""

    def match(self, path: str) -> Any:
        return super().match(path.removesuffix("/"))


def door(route: str, view: Callable[..., Any], *, name: str) -> URLPattern:
    """As Django's `path`, with and without a slash at the end."""
    return URLPattern(EitherWay(route, name=name, is_endpoint=True), view, {}, name)
