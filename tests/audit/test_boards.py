"""Who watched a board, by page and by socket, and who was turned away at one."""

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import audit, looks
from tests.audit.trail import trail
from tests.conftest import signed_in
from tests.live.test_sockets import Viewer

FIELDS = ("who", "what", "ward__slug", "about", "door", "detail")


def test_a_board_that_is_opened_anew_is_one_look(noor, ada):
    browser = signed_in(noor)
    for _ in range(3):
        browser.get("/wards/north/")

    assert trail(*FIELDS) == [("noor", "saw", "north", "page:board", "page", {})]


@pytest.mark.parametrize("path", ["/wards/north/", "/api/v1/patients/P-ADA/thresholds"])
def test_being_watched_costs_no_query(noor, ada, monkeypatch, path):
    browser = signed_in(noor)

    def queries():
        looks.buffer.forget()
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(path).status_code == 200
        return len(asked)

    queries()
    with_it = queries()
    assert len(looks.buffer) == 1
    monkeypatch.setattr(audit, "saw", lambda **told: None)

    assert queries() == with_it


@pytest.mark.django_db(transaction=True)
class TestSockets:
    async def test_a_socket_that_shows_a_board(self, noor, ada):
        browser = await sync_to_async(signed_in)(noor)
        async with Viewer.of(browser) as viewer:
            await viewer.next()

        assert await sync_to_async(trail)(*FIELDS) == [("noor", "saw", "north", "page:board", "socket", {})]

    async def test_a_socket_to_another_ward(self, eve, ada):
        browser = await sync_to_async(signed_in)(eve)
        async with Viewer.of(browser) as viewer:
            assert (await viewer.socket.receive_output(5))["code"] == 4404

        assert await sync_to_async(trail)(*FIELDS) == [
            ("eve", "refused", None, "socket /ws/wards/north/", "socket", {"code": 4404})
        ]

    async def test_a_stranger_leaves_none(self, ada):
        async with Viewer({}) as viewer:
            assert (await viewer.socket.receive_output(5))["code"] == 4401

        assert await sync_to_async(trail)("pk") == []
