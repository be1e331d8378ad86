"""Load the demo hospital: two wards, twelve invented patients, three demo logins. Twice changes nothing."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from monitoring.demo import hospital, sources

REFUSAL = (
    "This database is not empty and is not a demo installation: demo logins must never get into a real hospital. "
    "Nothing was changed. Give the demo a database of its own (DATABASE_URL)."
)


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--keys",
            type=Path,
            metavar="FILE",
            help="give every monitor a new key and write them to this file, readable by you alone, for `simulate --keys`",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            hospital.load(at=timezone.now())
        except hospital.NotADemo:
            raise CommandError(REFUSAL) from None
        if options["keys"]:
            sources.write(options["keys"], hospital.new_keys(at=timezone.now()))
        if options["verbosity"]:
            self.stdout.write("Logins, for the demo only:")
            for line in hospital.logins():
                self.stdout.write(f"  {line}")
