"""Whose address it is, as far as it can be believed."""

import asyncio

import pytest
from django.test import RequestFactory

from accounts import origin
from accounts.models import Door

PEER = "10.0.0.9"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "", PEER),
        (0, "203.0.113.7", PEER),  # nobody stands in front: a client wrote that
        (1, "", PEER),
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "1.2.3.4, 203.0.113.7", "203.0.113.7"),  # a client wrote the first, the proxy the second
        (1, "1.2.3.4,203.0.113.7:51000", "203.0.113.7"),
        (1, "[2001:db8::7]:443", "2001:db8::7"),
        (1, "2001:0DB8:0::7", "2001:db8::7"),
        (1, "::ffff:203.0.113.7", "203.0.113.7"),
        (1, "fe80::1%\r\nforged", "fe80::1"),
        (1, "unknown", PEER),
        (1, "1.2.3.4,", PEER),
        (2, "1.2.3.4, 203.0.113.7, 192.0.2.1", "203.0.113.7"),
        (2, "203.0.113.7", PEER),  # it did not pass both
    ],
)
def test_only_what_our_proxies_saw_is_believed(settings, proxies, forwarded, address):
    settings.PROXIES = proxies

    assert origin.believed(PEER, forwarded) == address


def test_a_socket_that_is_no_network_has_no_address(settings):
    settings.PROXIES = 0

    assert origin.believed("", "203.0.113.7") == origin.believed("/run/medql.sock", "") == ""


@pytest.mark.parametrize(
    ("path", "door"),
    [("/wards/north/", "page"), ("/api/v1/vitals", "api"), ("/auth/login", "api"), ("/admin/", "admin"), ("/load/", "admin")],
)
def test_the_door_is_known_by_the_path(path, door):
    request = RequestFactory().get(path)

    assert origin.middleware(lambda _: origin.here())(request) == origin.Origin("127.0.0.1", door)
    assert origin.here() == origin.Origin("", "command")


def test_an_asynchronous_answer_knows_it_too():
    async def answer(request):
        return origin.here()

    assert asyncio.run(origin.middleware(answer)(RequestFactory().get("/"))) == origin.Origin("127.0.0.1", "page")


def test_a_socket_says_where_it_comes_from(settings):
    settings.PROXIES = 1
    lines = [(b"x-forwarded-for", b"1.2.3.4"), (b"host", b"ward"), (b"X-Forwarded-For", b"203.0.113.7")]
    seen = []

    async def inner(scope, receive, send):
        seen.append(origin.here())

    asyncio.run(origin.SocketOrigin(inner)({"type": "websocket", "headers": lines, "client": (PEER, 5)}, None, None))
    asyncio.run(origin.SocketOrigin(inner)({"type": "websocket", "headers": [], "client": None}, None, None))

    assert seen == [origin.Origin("203.0.113.7", Door.SOCKET), origin.Origin("", Door.SOCKET)]
