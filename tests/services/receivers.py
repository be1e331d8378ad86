"""Real ends for what leaves the house: an SMTP server and an HTTP server on the loopback, well or badly behaved."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

from tests.ports import free_port


@dataclass
class PostOffice:
    """What an SMTP server took, and which mailboxes it refuses with which words."""

    port: int = 0
    letters: list[Message] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.letters.append(message_from_bytes(envelope.content, policy=default))
        return "250 taken"

    def use(self, settings: Any) -> None:
        use_mail_server(settings, self.port)


def use_mail_server(settings: Any, port: int) -> None:
    settings.EMAIL_URL = f"smtp://127.0.0.1:{port}"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port


@contextlib.contextmanager
def post_office() -> Iterator[PostOffice]:
    office = PostOffice(port=free_port())
    controller = Controller(office, hostname="127.0.0.1", port=office.port)
    controller.start()
    try:
        yield office
    finally:
        controller.stop()


@dataclass
class Receiver:
    """An HTTP server that keeps every POST, and answers as it is told."""

    url: str = ""
    posts: list[tuple[Message, bytes]] = field(default_factory=list)
    status: int = 200
    answer_headers: dict[str, str] = field(default_factory=dict)
    refuses: Callable[[bytes], bool] = lambda body: False  # bodies that it cannot read, whatever it answers to others
    arrived: threading.Event = field(default_factory=threading.Event)
    may_answer: threading.Event = field(default_factory=threading.Event)
    holds_at: int = 0  # the POST that is answered only when released; none: as it comes
    held: threading.Event = field(default_factory=threading.Event)

    def hold(self) -> None:
        """Take what comes, and answer only when released."""
        self.may_answer.clear()

    def release(self) -> None:
        self.may_answer.set()

    def ids(self) -> list[str]:
        return [headers["X-MedQL-Delivery"] for headers, _ in self.posts]

    def deliveries(self) -> list[int]:
        """Of every alert that came, however many a POST."""
        return [alert["delivery"] for _, body in self.posts for alert in json.loads(body)["alerts"]]


@contextlib.contextmanager
def receiver(status: int = 200) -> Iterator[Receiver]:
    seen = Receiver(status=status)
    seen.release()

    class Take(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen.posts.append((self.headers, body))
            seen.arrived.set()
            if len(seen.posts) == seen.holds_at:
                seen.hold()
                seen.held.set()
            seen.may_answer.wait(30)
            with contextlib.suppress(OSError):  # whoever asked may be dead by now
                self.send_response(422 if seen.refuses(body) else seen.status)
                for name, value in seen.answer_headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """The tests look at what came, not at a log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Take)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    seen.url = f"http://127.0.0.1:{server.server_port}/hook"
    try:
        yield seen
    finally:
        seen.release()
        server.shutdown()
        server.server_close()
        thread.join(5)


@contextlib.contextmanager
def silent_server() -> Iterator[int]:
    """Somebody who takes every call and never says a word: the port."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent:
        yield silent.getsockname()[1]
