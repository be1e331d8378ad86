"""The ward socket: everything first, then what changed, drawn once, healed when a message is lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client
from django.utils import timezone

from accounts.models import User
from medql.asgi import application
from monitoring import board, feeds, realtime
from monitoring.board import Face
from monitoring.services import admissions
from monitoring.services.watching import Tally, beat
from tests.conftest import signed_in
from tests.world import item

pytestmark = pytest.mark.django_db(transaction=True)


PATIENCE = 60


class Viewer:
    """A browser's socket, without the browser."""

    def __init__(self, cookies: Mapping[str, str], path: str = "north", **more: str) -> None:
        """`path` is the ward's slug, perhaps with a query, or another socket's address; `more` are headers."""
        cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        told = {"cookie": cookie, "origin": "http://localhost", "host": "localhost"} | more
        headers = [(name.encode(), value.encode("latin-1")) for name, value in told.items()]
        slug, _, query = path.partition("/?")
        address = slug if slug.startswith("/") else f"/ws/wards/{slug}/"
        self.socket = WebsocketCommunicator(application, f"{address}?{query}", headers=headers)

    @classmethod
    def of(cls, browser: Client, slug: str = "north") -> Viewer:
        return cls({name: morsel.value for name, morsel in browser.cookies.items()}, slug)

    async def __aenter__(self) -> Viewer:
        accepted, _ = await self.socket.connect(timeout=PATIENCE)
        assert accepted
        return self

    async def __aexit__(self, *problem: object) -> None:
        await self.socket.disconnect(timeout=PATIENCE)

    async def next(self) -> str:
        """The next frame that draws something."""
        while True:
            frame = await self.socket.receive_from(timeout=PATIENCE)
            if not frame.startswith("{"):
                return frame

    async def until(self, words: str) -> str:
        async with asyncio.timeout(PATIENCE):
            while True:
                if words in (frame := await self.next()):
                    return frame

    async def pulse(self) -> dict[str, Any]:
        while True:
            frame = await self.socket.receive_from(timeout=PATIENCE)
            if frame.startswith("{"):
                told: dict[str, Any] = json.loads(frame)
                if "pulse" in told:
                    return told

    async def face(self) -> str:
        """The next frame that says with which face the board goes on."""
        while True:
            frame = await self.socket.receive_from(timeout=PATIENCE)
            if frame.startswith("{") and (face := json.loads(frame).get("face")):
                return str(face)

    async def fate(self) -> str:
        """How it is let in: `x` with names, `k` without; or `-` who are you, `4` no such ward."""
        message = await self.socket.receive_output(timeout=PATIENCE)
        if message["type"] == "websocket.close":
            return {4401: "-", 4404: "4"}[message["code"]]
        return {"named": "x", "kiosk": "k"}[json.loads(message["text"]).get("face", "named")]

    async def closed_with(self) -> int:
        while True:
            message = await self.socket.receive_output(timeout=PATIENCE)
            if message["type"] == "websocket.close":
                code: int = message["code"]
                return code


async def post(monitor, *items) -> None:
    answer = await database_sync_to_async(monitor.post)(list(items))
    assert answer.status_code == 202


async def viewer(user: User | None, slug: str = "north") -> Viewer:
    return Viewer.of(await database_sync_to_async(signed_in)(user) if user else Client(), slug)


async def test_first_the_whole_board_then_what_changed(noor, ada, ben, gateway, now):
    async with await viewer(noor) as watching:
        first = await watching.next()
        assert "Ada Byron" in first
        assert "Ben Okri" in first

        await post(gateway, item(ada, now, heart_rate=77))

        changed = await watching.until(">77<")
        assert "Ben Okri" not in changed


async def test_an_alert_arrives_with_its_tile_and_the_rail(noor, ada, gateway, now):
    async with await viewer(noor) as watching:
        await watching.next()

        await post(gateway, item(ada, now, spo2=84))

        frame = await watching.until("SpO₂ 84 &lt; 85 %")
        assert 'hx-target="#rail"' in frame
        assert 'hx-target="#counts"' in frame


async def test_a_pulse_says_that_the_database_answers(noor):
    async with await viewer(noor) as watching:
        assert (await watching.pulse())["pulse"] > 0
        assert (await watching.pulse())["pulse"] > 0


async def test_a_pulse_says_how_long_ago_a_watcher_beat(noor, now):
    async with await viewer(noor) as watching:
        assert "watched" not in await watching.pulse()  # the page said it
        assert (await watching.pulse())["watched"] is None

        await database_sync_to_async(beat)("host:1", started_at=now, tallies=[])
        async with asyncio.timeout(PATIENCE):  # pulses of before may wait to be read
            while (age := (await watching.pulse())["watched"]) is None:
                pass
        assert 0 <= age < PATIENCE

        await database_sync_to_async(beat)("host:1", started_at=now, tallies=[Tally(failing={"alerts.confirm"})])
        async with asyncio.timeout(PATIENCE):
            while (await watching.pulse())["watched"] is not None:
                pass


async def test_a_stranger_is_closed_with_4404(eve, north):
    async with await viewer(eve) as watching:
        assert await watching.closed_with() == 4404


async def test_a_ward_that_is_not_there_is_4404_too(noor):
    async with await viewer(noor, "west") as watching:
        assert await watching.closed_with() == 4404


async def test_who_is_not_signed_in_is_closed_with_4401(north):
    async with await viewer(None) as watching:
        assert await watching.closed_with() == 4401


async def test_a_page_of_another_site_gets_no_socket(noor):
    stranger = await viewer(noor)
    stranger.socket.scope["headers"] = [
        (name, b"https://evil.example" if name == b"origin" else value) for name, value in stranger.socket.scope["headers"]
    ]

    accepted, _ = await stranger.socket.connect(timeout=PATIENCE)

    assert not accepted


async def test_a_program_that_names_no_origin_gets_one(noor):
    program = await viewer(noor)
    program.socket.scope["headers"] = [one for one in program.socket.scope["headers"] if one[0] != b"origin"]

    async with program as watching:
        assert "Bed N1" in await watching.next()


async def test_a_viewer_whose_socket_fails_keeps_nobody_else_from_seeing(noor, ada, gateway, north, now):
    class Dying:
        async def show(self, text: str) -> None:
            raise ConnectionResetError

        async def close(self, code: int) -> None:
            raise AssertionError("it was dropped already")

    async with await viewer(noor) as watching:
        await watching.next()
        feeds.join(north.pk, Face.NAMED, Dying())

        await post(gateway, item(ada, now, heart_rate=77))

        await watching.until(">77<")


async def test_a_feed_that_broke_sends_its_viewers_to_another(noor, north):
    async with await viewer(noor) as watching:
        await watching.pulse()
        feed = feeds._feeds[asyncio.get_running_loop()][north.pk, Face.NAMED]
        feed.task.cancel()

        assert await watching.closed_with() == feeds.TRY_AGAIN
    async with await viewer(noor) as again:
        await again.pulse()


async def test_forty_readings_at_once_are_one_redraw_for_any_number_of_viewers(noor, ada, ben, gateway, now, monkeypatch):
    drawn: list[object] = []
    draw = board.draw

    def counted(ward_id: int, beds: Any = None, **when: Any) -> Any:
        drawn.append(beds)
        return draw(ward_id, beds, **when)

    monkeypatch.setattr(board, "draw", counted)
    monkeypatch.setattr(feeds, "PAUSE", 0.5)
    async with await viewer(noor) as one, await viewer(noor) as two, await viewer(noor) as three:
        for watching in (one, two, three):
            await watching.next()
        drawn.clear()
        began = asyncio.get_running_loop().time()

        for value in range(60, 80):
            await post(gateway, item(ada, heart_rate=value), item(ben, heart_rate=value))

        for watching in (one, two, three):
            await watching.until(">79<")
        pauses = (asyncio.get_running_loop().time() - began) / feeds.PAUSE
    # Twenty posts, three viewers: at most a redraw every PAUSE, not one a post nor one a viewer.
    assert len(drawn) <= pauses + 2


async def test_a_lost_message_is_healed_at_the_next_beat(noor, ada, gateway, now, monkeypatch):
    async def lost(*args: object) -> None:
        return None

    monkeypatch.setattr(realtime, "_send", lost)
    async with await viewer(noor) as watching:
        await watching.next()

        await post(gateway, item(ada, now, spo2=84))

        await watching.until("SpO₂ 84 &lt; 85 %")
    assert feeds.BEAT + feeds.PAUSE < 3  # seconds: the promise


async def test_a_lost_message_between_two_that_arrived_is_healed_too(noor, ada, ben, gateway, now, monkeypatch):
    send = realtime._send

    async def lost(*args: object) -> None:
        return None

    async with await viewer(noor) as watching:
        await watching.next()
        await post(gateway, item(ben, now, heart_rate=61))
        await watching.until(">61<")

        monkeypatch.setattr(realtime, "_send", lost)
        await post(gateway, item(ada, now, heart_rate=62))
        monkeypatch.setattr(realtime, "_send", send)
        await post(gateway, item(ben, heart_rate=63))

        await watching.until(">62<")


async def test_who_comes_back_gets_the_present_state(noor, ada, gateway, now):
    async with await viewer(noor) as watching:
        await watching.next()
    await post(gateway, item(ada, now, spo2=84))

    async with await viewer(noor) as again:
        assert "SpO₂ 84 &lt; 85 %" in await again.next()


async def test_what_was_pushed_is_what_a_fresh_page_shows(noor, ada, gateway, north, now):
    async with await viewer(noor) as watching:
        await watching.next()
        await post(gateway, item(ada, now, spo2=84, heart_rate=70, mean_bp=50))
        pushed = await watching.until("SpO₂ 84")

    _, fresh = await database_sync_to_async(board.draw)(north.pk, now=timezone.now())

    bed = await database_sync_to_async(north.beds.get)(position=1)
    assert fresh[f"bed-{bed.pk}"] in pushed


async def test_while_the_database_is_silent_there_is_no_pulse(noor, monkeypatch):
    def silent(ward_id: int) -> tuple[int, float | None]:
        raise ConnectionError("no database")

    async with await viewer(noor) as watching:
        await watching.pulse()
        monkeypatch.setattr(feeds, "_number_and_beat", silent)

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2.5 * feeds.BEAT):
                await watching.pulse()


async def test_the_last_viewer_ends_the_feed(noor, north):
    async with await viewer(noor) as watching:
        await watching.next()
        assert (north.pk, Face.NAMED) in feeds._feeds[asyncio.get_running_loop()]

    assert (north.pk, Face.NAMED) not in feeds._feeds[asyncio.get_running_loop()]


@pytest.mark.parametrize("fault", ["fails", "hangs"])
async def test_a_channel_layer_that_breaks_keeps_nobody_from_leaving(noor, north, monkeypatch, fault):
    async def broken(*args: object) -> None:
        if fault == "hangs":
            await asyncio.Event().wait()
        raise ConnectionError("the channel layer is down")

    watching = await (await viewer(noor)).__aenter__()
    await watching.next()
    monkeypatch.setattr(feeds.get_channel_layer(), "group_discard", broken)

    task = feeds._feeds[asyncio.get_running_loop()][north.pk, Face.NAMED].task
    await watching.socket.disconnect(timeout=PATIENCE)

    assert task.done()


async def test_a_transfer_redraws_both_wards(noor, eve, ada, south, now):
    async with await viewer(noor) as north_board, await viewer(eve, "south") as south_board:
        await north_board.next()
        await south_board.next()

        await database_sync_to_async(
            lambda: admissions.transfer(ada.admissions.get(), bed=south.beds.get(position=3), by=None, at=timezone.now())
        )()

        assert "Ada Byron" in await south_board.until("Ada Byron")
        assert "empty" in await north_board.next()
