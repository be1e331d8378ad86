"""Do what has to happen though no reading comes, until SIGTERM or Ctrl-C: about one turn a second.

Any number may run at once. With --check it only asks whether a watcher of this machine beats, and fails if none does.
"""

import signal
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from monitoring import watcher
from monitoring.models import WatcherBeat
from monitoring.services.watching import MISSED_AFTER

GIVES_UP_AFTER = 60.0  # seconds beyond its patience: whoever supervises the process starts another


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="ask whether a watcher of this machine beats")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["check"]:
            self._check()
        else:
            self._watch()

    def _watch(self) -> None:
        watching = watcher.Watcher()

        def end(number: int, frame: FrameType | None) -> None:
            watching.ending.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, end)
        watching.start()
        self.stdout.write(f"Watching as {watching.name} (Ctrl-C ends it)")
        self.stdout.flush()
        while not watching.ending.wait(watcher.PACE):
            if watching.overdue() > GIVES_UP_AFTER:
                watching.ending.set()
                raise CommandError("A step hangs, and did not come back: another watcher must take over.")
        if not watching.end():
            raise CommandError("A step under way did not finish.")

    def _check(self) -> None:
        try:
            beats = WatcherBeat.objects.aged().filter(name__startswith=f"{watcher.host()}:").order_by("age")
            youngest = beats.first()
        except Error as error:
            raise CommandError(f"The database does not answer: {error}") from None
        if youngest is None:
            raise CommandError("No watcher of this machine has beaten yet.")
        seconds = youngest.age.total_seconds()
        if youngest.age > MISSED_AFTER:
            raise CommandError(f"{youngest.name} has not beaten for {seconds:.0f} s.")
        steps = ",".join(filter(None, [youngest.failing, youngest.failing_in_house]))
        failing = f"; failing: {steps}" if steps else ""
        self.stdout.write(f"{youngest.name} beat {seconds:.0f} s ago{failing}")
