"""Is the audit as it was written? Walks along its chain of seals, and fails naming the first entry that is damaged.

Prints the head of the chain: kept outside of the database, and given back as --head, it shows that nothing was cut off since.
With --resume, after damage has been looked into: seal on after the last sealed entry.
"""

import re
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import chain, verifying
from accounts.verifying import Head, Report

HEAD = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")


def head_of(text: str) -> Head:
    if not (found := HEAD.fullmatch(text)):
        raise ArgumentTypeError("a head is NUMBER:SEAL, as this command prints it")
    return Head(int(found[1]), found[2])


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--head", type=head_of, help="NUMBER:SEAL, kept from an earlier run")
        parser.add_argument("--resume", action="store_true", help="seal on after the last sealed entry, and write that down")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["resume"]:
            self.stdout.write(f"The chain goes on after {chain.resume(at=timezone.now())}")
            return
        report = verifying.verify(kept=options["head"])
        self.stdout.write(f"{_counted(report.sealed)} sealed, {report.waiting} not yet.")
        if report.damaged:
            raise CommandError(_verdict(report))
        self.stdout.write("The chain is whole.")
        if report.head:
            self.stdout.write(f"Head: {report.head}")


def _counted(number: int) -> str:
    return f"{number} {'entry is' if number == 1 else 'entries are'}"


def _verdict(report: Report) -> str:
    more = f" {report.damaged - 1} more faults follow." if report.damaged > 1 else ""
    return f"THE AUDIT IS DAMAGED. {report.first}{more}"
