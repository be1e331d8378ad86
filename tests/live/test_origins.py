"""From where a socket may be opened, and what becomes of requests that no browser would send: clear answers, soon."""

from __future__ import annotations

import json
import socket

import pytest
from channels.testing import WebsocketCommunicator

from medql.asgi import application
from medql.sockets import is_ours
from tests.live.processes import PATIENCE, Server, running
from tests.world import item


def scope(origin: str | None, host: str = "ward.example.org", scheme: str = "ws", **headers: str) -> dict:
    named = {"host": host} | ({} if origin is None else {"origin": origin}) | headers
    pairs = [(name.lower().encode(), value.encode()) for name, value in named.items()]
    return {"type": "websocket", "path": "/ws/wards/north/", "query_string": b"", "scheme": scheme, "headers": pairs}


class TestOrigins:
    @pytest.fixture(autouse=True)
    def _hosts(self, settings):
        settings.ALLOWED_HOSTS = ["ward.example.org", "localhost"]

    @pytest.mark.parametrize(
        ("origin", "ours"),
        [
            ("http://ward.example.org", True),
            (None, True),  # a program
            ("https://ward.example.org", False),
            ("http://ward.example.org:8001", False),
            ("http://localhost", False),  # ours as well, but not the one that was asked
            ("http://evil.example.org", False),
            ("http://ward.example.org.evil.org", False),
            ("http://evil.org#ward.example.org", False),
            ("null", False),
            ("", False),
            ("ward.example.org", False),
            ("http://[", False),
            ("http://ward.example.org/\0", False),
        ],
    )
    def test_scheme_host_and_port_are_those_of_the_page(self, origin, ours):
        assert is_ours(scope(origin)) == ours

    @pytest.mark.parametrize(("origin", "ours"), [("https://ward.example.org", True), ("http://ward.example.org", False)])
    def test_behind_a_proxy_that_ends_tls(self, settings, origin, ours):
        settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

        assert is_ours(scope(origin, **{"X-Forwarded-Proto": "https"})) == ours

    def test_behind_a_proxy_that_changes_the_host(self, settings):
        settings.CSRF_TRUSTED_ORIGINS = ["https://north.example.org"]

        assert is_ours(scope("https://north.example.org", host="localhost"))
        assert not is_ours(scope("https://south.example.org", host="localhost"))

    @pytest.mark.parametrize("host", ["evil.example.org", "", "ward.example.org\0", "ward.example.org/"])
    def test_another_host_is_none_of_ours(self, host):
        assert not is_ours(scope(None, host=host))

    def test_nor_are_two_at_once(self):
        two = scope("http://ward.example.org")
        two["headers"].append((b"Origin", b"http://evil.example.org"))

        assert not is_ours(two)

    @pytest.mark.parametrize("path", ["/ws/wards/north/", "/ws", "/ws/nowhere"])
    async def test_a_foreign_page_is_not_even_let_in(self, path):
        asked = scope("http://evil.example.org")
        stranger = WebsocketCommunicator(application, path, headers=asked["headers"])

        accepted, _ = await stranger.connect(timeout=PATIENCE)

        assert not accepted


@pytest.fixture(scope="class")
def server(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), running() as server:
        yield server


def raw(server: Server, sent: bytes, patience: float = PATIENCE) -> bytes:
    """What comes back for these bytes, until the server closes or falls silent."""
    with socket.create_connection(("127.0.0.1", server.port), patience) as line:
        line.sendall(sent)
        told = b""
        try:
            while part := line.recv(65536):
                told += part
                if b"\r\n\r\n" in told:
                    break
        except ConnectionResetError:
            pass
    return told


def status(told: bytes) -> int:
    assert told.startswith(b"HTTP/1.1 "), told[:80]
    return int(told[9:12])


def ask(path: str, *lines: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *lines, "", ""]).encode("latin-1")


KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
UPGRADE = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", KEY)


@pytest.mark.django_db(transaction=True)
class TestTricks:
    @pytest.mark.parametrize(
        "path",
        [
            "/wards/%00/",
            "/wards/north%00/",
            "/wards/..%2f..%2fetc%2fpasswd/",
            "/static/..%2f..%2fmedql%2fsettings.py",
            "/static/../medql/settings.py",
            "/static/%2e%2e/%2e%2e/medql/settings.py",
            "/static/..%5c..%5cmedql%5csettings.py",
            "/static/%00",
            "/static/board.js%00.css",
            "/static/" + "a/" * 2000,
            "/static//etc/passwd",
            "/static/%c0%ae%c0%ae/medql/settings.py",
            "/static/" + "a" * 5000,
            "//evil.example.org/",
            "//evil.example.org/%2e%2e",
            "/%5cevil.example.org",
            "/%2f%2fevil.example.org",
            "/%c0%af",
            "/%ff%fe",
            "/api/v1/patients/%00/thresholds",
            "/api/v1/patients/..%2f..%2fadmin/thresholds",
            "/alerts/%00/acknowledge",
            "/admin/%00/",
            "/.env",
            "/.git/config",
            "/wards/north/?q=\xe9",
            "/\xe9",
        ],
    )
    def test_a_path_that_tricks_is_4xx(self, server, path):
        told = raw(server, ask(path))

        assert status(told) in (302, 400, 401, 404), told[:200]
        if status(told) == 302:
            (where,) = [line for line in told.split(b"\r\n") if line.lower().startswith(b"location:")]
            assert where.split(b":", 1)[1].strip().startswith((b"/accounts/login/", b"/admin/login/"))
        assert b"SECRET_KEY" not in told

    @pytest.mark.parametrize(
        "lines",
        [
            ("X-Long: " + "x" * 20_000,),
            ("Cookie: sessionid=" + "x" * 20_000,),
            ("X-API-Key: " + "x" * 1_000_000,),
            tuple(f"X-{place}: 1" for place in range(600)),
            ("X-Null: a\0b",),
            ("X-Bad\x01Name: 1",),
            ("Content-Length: -1",),
            ("Content-Length: many",),
            ("Content-Length: 5", "Content-Length: 6"),
            ("Transfer-Encoding: chunked", "Content-Length: 5"),
            ("Transfer-Encoding: gzip, chunked, nonsense",),
            *((*UPGRADE, "X-Long: " + "x" * 20_000),),
            *((*UPGRADE, *(f"X-{place}: 1" for place in range(600))),),
        ],
        ids=lambda lines: lines[-1][:24].replace("\0", "0"),
    )
    def test_headers_that_no_browser_sends_are_4xx_and_no_hang(self, server, lines):
        told = raw(server, ask("/health", *lines))

        assert told == b"" or 400 <= status(told) < 500

    def test_a_request_line_without_end(self, server):
        told = raw(server, b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")

        assert told == b"" or 400 <= status(told) < 500

    @pytest.mark.parametrize("cookie", ["sessionid=\x7f\x80", "sessionid=" + "%00" * 9, "=", ";;;", "sessionid=a; sessionid=b"])
    def test_cookies_that_say_nothing(self, server, cookie):
        assert status(raw(server, ask("/wards/north/", f"Cookie: {cookie}"))) in (302, 400)

    @pytest.mark.parametrize("host", ["evil.example.org", "127.0.0.1@evil.org", "127.0.0.1/../x", ""])
    def test_a_host_that_is_not_ours_is_400(self, server, host):
        told = raw(server, ask("/accounts/login/").replace(b"Host: 127.0.0.1", f"Host: {host}".encode()))

        assert status(told) == 400

    @pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND"])
    def test_methods_of_other_houses(self, server, method):
        assert 400 <= status(raw(server, ask("/accounts/login/", "Content-Length: 0", method=method))) < 500

    def test_a_body_that_is_announced_too_large_is_413_before_it_comes(self, server, ada, gateway):
        key = f"X-API-Key: {gateway.key}"

        told = raw(server, ask("/api/v1/vitals", key, "Content-Length: 6000000", method="POST") + b"[" + b" " * 5_999_999)

        assert status(told) == 413
        assert json.loads(told.partition(b"\r\n\r\n")[2] or b"{}").get("code", "too_large") == "too_large"

    def test_and_after_all_of_it_the_door_is_open(self, server, ada, gateway, now):
        body = json.dumps([item(ada, now, spo2=97)]).encode()

        assert server.post("/api/v1/vitals", body, **{"X-API-Key": gateway.key})[0] == 202


@pytest.mark.django_db(transaction=True)
def test_behind_a_proxy_that_ends_tls_cookies_are_bound_to_the_host(db):
    with running(MEDQL_HTTPS="true") as server:
        plain = raw(server, ask("/accounts/login/"))
        told = raw(server, ask("/accounts/login/", "X-Forwarded-Proto: https")).decode()

    assert status(plain) == 301
    assert b"location: https://127.0.0.1/accounts/login/" in plain.lower()
    assert "strict-transport-security: max-age=31536000; includesubdomains; preload" in told.lower()
    (cookie,) = [line for line in told.split("\r\n") if line.lower().startswith("set-cookie:")]
    assert cookie.split(":", 1)[1].strip().startswith("__Host-csrftoken=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}
    assert "domain" not in cookie.lower()
