"""Issue, rotate or revoke a device's key from a script: `issue` and `rotate` print the key alone."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts import keys
from accounts.models import Device, Ward


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["issue", "rotate", "revoke"])
        parser.add_argument("name", help="the device's name")
        parser.add_argument("--ward", nargs="+", default=[], metavar="WARD", help="slugs of the wards it sends from")
        parser.add_argument("--kind", choices=Device.Kind.values, default=None)
        parser.add_argument("--zero-is-absent", action="store_true", help="the device writes 0 when it measures nothing")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        device = Device.objects.filter(name=options["name"]).first()
        if options["action"] == "issue":
            device = device or self._new_device(**options)
            self.stdout.write(keys.issue(device))
        elif device is None:
            raise CommandError(f"There is no device named {options['name']}.")
        elif options["action"] == "rotate":
            self.stdout.write(keys.rotate(device, at=timezone.now()))
        else:
            count = keys.revoke(device, at=timezone.now())
            self.stderr.write(f"{count} keys of {device} revoked.")

    def _new_device(self, **options: Any) -> Device:
        if not options["ward"]:
            raise CommandError("A new device needs at least one --ward.")
        wards = list(Ward.objects.filter(slug__in=options["ward"]))
        if missing := set(options["ward"]) - {ward.slug for ward in wards}:
            raise CommandError(f"There is no ward {', '.join(sorted(missing))}.")
        device = Device(
            name=options["name"],
            kind=options["kind"] or Device.Kind.MONITOR,
            zero_is_absent=options["zero_is_absent"],
        )
        try:
            device.full_clean()
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from None
        device.save()
        device.wards.set(wards)
        return device
