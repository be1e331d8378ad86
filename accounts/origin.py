"""Where a request comes from: the client's address and the door. Told once at the entrance, asked by whoever writes it down.

A proxy tells the client's address in X-Forwarded-For, each one behind what the former told. The client may have begun that
list himself, so only the last entries are believed: as many as proxies stand in front (MEDQL_PROXIES).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.utils.decorators import sync_and_async_middleware

from accounts.models.audit_entry import Door

FORWARDED = "X-Forwarded-For"
DOORS = {"/api/": Door.API, "/auth/": Door.API, "/admin/": Door.ADMIN, "/load/": Door.ADMIN}


@dataclass(frozen=True, slots=True)
class Origin:
    """`address` is empty where there is none: inside the house."""

    address: str = ""
    door: Door = Door.COMMAND


INSIDE = Origin()
_here: ContextVar[Origin] = ContextVar("origin", default=INSIDE)


def here() -> Origin:
    """Where the work at hand was asked for; outside of any request that is a command of the house."""
    return _here.get()


def network() -> str:
    """Whom to count together: an address, and of IPv6 the /64 that one host has to itself."""
    address = here().address
    return str(ipaddress.ip_network(f"{address}/64", strict=False)) if ":" in address else address


@contextmanager
def told(origin: Origin) -> Iterator[None]:
    """What is done within was asked for from there."""
    token = _here.set(origin)
    try:
        yield
    finally:
        _here.reset(token)


def of_request(request: HttpRequest) -> Origin:
    door = next((door for beginning, door in DOORS.items() if request.path_info.startswith(beginning)), Door.PAGE)
    return Origin(address_of(request), door)


def address_of(request: HttpRequest) -> str:
    """The client's address, as far as it can be believed; empty when the connection has none."""
    return believed(request.META.get("REMOTE_ADDR", ""), request.headers.get(FORWARDED, ""))


def of_socket(scope: dict[str, Any]) -> Origin:
    """Of an ASGI scope, whose headers are pairs of bytes and may come in several lines."""
    name = FORWARDED.lower().encode()
    forwarded = ",".join(value.decode("latin-1") for header, value in scope["headers"] if header.lower() == name)
    peer, _ = scope.get("client") or ("", 0)
    return Origin(believed(peer, forwarded), Door.SOCKET)


def believed(peer: str, forwarded: str) -> str:
    """`peer` opened the connection; of what was `forwarded` counts what the outermost of our proxies saw.

    A list that is too short, or holds no address there, was not written by our proxies: then it is the peer.
    """
    entries = forwarded.split(",")
    if settings.PROXIES and len(entries) >= settings.PROXIES and (seen := _address(entries[-settings.PROXIES])):
        return seen
    return _address(peer)


def _address(text: str) -> str:
    """An address in one spelling, without port, brackets or zone; empty for anything else."""
    text = text.strip()
    host, colon, _ = text.rpartition(":")
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif colon and "." in host and ":" not in host:
        text = host
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


@sync_and_async_middleware
def middleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Every request says where it comes from, before anything else asks."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> Any:
            with told(of_request(request)):
                return await get_response(request)

        return answer_async

    def answer(request: HttpRequest) -> Any:
        with told(of_request(request)):
            return get_response(request)

    return answer


class SocketOrigin:
    """The same for sockets: stands around the ASGI application that serves them."""

    def __init__(self, inner: Callable[..., Awaitable[None]]) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        with told(of_socket(scope)):
            await self.inner(scope, receive, send)
