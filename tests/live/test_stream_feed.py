"""The feed of the event stream: it begins and ends with its hearers, and hears of each of their wards."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from channels.db import database_sync_to_async

from monitoring import realtime
from monitoring.stream import feed
from tests.live.streams import PATIENCE, heard_by
from tests.live.test_sockets import post
from tests.world import item, unscored

pytestmark = pytest.mark.django_db(transaction=True)


def _sql(deed: Any, *args: Any, **kwargs: Any) -> Any:
    return database_sync_to_async(deed)(*args, **kwargs)


@pytest.fixture(autouse=True)
def _scores_of_nobody(ada):
    unscored(ada)


async def test_the_last_hearer_ends_the_feed(noor, north):
    async with await heard_by(noor) as stream:
        await stream.begin()
        assert feed.hearers() == 1

    assert feed.hearers() == 0


async def test_who_comes_while_another_goes_hears_every_ward(root, ada, cid, gateway, south, now, monkeypatch):
    await _sql(gateway.device.wards.add, south)
    let_go, is_going, may_go = feed._unsubscribe, asyncio.Event(), asyncio.Event()

    async def slowly(channel: str, ward: int) -> None:
        is_going.set()
        await may_go.wait()
        await let_go(channel, ward)

    monkeypatch.setattr(feed, "_unsubscribe", slowly)
    async with await heard_by(root) as first:
        await first.begin()
        going = asyncio.create_task(first.socket.disconnect(timeout=PATIENCE))
        await is_going.wait()
        async with await heard_by(root) as second:
            await second.begin()
            await second.next("present")
            may_go.set()
            await going

            await post(gateway, item(ada, now, spo2=84), item(cid, now, spo2=83))

            told = [await second.next("ALERT_NEW", "VITAL_NEW") for _ in range(4)]
            assert {(frame["type"], frame["ward"]) for frame in told} == {
                (type, ward) for type in ("ALERT_NEW", "VITAL_NEW") for ward in ("north", "south")
            }


async def test_a_feed_that_broke_sends_its_hearers_to_another(noor, north):
    async with await heard_by(noor) as stream:
        await stream.begin()
        next(iter(feed._feeds.values())).task.cancel()
        assert await stream.closed_with() == feed.TRY_AGAIN
    async with await heard_by(noor) as again:
        await again.begin()


async def _refuses() -> None:
    raise ConnectionError("for a moment")


async def _hangs() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("at_first", [_refuses, _hangs])
async def test_a_ward_that_could_not_be_subscribed_to_is_at_the_next_beat(
    root, ada, cid, gateway, north, south, monkeypatch, at_first
):
    await _sql(gateway.device.wards.add, south)
    layer, tries, is_subscribed = realtime.get_channel_layer(), Counter[str](), asyncio.Event()
    group_add, of_north = layer.group_add, realtime.group_of(north.pk)

    async def not_at_first(group: str, channel: str) -> None:
        tries[group] += 1
        if group == of_north and tries[group] == 1:
            await at_first()
        await group_add(group, channel)
        if group == of_north:
            is_subscribed.set()

    monkeypatch.setattr(layer, "group_add", not_at_first)
    async with await heard_by(root) as stream:
        await stream.begin()
        await stream.next("present")
        await post(gateway, item(cid, heart_rate=70))
        assert (await stream.next("VITAL_NEW"))["ward"] == "south"  # which was not kept from it by the other

        async with asyncio.timeout(PATIENCE):
            await is_subscribed.wait()

        await post(gateway, item(ada, heart_rate=71))
        assert (await stream.next("VITAL_NEW"))["ward"] == "north"
