"""What a real process answers to requests that nobody should send: 4xx each, and it goes on."""

from __future__ import annotations

import socket

import pytest

from tests.live.processes import PATIENCE, Server, running

pytestmark = pytest.mark.django_db(transaction=True)

LONG = b"x" * 20_000
FORM = b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nA\r\n--b--\r\n'

# The first line, the headers, the body, and the status.
REQUESTS = [
    (b"GET /auth/me", [b"X-Big: " + LONG], b"", 400),
    (b"GET /wards/north/", [b"Cookie: sessionid=" + LONG], b"", 400),
    (b"GET /auth/me", [b"Authorization: Bearer " + LONG], b"", 400),
    (b"POST /api/v1/vitals", [b"X-API-Key: " + LONG], b"[]", 400),
    (b"GET /accounts/login/?next=" + LONG, [], b"", 400),
    (b"GET /wards/" + LONG + b"/", [], b"", 400),
    (b"GET /auth/me", [b"X-%d: y" % number for number in range(1_000)], b"", 400),
    (b"GET /auth/me", [b"Authorization: Bearer " + LONG[:10_000]], b"", 401),
    (b"GET /auth/me", [b"Authorization: Bearer a\0b"], b"", 400),
    (b"GET /auth/me", [b"Authorization: Bearer \xf0\x9f"], b"", 401),
    (b"POST /api/v1/vitals", [b"X-API-Key: \0.\xff"], b"[]", 400),
    (b"GET /wards/north\0/", [], b"", 400),
    (b"GET /wards/%00/", [], b"", 404),
    (b"GET /\xff\xfe", [], b"", 400),
    (b"GET /../../etc/passwd", [], b"", 404),
    (b"GET /static/../../../../etc/passwd", [], b"", 404),
    (b"GET /static/..%2f..%2f..%2f..%2fetc/passwd", [], b"", 404),
    (b"GET /static/..\\..\\medql\\settings.py", [], b"", 404),
    (b"GET http://evil.example/", [], b"", 404),
    (b"CONNECT evil.example:80", [], b"", 404),
    (b"TRACE /auth/login", [], b"", 405),
    (b"POST /auth/login", [b"Content-Length: -1"], b"{}", 400),
    (b"POST /auth/login", [b"Content-Length: 2", b"Content-Length: 3"], b"{}", 400),
    (b"POST /auth/login", [b"Transfer-Encoding: chunked", b"Content-Length: 2"], b"{}", 400),
    (b"POST /auth/login", [b"no header at all"], b"", 400),
    (b"POST /accounts/kiosk/?x=%41", [b"Content-Type: multipart/form-data; boundary=b; charset=zlib"], FORM, 400),
    (b"POST /auth/login?x=%41", [b"Content-Type: application/x-www-form-urlencoded; charset=idna"], b"key=%41", 400),
]


def status(server: Server, line: bytes, headers: list[bytes], body: bytes) -> int:
    length = (
        []
        if any(header.startswith((b"Content-Length", b"Transfer")) for header in headers)
        else [b"Content-Length: %d" % len(body)]
    )
    head = b"\r\n".join([line + b" HTTP/1.1", b"Host: 127.0.0.1", b"Connection: close", *length, *headers])
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as link:
        link.sendall(head + b"\r\n\r\n" + body)
        _, number, _ = link.recv(64).split(b" ", 2)
    return int(number)


def test_each_is_4xx_and_the_process_goes_on(north):
    with running(MEDQL_WATCH="false") as server:
        found = [status(server, line, headers, body) for line, headers, body, _ in REQUESTS]

        assert server.get("/health")[0] == 200
    told = [expected for *_, expected in REQUESTS]
    assert [(line[:60], one, other) for (line, *_), one, other in zip(REQUESTS, found, told, strict=True) if one != other] == []
