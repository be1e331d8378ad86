"""Who is known and was not let through is written down: 403, and 404, which also means "not yours to see"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.http import HttpRequest
from django.utils import timezone
from django.utils.decorators import sync_and_async_middleware

from accounts import audit, visits
from accounts.models import Device, ServiceToken, User

SECRET = {"token"}  # parts of an address, by their names in the URL configuration
TURNED_AWAY = frozenset({403, 404})


@sync_and_async_middleware
def middleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> Any:
            response = await get_response(request)
            if response.status_code in TURNED_AWAY:
                await sync_to_async(_note)(request, response.status_code)
            return response

        return answer_async

    def answer(request: HttpRequest) -> Any:
        response = get_response(request)
        if response.status_code in TURNED_AWAY:
            _note(request, response.status_code)
        return response

    return answer


def _note(request: HttpRequest, status: int) -> None:
    """An address that leads nowhere is nobody's to refuse, and a stranger is asked who he is."""
    asked, actor = request.resolver_match, _actor(request)
    if asked is None or actor is None:
        return
    audit.refused(
        by=actor,
        at=timezone.now(),
        patient=str(asked.kwargs.get("patient_id", "")),
        about=f"{request.method} {_shown(request.path, asked.kwargs)}",
        detail={"status": status},
    )


def _shown(path: str, named: dict[str, Any]) -> str:
    """The address without what would open a door."""
    for name in SECRET & named.keys():
        path = path.replace(str(named[name]), "…")
    return path


def _actor(request: HttpRequest) -> User | Device | ServiceToken | None:
    """Who the door found out that it is: a device shows itself as `auth`, people and services as `user`."""
    for name in ("auth", "user"):
        found = getattr(request, name, None)
        if isinstance(found, User | Device | ServiceToken):
            return found
    return visits.known(request) if hasattr(request, "user") else None
