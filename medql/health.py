"""Is MedQL well? Asked by whoever runs it: a supervisor, a Prometheus, a person. No answer holds a secret or a patient."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from accounts import chain
from medql import exposition
from monitoring.models import WatcherBeat
from monitoring.services import auditing
from monitoring.services.watching import MISSED_AFTER

log = logging.getLogger(__name__)

PATIENCE = 1.0  # seconds for the channel layer


class Unwell(Exception):
    """A part of MedQL does not do its work; the sentence says which."""


@require_safe
@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """The process answers; nothing else is asked."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """Every part by name. 503 without the database or with tables of another version; anything else only degrades."""
    needed = {"database": _sentence(_ask_database)}
    needed["migrations"] = _sentence(_compare_migrations) if not needed["database"] else "Not known without the database."
    others = {
        "channel_layer": _sentence(_exercise_channel_layer),
        "watcher": _sentence(_look_for_watcher) if not needed["database"] else "Not known without the database.",
        "audit": _sentence(_look_at_audit) if not any(needed.values()) else "Not known without the database and its tables.",
    }
    unwell = needed | others
    parts = {
        name: {"status": "fault" if fault else "ok"} | ({"detail": fault} if fault else {}) for name, fault in unwell.items()
    }
    if any(needed.values()):
        fault = {"detail": " ".join(filter(None, needed.values())), "code": "not_ready"}
        status = {"status": "unavailable", "parts": parts} | fault
        return JsonResponse(status, status=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": "5"})
    return JsonResponse({"status": "degraded" if any(others.values()) else "ok", "parts": parts})


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """The figures of this installation for a Prometheus with the token, or for staff."""
    if not (_has_token(request) or _is_staff(request)):
        refusal = {"detail": "Sign in as staff, or send the metrics token as a bearer.", "code": "not_authenticated"}
        return JsonResponse(refusal, status=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})
    return HttpResponse(exposition.text(), content_type=CONTENT_TYPE_LATEST)


def _has_token(request: HttpRequest) -> bool:
    scheme, _, told = request.headers.get("Authorization", "").partition(" ")
    wanted = settings.METRICS_TOKEN
    return bool(wanted) and scheme.lower() == "bearer" and secrets.compare_digest(told.strip().encode(), wanted.encode())


def _is_staff(request: HttpRequest) -> bool:
    return request.user.is_active and request.user.is_staff


def _sentence(ask: Callable[[], Any]) -> str:
    """What is wrong with a part, in words that name no host and no account; nothing when it is well."""
    try:
        ask()
    except Unwell as fault:
        return str(fault)
    return ""


def _ask_database() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        log.warning("the database did not answer", exc_info=True)
        raise Unwell("The database does not answer.") from None


def _compare_migrations() -> None:
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error:
        log.warning("the migrations could not be read", exc_info=True)
        raise Unwell("The migrations cannot be read.") from None
    if pending:
        raise Unwell(f"Migrations are pending ({len(pending)}): run manage.py migrate.")


def _exercise_channel_layer() -> None:
    try:
        async_to_sync(_send_and_receive)()
    except Exception:  # whatever the layer's driver raises, and the time-out
        log.warning("the channel layer did not carry a message", exc_info=True)
        raise Unwell("The channel layer carries no messages: boards follow within 3 s instead of at once.") from None


async def _send_and_receive() -> None:
    layer = get_channel_layer()
    async with asyncio.timeout(PATIENCE):
        channel = await layer.new_channel()
        await layer.send(channel, {"type": "probe"})
        await layer.receive(channel)
    # The layer gives a channel up only when who waits for it is cancelled.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0):
            await layer.receive(channel)


def _look_for_watcher() -> None:
    try:
        beats = list(WatcherBeat.objects.aged().filter(age__lte=MISSED_AFTER).values_list("failing", flat=True))
        age = WatcherBeat.objects.aged().order_by("age").values_list("age", flat=True).first()
    except Error:
        raise Unwell("The watcher's beats cannot be read.") from None
    if not beats:
        since = f"for {age.total_seconds():.0f} s" if age else "yet"
        raise Unwell(f"No watcher has beaten {since}: delayed alarms, lost signals and escalation do not come.")
    if all(beats):
        raise Unwell(f"Steps of the watcher fail: {', '.join(sorted(set(beats)))}.")


def _look_at_audit() -> None:
    try:
        late = chain.is_late(now=timezone.now())
    except Error:
        raise Unwell("The audit cannot be read.") from None
    if late:
        raise Unwell(auditing.SENTENCE)
