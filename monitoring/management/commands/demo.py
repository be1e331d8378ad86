"""The demo in one command: migrate, load the demo hospital, serve it on the loopback and play recorded patients into it.

Without DATABASE_URL it has a database of its own, var/demo.sqlite3, and never touches the one of an embedded installation.
"""

import os
import signal
import sys
import time
from argparse import ArgumentParser
from types import FrameType
from typing import Any, NoReturn

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.utils import timezone

from monitoring.demo import hospital, recordings
from monitoring.demo.player import Plan, Player
from monitoring.demo.server import DidNotComeUp, Server, must_be_free

LINE_EVERY = 10.0  # seconds between the lines of progress where they cannot overwrite each other
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(BaseException):
    """Somebody ends the demo: Ctrl-C, a terminal that closes, a supervisor. No fault, so no handler of faults may take it."""

    def __init__(self, number: int) -> None:
        self.number = number


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--speed", type=float, default=1.0, help="recorded minutes a second")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DATABASE_URL:
            _again_with_own_database()
        for number in ENDING_SIGNALS:
            signal.signal(number, _end)
        try:
            self._run(options["port"], options["speed"])
        except DidNotComeUp as fault:
            raise CommandError(str(fault)) from None
        except Ended as ended:
            self.stdout.write("The demo has ended.")
            # Ctrl-C is how a demo ends; a supervisor is told that its signal was the cause.
            sys.exit(0 if ended.number == signal.SIGINT else 128 + ended.number)

    def _run(self, port: int, speed: float) -> NoReturn:
        must_be_free(port)
        self._prepare()
        sources = hospital.new_keys(at=timezone.now())
        connections.close_all()
        with Server(port, log=settings.VAR_DIR / f"demo-{port}.log") as server:
            server.wait_until_it_answers()
            self.stdout.write(f"MedQL's demo is on {server.url}/ (Ctrl-C ends it)\nLogins, for the demo only:")
            self.stdout.writelines(f"  {line}\n" for line in hospital.logins())
            self.stdout.write("Not a medical device: a secondary display. The recordings: monitoring/demo/ATTRIBUTION.md")
            self.stdout.flush()
            show = recordings.played(recordings.load(), speed=speed)
            self._play(Player(server.url, Plan(sources, show, rate=len(sources) * speed)), server)

    def _prepare(self) -> None:
        settings.VAR_DIR.mkdir(exist_ok=True)
        call_command("migrate", interactive=False, verbosity=0)
        call_command("load_demo", verbosity=0)

    def _play(self, player: Player, server: Server) -> NoReturn:
        began = time.monotonic()
        on_terminal = self.stdout.isatty()
        player.start()
        try:
            while True:
                player.wait(1.0 if on_terminal else LINE_EVERY)
                server.must_live()
                line = player.tally.progress(time.monotonic() - began)
                self.stdout.write(f"\r\x1b[K{line}" if on_terminal else line, ending="" if on_terminal else "\n")
                self.stdout.flush()
        finally:
            for number in ENDING_SIGNALS:
                signal.signal(number, signal.SIG_IGN)  # it is ending: a second Ctrl-C must not leave the web process behind
            player.end()
            if on_terminal:
                self.stdout.write("")  # below the line of progress


def _end(number: int, frame: FrameType | None) -> NoReturn:
    raise Ended(number)


def _again_with_own_database() -> NoReturn:
    """Settings are read once: this process begins the same command again, with the demo's database in its environment."""
    database = f"sqlite:///{settings.VAR_DIR / 'demo.sqlite3'}"
    os.execve(sys.executable, sys.orig_argv, os.environ | {"DATABASE_URL": database, "MEDQL_DEMO": "1"})  # noqa: S606
