"""Print what happens on a MedQL, here or anywhere, as its event stream /ws tells it: one frame of JSON a line.

For who writes a client. Cut off, it comes back by itself and resumes; --after goes on from the id of an earlier line. Give
--login (the password is asked for, or MEDQL_PASSWORD) or a token in MEDQL_TOKEN.
"""

import json
import os
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from monitoring.stream.client import Client, Login, Refused, Token


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = []  # it may run where there is no database

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("url", nargs="?", default="http://127.0.0.1:8000", help="of the MedQL that is listened to")
        add("--login", help="who signs in; his password is in MEDQL_PASSWORD, or asked for")
        add(
            "--token",
            default=os.environ.get("MEDQL_TOKEN"),
            help="a program's or a person's (or MEDQL_TOKEN, which no ps shows)",
        )
        add("--ward", action="append", default=[], metavar="SLUG", help="only this one; may be said again")
        add("--after", default="", metavar="CURSOR", help="the id of the last line that had one")
        add("--count", type=int, default=0, help="end after so many alert events (default: Ctrl-C)")

    def handle(self, *args: Any, **options: Any) -> None:
        client = Client(options["url"].rstrip("/"), _key(options), options["ward"], options["after"], say=self.stderr.write)
        left = options["count"]
        try:
            for frame in client.frames():
                self.stdout.write(frame)
                self.stdout.flush()
                left -= json.loads(frame)["type"].startswith("ALERT_")
                if left == 0 and options["count"]:
                    return
        except Refused as refused:
            raise CommandError(str(refused)) from None
        except KeyboardInterrupt:
            self.stderr.write(f"To go on from here: --after {client.after}" if client.after else "Ended by Ctrl-C.")


def _key(options: dict[str, Any]) -> Token | Login:
    url = options["url"].rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise CommandError("The address begins with http:// or https://.")
    if options["login"]:
        return Login(url, options["login"], os.environ.get("MEDQL_PASSWORD") or _asked_for())
    if options["token"]:
        return Token(options["token"])
    raise CommandError("Say who listens: --login, or a token in MEDQL_TOKEN.")


def _asked_for() -> str:
    if not sys.stdin.isatty():
        raise CommandError("MEDQL_PASSWORD holds no password, and there is nobody to ask.")
    return getpass("Password: ")
