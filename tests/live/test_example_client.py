"""The client of docs/examples where a stream ends: cut off, the server away, the session over."""

from __future__ import annotations

import asyncio
import importlib
from pathlib import Path
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from accounts import hashing
from accounts.models import RefreshFamily, TokenSession, User
from monitoring.models import AlertEvent
from monitoring.services import history
from tests.conftest import PASSWORD
from tests.live.processes import PATIENCE, running, wait_until
from tests.live.roads import Road
from tests.world import item, open_alert, unscored

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def example(monkeypatch) -> Any:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "docs" / "examples")
    return importlib.import_module("medql_client")


@pytest.fixture
def alert(noor, ada, gateway, now) -> Any:
    User.objects.filter(pk=noor.pk).update(password=make_password(PASSWORD, hasher=hashing.Argon2()))
    unscored(ada)
    gateway.post([item(ada, now, spo2=84)])
    return open_alert(ada)


@database_sync_to_async
def silence(alert: Any, note: str) -> None:
    history.tell([alert], AlertEvent.What.SILENCED, by=None, at=timezone.now(), note=note)


async def next_note(events: Any) -> str:
    async with asyncio.timeout(PATIENCE):
        async for event in events:
            if event.type == "ALERT_UPDATED":
                return str(event.data["event"]["note"])
    raise AssertionError("the stream ended")


async def begun(medql: Any) -> Any:
    events = medql.events()
    async with asyncio.timeout(PATIENCE):
        async for event in events:
            if event.type == "present":
                return events
    raise AssertionError("the stream ended")


async def test_a_server_that_is_away_for_a_while_costs_it_no_event(example, alert):
    with running() as server:
        road = Road("127.0.0.1", server.port)
        with example.MedQL(f"http://127.0.0.1:{road.port}", "noor", PASSWORD) as medql:
            events = await begun(medql)
            road.close()
            await silence(alert, "while it was away")
            knocks, knock = [], medql._stream
            medql._stream = lambda after: knocks.append(after) or knock(after)
            coming = asyncio.create_task(next_note(events))
            await asyncio.to_thread(wait_until, lambda: len(knocks) > 1, "it has knocked in vain")
            road.open()

            assert await coming == "while it was away"
        road.close()


async def test_a_session_that_is_over_is_followed_by_another(example, alert):
    with running() as server, example.MedQL(server.url, "noor", PASSWORD) as medql:
        events = await begun(medql)
        await database_sync_to_async(TokenSession.objects.update)(expires_at=timezone.now())
        coming = asyncio.create_task(next_note(events))
        await silence(alert, "after the hour")

        assert await coming == "after the hour"


async def test_who_is_nobody_any_more_is_told_so(example, alert):
    with running() as server, example.MedQL(server.url, "noor", PASSWORD) as medql:
        events = await begun(medql)
        await database_sync_to_async(TokenSession.objects.update)(ended_at=timezone.now())
        await database_sync_to_async(RefreshFamily.objects.update)(ended_at=timezone.now())

        with pytest.raises(example.Refused, match="401"):
            await next_note(events)
