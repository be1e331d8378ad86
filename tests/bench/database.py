"""A database of its own for a measurement: MySQL or MariaDB, made and dropped by it. Import it before anything of MedQL.

DATABASE_URL names the server, by default root's on the loopback; whatever database it names is left alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

NAME = "medql_bench"
SERVER = os.environ.get("DATABASE_URL") or "mysql://root@127.0.0.1:3306/"
os.environ["DATABASE_URL"] = f"{SERVER.rpartition('/')[0]}/{NAME}"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medql.settings")

import django  # noqa: E402  (the settings are read when it is set up)

django.setup()

import MySQLdb  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402

from accounts import looks  # noqa: E402


@contextmanager
def made() -> Iterator[None]:
    """It is gone when the measurement is over, however that ended."""
    settings.LOOKS_EVERY = 0  # nobody writes the trail while the clock runs
    settings.ALLOWED_HOSTS = ["testserver"]
    _on_server(f"DROP DATABASE IF EXISTS {NAME}")  # of one that was killed
    _on_server(f"CREATE DATABASE {NAME} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
    try:
        call_command("migrate", verbosity=0)
        yield
    finally:
        looks.buffer.forget()
        connections.close_all()
        _on_server(f"DROP DATABASE {NAME}")


def _on_server(statement: str) -> None:
    server = settings.DATABASES["default"]
    link = MySQLdb.connect(
        host=server["HOST"], port=int(server["PORT"] or 3306), user=server["USER"], password=server["PASSWORD"]
    )
    link.cursor().execute(statement)
    link.close()
