"""Who may hear the event stream, by what, and for how long."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from channels.db import database_sync_to_async
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import audit, hearings, keys, service_tokens, sessions, tickets, tokens
from accounts.hearings import Hearing
from accounts.models import AuditEntry, Device, Membership, ServiceToken, Session, TokenSession, User
from monitoring import guard
from tests.access.actors import patient_herself
from tests.conftest import signed_in
from tests.live.streams import PATIENCE, Stream, access_token, heard_by
from tests.live.test_sockets import post
from tests.world import item

pytestmark = pytest.mark.django_db(transaction=True)

NOT_SIGNED_IN, NOT_FOUND = 4401, 4404


@pytest.fixture(autouse=True)
def _watchful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "EVERY", 0.1)


def _sql(deed: Any, *args: Any, **kwargs: Any) -> Any:
    return database_sync_to_async(deed)(*args, **kwargs)


def _program(*wards: Any) -> str:
    return service_tokens.issue(ServiceToken(name="report"), wards=wards, by=None, at=timezone.now())


def _ticket(holder: User) -> str:
    access_token(holder)
    return tickets.issue(TokenSession.objects.get(user=holder, ended_at=None), now=timezone.now())


def _browser(user: User) -> dict[str, str]:
    cookie = f"{settings.SESSION_COOKIE_NAME}={signed_in(user).cookies[settings.SESSION_COOKIE_NAME].value}"
    return {"cookie": cookie, "origin": "http://localhost"}


class TestComingIn:
    async def test_by_a_token_in_the_header_or_the_address(self, noor, north):
        token = await _sql(access_token, noor)
        for stream in (Stream(authorization=f"Bearer {token}"), Stream(f"token={token}")):
            async with stream:
                assert (await stream.next())["data"]["wards"] == ["north"]

    async def test_by_a_ticket_once(self, noor, north):
        ticket = await _sql(_ticket, noor)
        async with Stream(f"ticket={ticket}") as stream:
            assert (await stream.next())["type"] == "connect"
        async with Stream(f"ticket={ticket}") as again:
            assert await again.closed_with() == NOT_SIGNED_IN

    async def test_by_a_programs_token_of_its_wards(self, ada, cid, gateway, north, south, now):
        async with Stream(authorization=f"Bearer {await _sql(_program, north)}") as stream:
            assert (await stream.next())["data"]["wards"] == ["north"]
            await stream.begin()
            await post(gateway, item(ada, now, spo2=84))
            assert await stream.alert() == ("ALERT_NEW", "raised")

    async def test_by_a_browsers_session_from_our_own_pages(self, noor, north):
        async with Stream(**await _sql(_browser, noor)) as stream:
            assert (await stream.next())["data"]["wards"] == ["north"]

    async def test_not_from_another_site(self, noor, north):
        elsewhere = await _sql(_browser, noor) | {"origin": "https://evil.example"}
        accepted, _ = await Stream(**elsewhere).socket.connect(timeout=PATIENCE)
        assert not accepted

    @pytest.mark.parametrize(
        "query", ["", "token=", "token=x.y.z", "token=svc-a.b", "ticket=x", "token=%00", "&".join("a" * 3000)]
    )
    async def test_nobody_else(self, north, query):
        async with Stream(query) as stream:
            assert await stream.closed_with() == NOT_SIGNED_IN

    async def test_no_wall_and_no_device(self, north, gateway):
        wall = await _sql(Device.objects.create, name="WALL", kind=Device.Kind.KIOSK)
        await _sql(wall.wards.add, north)
        key = await _sql(keys.issue, wall)
        carried = [{"cookie": f"{settings.KIOSK_COOKIE_NAME}={key}"}, {"x-api-key": gateway.key}]
        for headers in [*carried, {"authorization": f"Bearer {gateway.key}"}]:
            async with Stream(**headers) as stream:
                assert await stream.closed_with() == NOT_SIGNED_IN

    async def test_who_works_in_no_ward_finds_nothing_and_that_is_written_down(self, ada):
        herself = await _sql(patient_herself, ada)
        async with await heard_by(herself) as stream:
            assert await stream.closed_with() == NOT_FOUND
        await _sql(audit.flush)
        assert await _sql(AuditEntry.objects.filter(what="refused", about="socket /ws").count) == 1


class TestStaying:
    async def test_who_signs_out_hears_nothing_more(self, noor, north):
        async with await heard_by(noor) as stream:
            await stream.begin()
            await _sql(tokens.sign_out, noor, at=timezone.now())
            assert await stream.closed_with() == NOT_SIGNED_IN

    async def test_nor_whose_browser_was_signed_out(self, noor, north):
        async with Stream(**await _sql(_browser, noor)) as stream:
            await stream.begin()
            await _sql(sessions.end_all, noor, by=noor, at=timezone.now())
            assert await stream.closed_with() == NOT_SIGNED_IN

    async def test_nor_a_program_whose_token_is_revoked(self, north):
        async with Stream(authorization=f"Bearer {await _sql(_program, north)}") as stream:
            await stream.begin()
            await _sql(lambda: service_tokens.revoke(ServiceToken.objects.get(), by=None, at=timezone.now()))
            assert await stream.closed_with() == NOT_SIGNED_IN

    async def test_it_outlives_the_access_token_and_not_its_session(self, noor, ada, gateway, now):
        async with await heard_by(noor) as stream:
            await stream.begin()
            with time_machine.travel(now + timedelta(minutes=5)):
                await post(gateway, item(ada, spo2=84))
                assert await stream.alert() == ("ALERT_NEW", "raised")
            with time_machine.travel(now + timedelta(minutes=61)):
                assert await stream.closed_with() == NOT_SIGNED_IN

    async def test_who_leaves_the_only_ward_is_sent_away(self, noor, north):
        async with await heard_by(noor) as stream:
            await stream.begin()
            await _sql(Membership.objects.update, ends_at=timezone.now())
            assert await stream.closed_with() == NOT_FOUND

    async def test_who_leaves_one_of_two_hears_the_other(self, noor, ada, cid, gateway, north, south, now):
        await _sql(gateway.device.wards.add, south)
        work = await _sql(Membership.objects.create, user=noor, ward=south, role="nurse")
        async with await heard_by(noor) as stream:
            assert (await stream.next("connect"))["data"]["wards"] == ["north", "south"]
            await stream.begin()

            await _sql(Membership.objects.filter(pk=work.pk).update, ends_at=timezone.now())

            assert (await stream.next("connect"))["data"]["wards"] == ["north"]
            await post(gateway, item(cid, now, spo2=84), item(ada, now, spo2=84))
            assert (await stream.next("ALERT_NEW"))["patient_id"] == "P-ADA"

    async def test_who_comes_to_another_ward_hears_it_from_its_present_state(self, noor, cid, gateway, north, south, now):
        await _sql(gateway.device.wards.add, south)
        await post(gateway, item(cid, now, spo2=84))
        async with await heard_by(noor) as stream:
            await stream.begin()

            await _sql(Membership.objects.create, user=noor, ward=south, role="viewer")

            assert (await stream.next("present"))["ward"] == "south"
            await post(gateway, item(cid, spo2=97))
            assert (await stream.alert())[1] == "returned"


@pytest.mark.usefixtures("ada")
def test_forty_streams_cost_as_many_queries_as_one(noor, dora, root, eve, north, south):
    def entries(people: list[User]) -> list[Hearing]:
        found = []
        for person in people:
            access_token(person)
            signed_in(person)
            by_token = Hearing(person, token_id=TokenSession.objects.get(user=person, ended_at=None).pk)
            by_browser = Hearing(person, session_id=Session.objects.filter(user=person).latest("pk").pk)
            found += [hearings.again(each, now=timezone.now()) for each in (by_token, by_browser)]
        return found

    _program(north, south)
    program = hearings.again(Hearing(ServiceToken.objects.get(), service_id=ServiceToken.objects.get().pk), now=timezone.now())
    few, many = [*entries([noor, root]), program], [*entries([noor, dora, root, eve] * 5), program]
    with CaptureQueriesContext(connection) as one:
        assert hearings.fallen(few, now=timezone.now()) == set()
    with CaptureQueriesContext(connection) as forty:
        assert hearings.fallen(many, now=timezone.now()) == set()

    assert len(forty) == len(one) <= 8
