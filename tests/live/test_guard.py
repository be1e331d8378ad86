"""Sockets obey: who signs out, loses a role or a key, or is not there any more, sees no more than he may."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from channels.db import database_sync_to_async
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import access, emergency, keys, service_tokens, sessions, tickets, tokens, visits
from accounts.models import Device, EmergencyAccess, Membership, ServiceToken, Session, TokenSession, User
from monitoring import consumers, feeds, guard
from tests.conftest import signed_in
from tests.live.test_sockets import PATIENCE, Viewer, post, viewer
from tests.world import item

pytestmark = pytest.mark.django_db(transaction=True)

GONE = timedelta(minutes=16)


@pytest.fixture(autouse=True)
def _watchful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "EVERY", 0.1)


@pytest.fixture
def wall(north: Any) -> str:
    """The key of a kiosk in North."""
    device = Device.objects.create(name="WALL-N", kind=Device.Kind.KIOSK)
    device.wards.add(north)
    return keys.issue(device)


def _sql(deed: Any, *args: Any, **kwargs: Any) -> Any:
    return database_sync_to_async(deed)(*args, **kwargs)


def _rewind(**times: Any) -> None:
    Session.objects.update(**times)


async def test_a_board_that_nobody_uses_goes_on_without_names(noor, ada, gateway, now):
    async with await viewer(noor) as watching:
        assert await watching.face() == "named"
        assert "Ada Byron" in await watching.next()

        await _sql(_rewind, seen_at=now - GONE)

        assert await watching.face() == "kiosk"
        faded = await watching.until("A. B.")
        assert "Ada Byron" not in faded and "P-ADA" not in faded
        await post(gateway, item(ada, now, spo2=84))
        drawn = await watching.until("SpO₂ 84 &lt; 85 %")
        assert "Acknowledge" not in drawn and "hx-post" not in drawn


async def test_a_board_that_comes_back_after_its_person_has_gone_has_no_names(noor, north, ada, now):
    browser = await _sql(signed_in, noor)
    await _sql(browser.get, "/wards/north/")
    await _sql(_rewind, seen_at=now - GONE)

    async with Viewer.of(browser) as watching:
        assert await watching.face() == "kiosk"


async def test_not_another_ward_than_the_one_that_was_shown(noor, north, south, now):
    await _sql(Membership.objects.create, user=noor, ward=south, role="nurse")
    browser = await _sql(signed_in, noor)
    await _sql(browser.get, "/wards/north/")
    await _sql(_rewind, seen_at=now - GONE)

    async with Viewer.of(browser, "south") as watching:
        assert await watching.closed_with() == consumers.NOT_SIGNED_IN


@pytest.mark.parametrize("ward", [True, False])
async def test_a_faded_board_ends_with_the_time_of_a_session_and_with_the_person(noor, north, now, ward):
    browser = await _sql(signed_in, noor)
    await _sql(browser.get, "/wards/north/")
    await _sql(_rewind, seen_at=now - GONE)
    async with Viewer.of(browser) as watching:
        assert await watching.face() == "kiosk"

        if ward:
            await _sql(Membership.objects.all().delete)
        else:
            await _sql(_rewind, ended_at=now - settings.SESSION_LIFETIME)

        assert await watching.closed_with() == consumers.NOT_SIGNED_IN


def _sign_out(user: User, browser: Any) -> None:
    browser.post("/accounts/logout/")


def _end_all(user: User, browser: Any) -> None:
    sessions.end_all(user, by=user, at=timezone.now())


def _deactivate(user: User, browser: Any) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def _new_password(user: User, browser: Any) -> None:
    sessions.end_all(user, by=user, at=timezone.now(), why=Session.Ending.PASSWORD)


@pytest.mark.parametrize("deed", [_sign_out, _end_all, _deactivate, _new_password])
async def test_who_signed_out_is_shown_nothing_more(noor, north, deed):
    browser = await _sql(signed_in, noor)
    async with Viewer.of(browser) as watching:
        await watching.next()

        await _sql(deed, noor, browser)

        assert await watching.closed_with() == consumers.NOT_SIGNED_IN


async def test_who_leaves_the_ward_is_shown_nothing_more(noor, north, now):
    async with await viewer(noor) as watching:
        await watching.next()

        await _sql(Membership.objects.update, ends_at=timezone.now())

        assert await watching.closed_with() == consumers.NOT_FOUND


async def test_another_role_has_the_page_load_anew(noor, north, now):
    async with await viewer(noor) as watching:
        await watching.next()

        await _sql(Membership.objects.update, role="viewer")

        assert await watching.closed_with() == consumers.CHANGED


async def test_a_program_in_another_role_asks_again(noor, north):
    watching, _ = await _by_token(noor, by="header")
    async with watching:
        await watching.next()

        await _sql(Membership.objects.update, role="viewer")

        assert await watching.closed_with() in (consumers.CHANGED, consumers.NOT_SIGNED_IN)


async def test_an_emergency_that_is_over_closes_the_board(eve, north, now):
    await _sql(emergency.enter, eve, north, reason="cardiac arrest", at=now)
    async with await viewer(eve) as watching:
        await watching.next()

        await _sql(EmergencyAccess.objects.update, ends_at=timezone.now())

        assert await watching.closed_with() == consumers.NOT_FOUND


async def test_a_wall_shows_initials_and_nothing_to_press(wall, north, ada, gateway, now):
    async with Viewer({settings.KIOSK_COOKIE_NAME: wall}) as watching:
        assert await watching.face() == "kiosk"
        assert "A. B." in await watching.next()

        await post(gateway, item(ada, now, spo2=84))

        drawn = await watching.until("SpO₂ 84 &lt; 85 %")
        assert [word for word in ("Ada Byron", "P-ADA", "Acknowledge", "hx-post") if word in drawn] == []


async def test_a_walls_key_that_is_revoked_closes_the_board(wall, north):
    async with Viewer({settings.KIOSK_COOKIE_NAME: wall}) as watching:
        await watching.next()

        await _sql(keys.revoke, await _sql(Device.objects.get, name="WALL-N"), at=timezone.now())

        assert await watching.closed_with() == consumers.NOT_SIGNED_IN


async def test_a_wall_that_is_moved_to_another_ward_leaves_this_one(wall, north, south):
    async with Viewer({settings.KIOSK_COOKIE_NAME: wall}) as watching:
        await watching.next()

        await _sql((await _sql(Device.objects.get, name="WALL-N")).wards.set, [south])

        assert await watching.closed_with() == consumers.NOT_FOUND


@pytest.mark.parametrize("key", ["", "nonsense", "a.b", "\x00.\x00", "x" * 5000])
async def test_a_wrong_key_opens_nothing(north, key):
    async with Viewer({settings.KIOSK_COOKIE_NAME: key}) as watching:
        assert await watching.closed_with() == consumers.NOT_SIGNED_IN


async def test_a_monitors_key_opens_no_board(gateway, north):
    async with Viewer({settings.KIOSK_COOKIE_NAME: gateway.key}) as watching:
        assert await watching.closed_with() == consumers.NOT_SIGNED_IN


async def test_on_a_wall_one_who_signs_out_leaves_the_wall(noor, wall, north, ada):
    browser = await _sql(signed_in, noor)
    browser.cookies[settings.KIOSK_COOKIE_NAME] = wall
    async with Viewer.of(browser) as watching:
        assert await watching.face() == "named"

        await _sql(sessions.end_all, noor, by=noor, at=timezone.now())

        assert await watching.face() == "kiosk"


async def _by_token(user: User, *, by: str, slug: str = "north") -> tuple[Viewer, str]:
    """A socket of a program that holds a token of this person."""
    pair = await _sql(tokens.sign_in, user, at=timezone.now())
    if by == "header":
        return Viewer({}, slug, authorization=f"Bearer {pair.access_token}"), ""
    ticket = await _sql(lambda: tickets.issue(TokenSession.objects.get(user=user), now=timezone.now()))
    return Viewer({}, f"{slug}/?ticket={ticket}"), ticket


@pytest.mark.parametrize("by", ["header", "ticket"])
async def test_a_program_watches_as_its_person_until_he_signs_out(noor, north, ada, by):
    watching, _ = await _by_token(noor, by=by)
    async with watching:
        assert await watching.face() == "named"
        assert "Ada Byron" in await watching.next()

        await _sql(tokens.sign_out, noor, at=timezone.now())

        assert await watching.closed_with() == consumers.NOT_SIGNED_IN


async def test_a_ticket_opens_one_socket(noor, north):
    watching, ticket = await _by_token(noor, by="ticket")
    async with watching:
        await watching.next()
    async with Viewer({}, f"north/?ticket={ticket}") as again:
        assert await again.closed_with() == consumers.NOT_SIGNED_IN


async def test_a_socket_outlives_the_minutes_of_its_access_token_and_not_its_session(noor, north):
    watching, _ = await _by_token(noor, by="header")
    async with watching:
        await watching.next()
        with time_machine.travel(timezone.now() + timedelta(minutes=5)):
            await watching.pulse()
            await watching.pulse()
        with time_machine.travel(timezone.now() + timedelta(minutes=61)):
            assert await watching.closed_with() == consumers.NOT_SIGNED_IN


async def test_a_token_of_another_ward_opens_nothing(eve, north, south):
    watching, _ = await _by_token(eve, by="header")
    async with watching:
        assert await watching.closed_with() == consumers.NOT_FOUND


async def test_a_service_watches_no_board(north, root):
    key = await _sql(service_tokens.issue, ServiceToken(name="report"), wards=[north], by=root, at=timezone.now())

    async with Viewer({}, authorization=f"Bearer {key}") as watching:
        assert await watching.closed_with() == consumers.NOT_FOUND


@pytest.mark.parametrize("header", ["Bearer", "Bearer x.y.z", "Bearer svc-a.b", "Bearer " + "x" * 6000, "Bearer \0ÿ"])
async def test_a_malformed_token_opens_nothing(north, header):
    async with Viewer({}, authorization=header) as watching:
        assert await watching.closed_with() == consumers.NOT_SIGNED_IN


async def test_a_database_that_does_not_answer_closes_nobody(noor, north, monkeypatch, caplog):
    async with await viewer(noor) as watching:
        await watching.next()

        asked = threading.Semaphore(0)

        def silent(*args: object, **kwargs: object) -> None:
            asked.release()
            raise ConnectionError("the database is away")

        monkeypatch.setattr(visits, "fallen", silent)
        assert await asyncio.to_thread(asked.acquire, timeout=PATIENCE)
        assert await asyncio.to_thread(asked.acquire, timeout=PATIENCE)  # and is asked again

        await watching.pulse()
    assert "could not be looked at" in caplog.text


@pytest.mark.usefixtures("ada", "ben")
def test_forty_sockets_cost_as_many_queries_as_one(noor, dora, root, eve, wall, north, south, now):
    def passes(people: list[User]) -> list[visits.Pass]:
        found = []
        for person in people:
            browser = signed_in(person)
            browser.get("/wards/north/")
            row = Session.objects.filter(user=person).latest("pk")
            found.append(visits.Pass(north, user=person, roles=access.roles_in(person, north), session_id=row.pk))
        return found

    few, many = passes([noor, root]), passes([noor, dora, root] * 10)
    with CaptureQueriesContext(connection) as one:
        assert visits.fallen(few, now=timezone.now()) == set()
    with CaptureQueriesContext(connection) as forty:
        assert visits.fallen(many, now=timezone.now()) == set()

    assert len(forty) == len(one) <= 6
    strangers = passes([eve])
    assert visits.fallen(strangers, now=timezone.now()) == set(strangers)


async def test_the_last_socket_ends_the_guard(noor, north):
    async with await viewer(noor) as watching:
        await watching.next()
        assert len(guard._guards) >= 1
        assert feeds.viewers() == 1

    assert feeds.viewers() == 0
    assert all(not each.sockets for each in guard._guards.values())
