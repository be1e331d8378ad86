"""Words that occur nowhere else, and every place outside of the screens where somebody could come across them."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Collection, Iterator
from html import unescape
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from django.apps import apps
from django.conf import settings
from django.db import connection, models
from redis import Redis

from accounts.models import User
from tests.conftest import signed_in
from tests.live.processes import PATIENCE, Server

NAME, NEW_NAME = "Zyxwvut Qolpin", "Zyxwvut Marfenk"
HISTORY, PHONE, RELATIVE = "Brulgosis since birth", "0770 4718293", "Vexolina"
SECRETS = ("zyxwvut", "qolpin", "marfenk", "brulgosis", "4718293", "vexolina")

ADDRESSES = re.compile(r'\s(?:href|src|action|formaction|hx-[a-z-]+|data-[a-z-]+|ws-connect)="([^"]*)"')
# What would leave or change something: a crawler does not go there.
NO_WAY = re.compile(r"/(logout|leave|delete|jsi18n|static)\b|\.(js|css|svg|png|ico)$")
OVER = "that was all"


def found_in(text: str) -> set[str]:
    """Which of the secrets stand there, also in the spelling of an address."""
    plain = f"{text}\n{unquote(text)}".lower()
    return {secret for secret in SECRETS if secret in plain}


class Desk:
    """The browser of one person: `addresses` is every address that its pages, headers and redirects named."""

    def __init__(self, server: Server, person: User) -> None:
        self.url, self.http, self.addresses = server.url, requests.Session(), set[str]()
        self.http.cookies["sessionid"] = signed_in(person).cookies["sessionid"].value

    @property
    def cookies(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())

    def get(self, path: str) -> requests.Response:
        return self._noted(self.http.get(self.url + path, timeout=PATIENCE))

    def post(self, path: str, form: dict[str, Any]) -> requests.Response:
        headers = {"X-CSRFToken": self.http.cookies.get("csrftoken") or "", "Referer": self.url + path}
        return self._noted(self.http.post(self.url + path, form, headers=headers, timeout=PATIENCE))

    def walk(self, *starts: str) -> dict[str, str]:
        """Every page that can be reached from these by links: path → what it says."""
        pages: dict[str, str] = {}
        ways = list(starts)
        while ways:
            way = ways.pop()
            path = urlsplit(way).path
            if path in pages or NO_WAY.search(path):
                continue
            answer = self.get(way)
            assert answer.status_code in {200, 404, 405}, (way, answer.status_code)
            pages[path] = answer.text
            if "html" in answer.headers.get("Content-Type", ""):
                ways += [f"{path}{each}" if each.startswith("?") else each for each in _links(answer.text)]
        return pages

    def _noted(self, answer: requests.Response) -> requests.Response:
        for each in (*answer.history, answer):
            self.addresses |= {each.url, *each.headers.values()}
        self.addresses |= {unescape(address) for address in ADDRESSES.findall(answer.text)}
        return answer


def _links(page: str) -> list[str]:
    hrefs = (unescape(href) for href in re.findall(r'<a\b[^>]*\shref="([^"#]+)', page))
    return [href for href in hrefs if re.match(r"(/(?!/)|\?)", href)]


def columns_with_secrets() -> set[str]:
    """Every column of the database in which a secret can be read."""
    return {
        f"{model._meta.label_lower}.{name}"
        for model in apps.get_models()
        for row in model._base_manager.values()
        for name, value in row.items()
        if found_in(str(value))
    }


@contextlib.contextmanager
def heard_of_redis() -> Iterator[list[str]]:
    """Every command that Redis gets meanwhile, from whomever; none where there is no Redis."""
    heard: list[str] = []
    if not settings.REDIS_URL:
        yield heard
        return
    with Redis.from_url(settings.REDIS_URL) as redis, redis.monitor() as monitor:
        ear = threading.Thread(target=_listen, args=(monitor, heard), daemon=True)
        ear.start()
        yield heard
        redis.echo(OVER)
        ear.join(PATIENCE)
        assert not ear.is_alive()


def _listen(monitor: Any, heard: list[str]) -> None:
    for told in monitor.listen():
        heard.append(told["command"])
        if OVER in told["command"]:
            return


@contextlib.contextmanager
def gone(tables: Collection[type[models.Model]]) -> Iterator[None]:
    """These tables are not there: whoever asks for one meets a real fault of the database."""
    names = [connection.ops.quote_name(model._meta.db_table) for model in tables]
    away = [connection.ops.quote_name(f"{model._meta.db_table}_gone") for model in tables]
    _rename(names, away)
    try:
        yield
    finally:
        _rename(away, names)


def _rename(these: list[str], those: list[str]) -> None:
    with connection.cursor() as cursor:
        for this, that in zip(these, those, strict=True):
            cursor.execute(f"ALTER TABLE {this} RENAME TO {that}")
