"""Seal everything anew under the first key of MEDQL_KEYS, beside people at work; --check says which keys are still needed."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import keyring, rotation
from accounts.rotation import Column, Outcome


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; ends with 1 while an older key is needed")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["check"]:
            self.stdout.write(f"Sealing under key {keyring.current().id}.")
            rotation.rotate(at=timezone.now(), told=self._tell)
        lost, needed = rotation.lost(), rotation.needed()
        for column, count in lost.items():
            self.stdout.write(f"No key in MEDQL_KEYS opens {count} rows of {column}.")
        for id, counts in needed.items():
            self._say(id, counts)
        if any(needed.values()):
            raise CommandError(
                "An older key is still needed." + ("" if options["check"] else " Look above, and run this again.")
            )
        if lost:
            raise CommandError("Some of it cannot be opened: is a key missing in MEDQL_KEYS?")

    def _tell(self, column: Column, done: Outcome) -> None:
        raced = f", {done.raced} written by somebody else meanwhile" if done.raced else ""
        unreadable = f", {done.unreadable} UNREADABLE and left" if done.unreadable else ""
        self.stdout.write(f"{column}: {done.sealed} sealed anew{raced}{unreadable}.")

    def _say(self, id: str, counts: dict[Column, int]) -> None:
        for column, count in counts.items():
            self.stdout.write(f"Key {id} is needed: {count} rows of {column}.")
        entries = rotation.entries_sealed(id)
        if entries:
            self.stdout.write(
                f"Key {id} verifies {entries} entries of the audit: without it they can be read, and proved no more."
            )
        if not counts and not entries:
            self.stdout.write(f"Key {id} can be taken out of MEDQL_KEYS.")
