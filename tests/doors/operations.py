"""Every operation that the API describes, and an address at which Ada's ward answers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.test import Client

from medql.schema import document


@dataclass(frozen=True, slots=True)
class Operation:
    method: str
    path: str
    told: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> list[dict[str, Any]]:
        """What its address may ask for."""
        return [one for one in self.told.get("parameters", []) if one["in"] == "query"]

    @property
    def keys(self) -> set[str]:
        """By which kinds of credentials it is opened."""
        return {kind for one in self.told["security"] for kind in one}

    def send(self, world: World, *, body: str = "", query: str = "", **headers: str) -> Any:
        """By the doctor of Ada's ward, a device of it, or a stranger, whoever may."""
        keys = next((heads for kind, heads in world.keys.items() if kind in self.keys), {})
        address = self.path.format_map(world.names) + (f"?{query}" if query else "")
        return world.client.generic(self.method, address, body, content_type="application/json", headers=keys | headers)


@dataclass
class World:
    names: Mapping[str, str]
    keys: Mapping[str, dict[str, str]]  # by kind of credentials, the first that fits is shown
    client: Client


OPERATIONS = [
    Operation(method.upper(), path, told) for path, methods in document()["paths"].items() for method, told in methods.items()
]
